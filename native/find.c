/* find() of the module qjs:files, which walks through directories as find(1) does, and looks into files as grep(1). */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "modules.h"
#include "words.h"

#define CHUNK 65536
#define LONGEST_WORD 64
/* More than the files of any app; a link in a circle ends here, too. */
#define MOST_ENTRIES 1000000

typedef struct Search {
    JSContext *ctx;
    JSValue found;
    uint32_t count;
    char **names, **without, **words;
    int32_t deepest;
    int follows_links;
    int64_t largest;
    time_t end;
    int entries_left;
    char path[PATH_MAX];
} Search;

/* The directories above one. */
typedef struct Level {
    dev_t device;
    ino_t inode;
    const struct Level *above;
} Level;

static time_t seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* Whether a name is one of these, or ends as one of them does after its star. */
static int is_among(char **patterns, const char *name)
{
    size_t length = strlen(name);
    for (; *patterns; patterns++) {
        const char *end = *patterns + (**patterns == '*');
        size_t size = strlen(end);
        if (end == *patterns ? strcmp(end, name) == 0 : size <= length && strcmp(end, name + length - size) == 0)
            return 1;
    }
    return 0;
}

/* Whether a word of letters and underlines is there, in upper or lower case. */
static int has_word(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word), i, same;
    for (i = 0; i + length <= size; i++) {
        for (same = 0; same < length && (text[i + same] | 32) == (word[same] | 32); same++)
            ;
        if (same == length)
            return 1;
    }
    return 0;
}

static int has_any_word(Search *search, int file)
{
    static char text[LONGEST_WORD + CHUNK];
    size_t kept = 0;
    ssize_t count;
    while ((count = read(file, text + kept, CHUNK)) > 0) {
        size_t size = kept + count;
        char **word;
        for (word = search->words; *word; word++)
            if (has_word(text, size, *word))
                return 1;
        kept = size < LONGEST_WORD ? size : LONGEST_WORD;
        memmove(text, text + size - kept, kept);
    }
    return 0;
}

static void visit_file(Search *search)
{
    struct stat status;
    int file = open(search->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (search->follows_links ? 0 : O_NOFOLLOW));
    if (file < 0)
        return;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= search->largest
        && (!*search->words || has_any_word(search, file)))
        JS_SetPropertyUint32(search->ctx, search->found, search->count++, JS_NewString(search->ctx, search->path));
    close(file);
}

/* The kind of the entry that the path names, as readdir() has it. */
static unsigned char kind_of(Search *search, unsigned char kind)
{
    struct stat status;
    if (kind != DT_UNKNOWN && !(kind == DT_LNK && search->follows_links))
        return kind;
    if (fstatat(AT_FDCWD, search->path, &status, search->follows_links ? 0 : AT_SYMLINK_NOFOLLOW))
        return DT_UNKNOWN;
    return S_ISDIR(status.st_mode) ? DT_DIR : S_ISREG(status.st_mode) ? DT_REG : DT_UNKNOWN;
}

static int is_above(const Level *level, dev_t device, ino_t inode)
{
    for (; level; level = level->above)
        if (level->device == device && level->inode == inode)
            return 1;
    return 0;
}

static void visit_directory(Search *search, size_t length, int depth, const Level *above)
{
    struct dirent *entry;
    struct stat status;
    Level level;
    DIR *directory = opendir(search->path);
    if (!directory)
        return;
    if (fstat(dirfd(directory), &status) || is_above(above, status.st_dev, status.st_ino)) {
        closedir(directory);
        return;
    }
    level = (Level){ status.st_dev, status.st_ino, above };
    while ((entry = readdir(directory)) && search->entries_left-- > 0 && seconds_now() < search->end) {
        const char *name = entry->d_name;
        size_t end = length + 1 + strlen(name);
        unsigned char kind;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || end >= sizeof(search->path))
            continue;
        search->path[length] = '/';
        strcpy(search->path + length + 1, name);
        kind = kind_of(search, entry->d_type);
        if (kind == DT_DIR && depth < search->deepest && !is_among(search->without, name))
            visit_directory(search, end, depth + 1, &level);
        else if (kind == DT_REG && is_among(search->names, name))
            visit_file(search);
        search->path[length] = 0;
    }
    closedir(directory);
}

/*
 * find(directories, names, without, deepest, followsLinks, largest, words, seconds) returns the paths of the regular files
 * that are wanted. A directory that is given may be a link, and may not be there.
 */
JSValue find_files(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    Search search = { ctx };
    char **starts = copy_list(ctx, argv[0]), **start;
    int32_t seconds;
    search.names = copy_list(ctx, argv[1]);
    search.without = copy_list(ctx, argv[2]);
    search.words = copy_list(ctx, argv[6]);
    if (JS_ToInt32(ctx, &search.deepest, argv[3]) || JS_ToInt64(ctx, &search.largest, argv[5])
        || JS_ToInt32(ctx, &seconds, argv[7]))
        return JS_EXCEPTION;
    search.follows_links = JS_ToBool(ctx, argv[4]);
    search.found = JS_NewArray(ctx);
    search.entries_left = MOST_ENTRIES;
    search.end = seconds_now() + seconds;
    for (start = starts; start && search.names && search.without && search.words && *start; start++) {
        size_t length = strlen(*start);
        if (length >= sizeof(search.path))
            continue;
        strcpy(search.path, *start);
        visit_directory(&search, length, 1, NULL);
    }
    free_list(starts);
    free_list(search.names);
    free_list(search.without);
    free_list(search.words);
    return search.found;
}
