// SPDX-License-Identifier: BSD-3-Clause
// memory_seed.c: what -fsanitize=thread calls at each access to memory: our own __tsan_*.
//
// Remembers for each 8 bytes which CPUs have read and written them, over all schedules. An access
// is a point where both CPUs touch the bytes and at least one writes.
#include "memory_seed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

enum { TABLE_SIZE = 1 << 16 };

static struct granule {
    uintptr_t key; // address / 8
    uint8_t readers, writers;
} table[TABLE_SIZE];

static bool learned;

void memory_forget(void)
{
    memset(table, 0, sizeof table);
    learned = false;
}

bool memory_has_learned(void)
{
    return learned;
}

bool memory_take_learned(void)
{
    bool was = learned;
    learned = false;
    return was;
}

static bool is_shared(const struct granule *granule)
{
    return granule->writers != 0 && (granule->readers | granule->writers) == 3;
}

static bool granule_touch(uintptr_t key, bool writes)
{
    uintptr_t slot = key * 0x9e3779b97f4a7c15u >> 48;
    for (unsigned i = 0; i < TABLE_SIZE; ++i, slot = (slot + 1) % TABLE_SIZE) {
        struct granule *granule = &table[slot];
        if (granule->key != 0 && granule->key != key) {
            continue;
        }
        granule->key = key;
        bool before = is_shared(granule);
        *(writes ? &granule->writers : &granule->readers) |= (uint8_t)(1 << seed_index());
        learned = learned || is_shared(granule) != before;
        return is_shared(granule);
    }
    abort();
}

static void touch(const volatile void *address, size_t size, bool writes)
{
    if (!seed_is_running() || size == 0) {
        return;
    }
    uintptr_t first = (uintptr_t)address / 8;
    uintptr_t last = ((uintptr_t)address + size - 1) / 8;
    bool shared = false;
    for (uintptr_t key = first; key <= last; ++key) {
        shared = granule_touch(key, writes) || shared;
    }
    if (shared) {
        seed_point();
    } else {
        seed_step();
    }
}

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);
void *__tsan_memcpy(void *target, const void *source, size_t size);
void *__tsan_memmove(void *target, const void *source, size_t size);
void *__tsan_memset(void *target, int value, size_t size);
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *address, unsigned long size)
{
    touch(address, size, false);
}

void __tsan_write_range(void *address, unsigned long size)
{
    touch(address, size, true);
}

void *__tsan_memcpy(void *target, const void *source, size_t size)
{
    touch(source, size, false);
    touch(target, size, true);
    return memcpy(target, source, size);
}

void *__tsan_memmove(void *target, const void *source, size_t size)
{
    touch(source, size, false);
    touch(target, size, true);
    return memmove(target, source, size);
}

void *__tsan_memset(void *target, int value, size_t size)
{
    touch(target, size, true);
    return memset(target, value, size);
}

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

#define ACCESS(name, size, writes)        \
    void __tsan_##name(void *address);    \
    void __tsan_##name(void *address)     \
    {                                     \
        touch(address, size, writes);     \
    }

#define ACCESSES(size)                             \
    ACCESS(read##size, size, false)                \
    ACCESS(write##size, size, true)                \
    ACCESS(unaligned_read##size, size, false)      \
    ACCESS(unaligned_write##size, size, true)

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

#define ATOMIC_CHANGE(bits, type, name, builtin)                                                   \
    type __tsan_atomic##bits##_##name(volatile type *address, type value, int order);              \
    type __tsan_atomic##bits##_##name(volatile type *address, type value, int order)               \
    {                                                                                              \
        (void)order;                                                                               \
        touch(address, sizeof(type), true);                                                        \
        return builtin(address, value, __ATOMIC_SEQ_CST);                                          \
    }

#define ATOMIC_COMPARE(bits, type, name)                                                           \
    int __tsan_atomic##bits##_##name(volatile type *address, type *expected, type value, int, int);\
    int __tsan_atomic##bits##_##name(volatile type *address, type *expected, type value,           \
                                     int success, int failure)                                     \
    {                                                                                              \
        (void)success;                                                                             \
        (void)failure;                                                                             \
        touch(address, sizeof(type), true);                                                        \
        return __atomic_compare_exchange_n(address, expected, value, 0, __ATOMIC_SEQ_CST,          \
                                           __ATOMIC_SEQ_CST);                                      \
    }

#define ATOMICS(bits, type)                                                                        \
    type __tsan_atomic##bits##_load(const volatile type *address, int order);                      \
    type __tsan_atomic##bits##_load(const volatile type *address, int order)                       \
    {                                                                                              \
        (void)order;                                                                               \
        touch(address, sizeof(type), false);                                                       \
        return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                         \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order);               \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                \
    {                                                                                              \
        (void)order;                                                                               \
        touch(address, sizeof(type), true);                                                        \
        __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                        \
    }                                                                                              \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *, type, type, int, int);        \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected,         \
                                                    type value, int success, int failure)          \
    {                                                                                              \
        (void)success;                                                                             \
        (void)failure;                                                                             \
        touch(address, sizeof(type), true);                                                        \
        __atomic_compare_exchange_n(address, &expected, value, 0, __ATOMIC_SEQ_CST,                \
                                    __ATOMIC_SEQ_CST);                                             \
        return expected;                                                                           \
    }                                                                                              \
    ATOMIC_COMPARE(bits, type, compare_exchange_strong)                                            \
    ATOMIC_COMPARE(bits, type, compare_exchange_weak)                                              \
    ATOMIC_CHANGE(bits, type, exchange, __atomic_exchange_n)                                       \
    ATOMIC_CHANGE(bits, type, fetch_add, __atomic_fetch_add)                                       \
    ATOMIC_CHANGE(bits, type, fetch_sub, __atomic_fetch_sub)                                       \
    ATOMIC_CHANGE(bits, type, fetch_and, __atomic_fetch_and)                                       \
    ATOMIC_CHANGE(bits, type, fetch_or, __atomic_fetch_or)                                         \
    ATOMIC_CHANGE(bits, type, fetch_xor, __atomic_fetch_xor)

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
