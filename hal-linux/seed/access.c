// SPDX-License-Identifier: BSD-3-Clause
// access.c: what gcc and clang call at each access to memory under -fsanitize=thread: our own
// __tsan_*, in place of the sanitizer's run-time.
//
// These names and signatures are the compilers' contract with that run-time. Atomic operations are
// calls too, so they are carried out here, all of them sequentially consistent.
#include "hal-linux/seed/access.h"

#include <stdint.h>

#define PLACE __builtin_return_address(0)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);
void __tsan_vptr_read(void **address);
void __tsan_vptr_update(void **address, void *value);
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
    seed_access(address, size, false, PLACE);
}

void __tsan_write_range(void *address, unsigned long size)
{
    seed_access(address, size, true, PLACE);
}

void __tsan_vptr_read(void **address)
{
    seed_access(address, sizeof *address, false, PLACE);
}

void __tsan_vptr_update(void **address, void *value)
{
    (void)value;
    seed_access(address, sizeof *address, true, PLACE);
}

// Bytes by the processor's own loop: host libc is out of reach in guest context.
static void bytes_copy(void *target, const void *source, size_t size, bool backwards)
{
    if (backwards) {
        target = (char *)target + size - 1;
        source = (const char *)source + size - 1;
        __asm__ volatile("std\n\trep movsb\n\tcld"
                         : "+D"(target), "+S"(source), "+c"(size)
                         :
                         : "memory");
    } else {
        __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
    }
}

void *__tsan_memcpy(void *target, const void *source, size_t size)
{
    seed_access(source, size, false, PLACE);
    seed_access(target, size, true, PLACE);
    bytes_copy(target, source, size, false);
    return target;
}

void *__tsan_memmove(void *target, const void *source, size_t size)
{
    seed_access(source, size, false, PLACE);
    seed_access(target, size, true, PLACE);
    bytes_copy(target, source, size, (uintptr_t)target - (uintptr_t)source < size);
    return target;
}

void *__tsan_memset(void *target, int value, size_t size)
{
    void *next = target;
    seed_access(target, size, true, PLACE);
    __asm__ volatile("rep stosb" : "+D"(next), "+c"(size) : "a"(value) : "memory");
    return target;
}

void __tsan_atomic_thread_fence(int order)
{
    seed_fence(order);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

#define ACCESS(name, size, writes)                      \
    void __tsan_##name(void *address);                  \
    void __tsan_##name(void *address)                   \
    {                                                   \
        seed_access(address, size, writes, PLACE);      \
    }

#define ACCESSES(size)                             \
    ACCESS(read##size, size, false)                \
    ACCESS(write##size, size, true)                \
    ACCESS(unaligned_read##size, size, false)      \
    ACCESS(unaligned_write##size, size, true)      \
    ACCESS(volatile_read##size, size, false)       \
    ACCESS(volatile_write##size, size, true)

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

#define ATOMIC_CHANGE(bits, type, name, builtin)                                                   \
    type __tsan_atomic##bits##_##name(volatile type *address, type value, int order);              \
    type __tsan_atomic##bits##_##name(volatile type *address, type value, int order)               \
    {                                                                                              \
        seed_atomic(address, sizeof(type), true, true, order, PLACE);                              \
        return builtin(address, value, __ATOMIC_SEQ_CST);                                          \
    }

#define ATOMIC_COMPARE(bits, type, name)                                                           \
    int __tsan_atomic##bits##_##name(volatile type *address, type *expected, type value, int, int);\
    int __tsan_atomic##bits##_##name(volatile type *address, type *expected, type value,           \
                                     int success, int failure)                                     \
    {                                                                                              \
        (void)failure;                                                                             \
        seed_atomic(address, sizeof(type), true, true, success, PLACE);                            \
        return __atomic_compare_exchange_n(address, expected, value, 0, __ATOMIC_SEQ_CST,          \
                                           __ATOMIC_SEQ_CST);                                      \
    }

#define ATOMICS(bits, type)                                                                        \
    type __tsan_atomic##bits##_load(const volatile type *address, int order);                      \
    type __tsan_atomic##bits##_load(const volatile type *address, int order)                       \
    {                                                                                              \
        seed_atomic(address, sizeof(type), true, false, order, PLACE);                             \
        return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                         \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order);               \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                \
    {                                                                                              \
        seed_atomic(address, sizeof(type), false, true, order, PLACE);                             \
        __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                        \
    }                                                                                              \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *, type, type, int, int);        \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected,         \
                                                    type value, int success, int failure)          \
    {                                                                                              \
        (void)failure;                                                                             \
        seed_atomic(address, sizeof(type), true, true, success, PLACE);                            \
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
    ATOMIC_CHANGE(bits, type, fetch_xor, __atomic_fetch_xor)                                       \
    ATOMIC_CHANGE(bits, type, fetch_nand, __atomic_fetch_nand)

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
