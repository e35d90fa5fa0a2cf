// SPDX-License-Identifier: BSD-3-Clause
// freed.c: what malloc was given back is there for other allocations when memory gets short,
// whatever sizes it had, and whichever CPUs have it.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "tests/system/figures.h"

enum { PIECE = 65536, BLOCKS_MAX = 65536 };

static void *blocks[2][BLOCKS_MAX];
static size_t share; // of each thread

static size_t free_bytes(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram * info.mem_unit;
}

// Fills the thread's share with small blocks, and frees them.
static void *churn(void *mine)
{
    void **own = mine;
    size_t count = 0;
    for (size_t used = 0; used < share && count < BLOCKS_MAX; ++count) {
        size_t size = 500 + count * 7 % 3000;
        own[count] = malloc(size);
        if (own[count] == NULL) {
            exit(3);
        }
        memset(own[count], 1, size);
        used += size;
    }
    while (count > 0) {
        free(own[--count]);
    }
    return NULL;
}

// How many bytes can be had in pieces that are there at once; they are given back.
static size_t fill(size_t size)
{
    static char *pieces[65536];
    size_t count = 0;
    while (count < size / PIECE) {
        char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        unsigned char last = 0;
        if (piece == MAP_FAILED || mincore(piece + PIECE - 1 - 4095, 4096, &last) != 0 ||
            (last & 1) == 0) {
            break;
        }
        pieces[count++] = piece;
    }
    for (size_t i = 0; i < count; ++i) {
        munmap(pieces[i], PIECE);
    }
    return count * PIECE;
}

int main(void)
{
    size_t free_first = free_bytes();
    share = free_first / 10 * 3;
    for (int round = 0; round < 3; ++round) {
        pthread_t threads[2];
        for (int i = 0; i < 2; ++i) {
            if (pthread_create(&threads[i], NULL, churn, blocks[i]) != 0) {
                exit(3);
            }
        }
        for (int i = 0; i < 2; ++i) {
            pthread_join(threads[i], NULL);
        }
        size_t wanted = free_first / 10 * 8;
        promise("less is free than is wanted", free_bytes() < wanted);
        promise("it is there", fill(wanted) >= wanted - PIECE);
    }
    return 0;
}
