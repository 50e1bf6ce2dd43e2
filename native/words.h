/* words.c: words of JavaScript as execvp wants them. */
#ifndef WORDS_H
#define WORDS_H

#include "quickjs.h"

/* The strings of an array; NULL if the memory is used up. */
char **copy_list(JSContext *ctx, JSValueConst list);

void free_list(char **list);

/* The program's name, these words and two more; NULL without words. Never freed. */
char **copy_words(JSContext *ctx, int count, JSValueConst *values, const char *more[2]);

#endif
