/* The module qjs:files, which reads files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"
#include "modules.h"

JSValue string_of(JSContext *ctx, const char *bytes, size_t size, int *is_ascii)
{
    size_t high = 0, i;
    char *encoded, *end;
    JSValue string;
    for (i = 0; i < size; i++)
        high += (unsigned char)bytes[i] >> 7;
    *is_ascii = high == 0;
    if (high == 0)
        return JS_NewStringLen(ctx, bytes, size);
    end = encoded = malloc(size + high);
    if (!encoded)
        return JS_ThrowOutOfMemory(ctx);
    for (i = 0; i < size; i++) {
        unsigned char byte = bytes[i];
        if (byte >> 7)
            *end++ = (char)(0xc0 | byte >> 6);
        *end++ = (char)(byte >> 7 ? 0x80 | (byte & 0x3f) : byte);
    }
    string = JS_NewStringLen(ctx, encoded, end - encoded);
    free(encoded);
    return string;
}

/* Reads to the end, since files below /proc claim to be empty and others may grow. Returns errno, or 0. */
static int read_to_end(int file, size_t expected, size_t limit, char **bytes, size_t *size)
{
    size_t room = expected + 1;
    char *more = NULL;
    *bytes = NULL;
    *size = 0;
    for (;;) {
        ssize_t count;
        if (!more || *size == room) {
            room = more ? 2 * room + 4096 : room;
            more = realloc(*bytes, room);
            if (!more)
                return ENOMEM;
            *bytes = more;
        }
        count = read(file, *bytes + *size, room - *size);
        if (count < 0 && errno != EINTR)
            return errno;
        if (count == 0)
            return 0;
        *size += count > 0 ? count : 0;
        if (*size > limit)
            return TOO_LARGE;
        /* A regular file that gives less than it was asked for has ended. */
        if (expected > 0 && count > 0 && *size < room)
            return 0;
    }
}

int read_file(int directory, const char *path, const struct stat *status, size_t limit, char **bytes, size_t *size)
{
    int file, error;
    *bytes = NULL;
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return NOT_REGULAR;
    if (S_ISREG(status->st_mode) && (uint64_t)status->st_size > limit)
        return TOO_LARGE;
    /* Should the path have become a FIFO by now, this does not wait for a writer. */
    file = openat(directory, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno;
    error = read_to_end(file, S_ISREG(status->st_mode) ? (size_t)status->st_size : 0, limit, bytes, size);
    close(file);
    return error;
}

/* read(path, limit) returns [bytes, isAscii]; in place of the bytes errno, or less than 0. */
static JSValue read_one(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    struct stat status;
    char *bytes = NULL;
    size_t size;
    int64_t limit;
    int is_ascii = 0, error;
    const char *path = JS_ToCString(ctx, argv[0]);
    JSValue result = JS_NewArray(ctx);
    if (!path || JS_ToInt64(ctx, &limit, argv[1]))
        return JS_EXCEPTION;
    error = stat(path, &status) ? errno : read_file(AT_FDCWD, path, &status, (size_t)limit, &bytes, &size);
    JS_SetPropertyUint32(ctx, result, 0, error ? JS_NewInt32(ctx, error) : string_of(ctx, bytes, size, &is_ascii));
    JS_SetPropertyUint32(ctx, result, 1, JS_NewBool(ctx, is_ascii));
    free(bytes);
    JS_FreeCString(ctx, path);
    return result;
}

static const JSCFunctionListEntry files_functions[] = {
    JS_CFUNC_DEF("read", 2, read_one),
    JS_CFUNC_DEF("readAll", 2, read_all),
    JS_CFUNC_DEF("find", 8, find_files),
};

static int export_files(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, files_functions, 3);
}

void add_files(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "qjs:files", export_files);
    if (module)
        JS_AddModuleExportList(ctx, module, files_functions, 3);
}
