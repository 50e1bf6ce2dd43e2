/*
 * Memory for a program that lives a millisecond or two, a third of which musl's malloc used to take.
 *
 * Small blocks are cut from chunks. Freed blocks wait in a list per size, so that a process that stays (exec --watch)
 * does not grow. Large blocks come from malloc. The size of each block is stored in front of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "modules.h"

#define POOL_STEP 16
#define POOL_LARGEST 1024
#define POOL_CHUNK (256 * 1024)

typedef struct PoolBlock {
    size_t size;
    struct PoolBlock *next; /* only while the block is free; otherwise the caller's first bytes */
} PoolBlock;

static PoolBlock *pool_free_blocks[POOL_LARGEST / POOL_STEP + 1];
static char *pool_position, *pool_end;

static PoolBlock *pool_block(const void *data)
{
    return (PoolBlock *)((char *)data - sizeof(size_t));
}

static PoolBlock *pool_take(size_t size)
{
    PoolBlock *block = pool_free_blocks[size / POOL_STEP];
    if (block) {
        pool_free_blocks[size / POOL_STEP] = block->next;
        return block;
    }
    if ((size_t)(pool_end - pool_position) < size) {
        pool_position = malloc(POOL_CHUNK);
        pool_end = pool_position ? pool_position + POOL_CHUNK : NULL;
        if (!pool_position)
            return NULL;
    }
    block = (PoolBlock *)pool_position;
    pool_position += size;
    return block;
}

/*
 * QuickJS may have no memory for a message of its own, and may wait for ever for what it could not even begin. So this is the
 * end, unless there are files to be removed first.
 */
static void *end_without_memory(void)
{
    static const char text[] = "php-sessions: no memory is left: raise the container's limit of memory, or ulimit -v\n";
    static int has_said;
    if (!has_said)
        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    has_said = 1;
    if (!mask_before_hold())
        _exit(1);
    return NULL;
}

static void *pool_malloc(JSMallocState *state, size_t wanted)
{
    PoolBlock *block;
    size_t size;
    if (wanted > SIZE_MAX / 2)
        return NULL;
    size = (wanted + sizeof(size_t) + POOL_STEP - 1) / POOL_STEP * POOL_STEP;
    if (size > POOL_LARGEST)
        size += size / 8; /* if there is room, QuickJS appends to a string in place */
    block = size <= POOL_LARGEST ? pool_take(size) : malloc(size);
    if (!block)
        return end_without_memory();
    block->size = size;
    state->malloc_count++;
    state->malloc_size += size;
    return (char *)block + sizeof(size_t);
}

static void pool_free(JSMallocState *state, void *data)
{
    PoolBlock *block;
    if (!data)
        return;
    block = pool_block(data);
    state->malloc_count--;
    state->malloc_size -= block->size;
    if (block->size > POOL_LARGEST) {
        free(block);
        return;
    }
    block->next = pool_free_blocks[block->size / POOL_STEP];
    pool_free_blocks[block->size / POOL_STEP] = block;
}

static size_t pool_usable_size(const void *data)
{
    return data ? pool_block(data)->size - sizeof(size_t) : 0;
}

static void *pool_realloc(JSMallocState *state, void *data, size_t wanted)
{
    void *moved;
    if (data && wanted && wanted <= pool_usable_size(data))
        return data;
    moved = wanted ? pool_malloc(state, wanted) : NULL;
    if (moved && data)
        memcpy(moved, data, pool_usable_size(data));
    if (moved || !wanted)
        pool_free(state, data);
    return moved;
}

const JSMallocFunctions pool_functions = { pool_malloc, pool_free, pool_realloc, pool_usable_size };
