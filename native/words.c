#include <stdlib.h>
#include <string.h>
#include "words.h"

char **copy_list(JSContext *ctx, JSValueConst list)
{
    JSValue length = JS_GetPropertyStr(ctx, list, "length");
    int32_t count = 0, i;
    char **copies;
    JS_ToInt32(ctx, &count, length);
    JS_FreeValue(ctx, length);
    copies = calloc(count + 1, sizeof(*copies));
    for (i = 0; copies && i < count; i++) {
        JSValue value = JS_GetPropertyUint32(ctx, list, i);
        const char *word = JS_ToCString(ctx, value);
        copies[i] = strdup(word ? word : "");
        JS_FreeCString(ctx, word);
        JS_FreeValue(ctx, value);
    }
    return copies;
}

void free_list(char **list)
{
    char **word;
    for (word = list; word && *word; word++)
        free(*word);
    free(list);
}

char **copy_words(JSContext *ctx, int count, JSValueConst *values, const char *more[2])
{
    int i;
    char **words = count > 0 ? calloc(count + 4, sizeof(*words)) : NULL;
    if (!words)
        return NULL;
    words[0] = "php-sessions";
    for (i = 0; i < count; i++) {
        const char *word = JS_ToCString(ctx, values[i]);
        words[i + 1] = word ? strdup(word) : NULL;
        JS_FreeCString(ctx, word);
    }
    words[count + 1] = strdup(more[0]);
    words[count + 2] = strdup(more[1]);
    return words;
}
