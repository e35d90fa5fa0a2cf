// SPDX-License-Identifier: BSD-3-Clause
// kept_kind.c: the mutator of targets whose inputs begin with what they are: that stays.
#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)seed;
    return size < 2 ? LLVMFuzzerMutate(data, size, max_size)
                    : 1 + LLVMFuzzerMutate(data + 1, size - 1, max_size - 1);
}
