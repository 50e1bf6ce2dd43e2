/* The module qjs:files, which reads files, and directories with the files in them, with as few calls as that takes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "modules.h"

/* In place of errno. */
#define NOT_REGULAR -1
#define TOO_LARGE -2

/* A string with a character (0 to 255) for each byte. */
static JSValue string_of(JSContext *ctx, const char *bytes, size_t size, int *is_ascii)
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

/* Reads a file of a kind that ends; returns errno, or one of the above. */
static int read_file(const char *path, const struct stat *status, size_t limit, char **bytes, size_t *size)
{
    int file, error;
    *bytes = NULL;
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return NOT_REGULAR;
    if (S_ISREG(status->st_mode) && (uint64_t)status->st_size > limit)
        return TOO_LARGE;
    /* Should the path have become a FIFO by now, this does not wait for a writer. */
    file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno;
    error = read_to_end(file, S_ISREG(status->st_mode) ? (size_t)status->st_size : 0, limit, bytes, size);
    close(file);
    return error;
}

/* The text of a file, or the number of an error; *is_ascii is meant for a text. */
static JSValue text_or_error(JSContext *ctx, const char *path, const struct stat *status, size_t limit, int *is_ascii)
{
    char *bytes;
    size_t size;
    int error = read_file(path, status, limit, &bytes, &size);
    JSValue result = error ? JS_NewInt32(ctx, error) : string_of(ctx, bytes, size, is_ascii);
    free(bytes);
    return result;
}

/* read(path, limit) returns [bytes, isAscii]; in place of the bytes errno, or less than 0. */
static JSValue read_one(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    struct stat status;
    int is_ascii = 0;
    int64_t limit;
    const char *path = JS_ToCString(ctx, argv[0]);
    JSValue result = JS_NewArray(ctx);
    if (!path || JS_ToInt64(ctx, &limit, argv[1]))
        return JS_EXCEPTION;
    JS_SetPropertyUint32(ctx, result, 0, stat(path, &status) ? JS_NewInt32(ctx, errno)
        : text_or_error(ctx, path, &status, (size_t)limit, &is_ascii));
    JS_SetPropertyUint32(ctx, result, 1, JS_NewBool(ctx, is_ascii));
    JS_FreeCString(ctx, path);
    return result;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/*
 * readAll(path, limit) returns [name, bytes, isAscii] for each file in a directory, by name, without those that are hidden,
 * or errno. Entries that are gone again are left out.
 */
static JSValue read_all(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int64_t limit;
    uint32_t added = 0;
    struct dirent **entries;
    int count, i;
    JSValue result;
    const char *directory = JS_ToCString(ctx, argv[0]);
    if (!directory || JS_ToInt64(ctx, &limit, argv[1]))
        return JS_EXCEPTION;
    count = scandir(directory, &entries, is_shown, by_name);
    result = count < 0 ? JS_NewInt32(ctx, errno) : JS_NewArray(ctx);
    for (i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct stat status;
        const char *name = entries[i]->d_name;
        int is_ascii = 0, error = ENAMETOOLONG;
        if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
            error = stat(path, &status) ? errno : 0;
        if (error != ENOENT && error != ENOTDIR && (error || !S_ISDIR(status.st_mode))) {
            JSValue item = JS_NewArray(ctx);
            JS_SetPropertyUint32(ctx, item, 0, JS_NewString(ctx, name));
            JS_SetPropertyUint32(ctx, item, 1, error ? JS_NewInt32(ctx, error)
                : text_or_error(ctx, path, &status, (size_t)limit, &is_ascii));
            JS_SetPropertyUint32(ctx, item, 2, JS_NewBool(ctx, is_ascii));
            JS_SetPropertyUint32(ctx, result, added++, item);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    JS_FreeCString(ctx, directory);
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
