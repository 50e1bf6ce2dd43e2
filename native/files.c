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

/* Reads a file of a kind that ends; returns errno, or one of the above. The path may be relative to a directory. */
static int read_file(int directory, const char *path, const struct stat *status, size_t limit, char **bytes, size_t *size)
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

/* A list of what readAll() returns; undefined while it is empty. */
typedef struct List {
    JSValue values;
    uint32_t count;
} List;

typedef struct Reading {
    JSContext *ctx;
    int directory;
    size_t path_length, limit;
    JSValue texts;
    List others, encoded, failed;
} Reading;

static void add(JSContext *ctx, List *list, JSValue value)
{
    if (list->count == 0)
        list->values = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, list->values, list->count++, value);
}

static void add_text(Reading *reading, const char *name, const char *bytes, size_t size)
{
    int is_ascii = 0;
    while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
        size--;
    JS_SetPropertyStr(reading->ctx, reading->texts, name, string_of(reading->ctx, bytes, size, &is_ascii));
    if (!is_ascii)
        add(reading->ctx, &reading->encoded, JS_NewString(reading->ctx, name));
}

static void add_failure(Reading *reading, const char *name, int error)
{
    JSValue failure = JS_NewObject(reading->ctx);
    JS_SetPropertyStr(reading->ctx, failure, "name", JS_NewString(reading->ctx, name));
    JS_SetPropertyStr(reading->ctx, failure, "error", JS_NewInt32(reading->ctx, error));
    add(reading->ctx, &reading->failed, failure);
}

/* Reads a small regular file with few calls; 0 where it is not as usual. */
static int add_small(Reading *reading, const char *name)
{
    static char bytes[4096];
    ssize_t size;
    int is_whole, file = openat(reading->directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return 0;
    size = read(file, bytes, sizeof(bytes));
    /* A file below /proc may give less than it was asked for, and still go on. */
    is_whole = size == 0 || (size > 0 && lseek(file, 0, SEEK_END) == size);
    close(file);
    if (is_whole)
        add_text(reading, name, bytes, size);
    return is_whole;
}

/* Adds an entry to what is returned; one that is gone again is left out. */
static void add_entry(Reading *reading, const char *name, unsigned char kind)
{
    struct stat status;
    char *bytes = NULL;
    size_t size;
    int is_other = name[0] == '.', error = reading->path_length + 1 + strlen(name) < PATH_MAX ? 0 : ENAMETOOLONG;
    if (!is_other && !error && kind == DT_REG && add_small(reading, name))
        return;
    if (!is_other && !error) {
        error = fstatat(reading->directory, name, &status, 0) ? errno : 0;
        if (error == ENOENT || error == ENOTDIR)
            return;
        is_other = !error && S_ISDIR(status.st_mode);
    }
    if (!is_other && !error)
        error = read_file(reading->directory, name, &status, reading->limit, &bytes, &size);
    if (is_other)
        add(reading->ctx, &reading->others, JS_NewString(reading->ctx, name));
    else if (error)
        add_failure(reading, name, error);
    else
        add_text(reading, name, bytes, size);
    free(bytes);
}

typedef struct Entry {
    unsigned char kind;
    char name[];
} Entry;

static int by_name(const void *a, const void *b)
{
    return strcmp((*(Entry *const *)a)->name, (*(Entry *const *)b)->name);
}

/* The entries of a directory by name, to be freed one by one and as a whole. Returns errno, or 0. */
static int list_entries(DIR *directory, Entry ***entries, size_t *count)
{
    struct dirent *found;
    size_t room = 0;
    *entries = NULL;
    *count = 0;
    while (errno = 0, found = readdir(directory)) {
        const char *name = found->d_name;
        size_t size = strlen(name) + 1;
        Entry *entry;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (*count == room) {
            Entry **more = realloc(*entries, (room = 2 * room + 16) * sizeof(*more));
            if (!more)
                return ENOMEM;
            *entries = more;
        }
        entry = malloc(sizeof(*entry) + size);
        if (!entry)
            return ENOMEM;
        entry->kind = found->d_type;
        memcpy(entry->name, name, size);
        (*entries)[(*count)++] = entry;
    }
    if (errno)
        return errno;
    qsort(*entries, *count, sizeof(**entries), by_name);
    return 0;
}

static void set_list(JSContext *ctx, JSValueConst result, const char *name, const List *list)
{
    if (list->count > 0)
        JS_SetPropertyStr(ctx, result, name, list->values);
}

static JSValue read_entries(JSContext *ctx, int directory, const char *path, size_t limit, Entry **entries, size_t count)
{
    Reading reading = { ctx, directory, strlen(path), limit, JS_NewObject(ctx) };
    JSValue result = JS_NewObject(ctx);
    size_t i;
    for (i = 0; i < count; i++)
        add_entry(&reading, entries[i]->name, entries[i]->kind);
    JS_SetPropertyStr(ctx, result, "texts", reading.texts);
    set_list(ctx, result, "others", &reading.others);
    set_list(ctx, result, "encoded", &reading.encoded);
    set_list(ctx, result, "failed", &reading.failed);
    return result;
}

/*
 * readAll(path, limit) returns what is in a directory, by name, or errno. `texts` are bytes, without line breaks at their ends;
 * `others` names directories and what is hidden; `encoded` names texts that are not ASCII; `failed` says which files cannot be
 * read, by errno or one of the above. Lists are absent where they would be empty. Entries that are gone again are left out.
 */
static JSValue read_all(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int64_t limit;
    Entry **entries;
    size_t count, i;
    JSValue result;
    const char *path = JS_ToCString(ctx, argv[0]);
    DIR *directory;
    int error;
    if (!path || JS_ToInt64(ctx, &limit, argv[1]))
        return JS_EXCEPTION;
    directory = opendir(path);
    if (!directory) {
        result = JS_NewInt32(ctx, errno);
        JS_FreeCString(ctx, path);
        return result;
    }
    error = list_entries(directory, &entries, &count);
    result = error ? JS_NewInt32(ctx, error)
        : read_entries(ctx, dirfd(directory), path, (size_t)limit, entries, count);
    for (i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    closedir(directory);
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
