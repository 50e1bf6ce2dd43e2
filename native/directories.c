/* readAll() of the module qjs:files, which reads a directory with the files in it in as few calls as that takes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"
#include "modules.h"

/* A list of what readAll() returns; undefined while it is empty. */
typedef struct List {
    JSValue values;
    uint32_t count;
} List;

typedef struct Reading {
    JSContext *ctx;
    int directory;
    size_t path_length, left; /* bytes that may still be read */
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
    reading->left -= size;
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
    is_whole = size >= 0 && (size_t)size <= reading->left && (size == 0 || lseek(file, 0, SEEK_END) == size);
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
        error = read_file(reading->directory, name, &status, reading->left, &bytes, &size);
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
 * readAll(path, limit) returns what is in a directory, by name, or errno. All files together may have `limit` bytes. `texts` are
 * bytes, without line breaks at their ends; `others` names directories and what is hidden; `encoded` names texts that are not
 * ASCII; `failed` says which files cannot be read, by errno or one of the numbers in files.h. Lists are absent where they would
 * be empty. Entries that are gone again are left out.
 */
JSValue read_all(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
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
