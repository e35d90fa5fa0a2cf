// SPDX-License-Identifier: BSD-3-Clause
// elf_replay.c: the fuzz target without the fuzzer: each file given, whole and with changes that
// are the same every time. Prints TAP.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 400, FILE_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

// The fuzzer's own: here a change of one byte.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    static unsigned state = 1;
    (void)max_size;
    state = state * 1664525 + 1013904223;
    data[(state >> 8) % size] ^= (uint8_t)(1 + (state >> 3) % 255);
    return size;
}

// Of a target that has none.
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                                                     unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}

// A block of its own, so that what lies behind the file is not the file's.
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void replay(const uint8_t *bytes, size_t size)
{
    uint8_t *changed = malloc(size);
    run(bytes, size);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % 8 == 0) {
            memcpy(changed, bytes, size);
        }
        run(changed, LLVMFuzzerCustomMutator(changed, size, size, round));
    }
    free(changed);
}

int main(int count, char **names)
{
    static uint8_t bytes[FILE_MAX];
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        size_t size = file == NULL ? 0 : fread(bytes, 1, sizeof(bytes), file);
        if (file != NULL) {
            fclose(file);
        }
        if (size > 0) {
            replay(bytes, size);
        }
        printf("%s %d - %s\n", size > 0 ? "ok" : "not ok", i, names[i]);
    }
    printf("1..%d\n", count - 1);
    return count < 2;
}
