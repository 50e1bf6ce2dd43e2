/* What reads a file. */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>
#include <sys/stat.h>
#include "quickjs.h"

/* In place of errno. */
#define NOT_REGULAR -1
#define TOO_LARGE -2

/* A string with a character (0 to 255) for each byte. */
JSValue string_of(JSContext *ctx, const char *bytes, size_t size, int *is_ascii);

/* Reads a file of a kind that ends; returns errno, or one of the above. The path may be relative to a directory. */
int read_file(int directory, const char *path, const struct stat *status, size_t limit, char **bytes, size_t *size);

#endif
