// SPDX-License-Identifier: BSD-3-Clause
// tsan.h: defines the functions that gcc and clang call at each access to memory under
// -fsanitize=thread. A machine includes it in one file for each kind of caller that it has.
//
// These names and signatures are the compilers' contract with their run-time. Atomic operations are
// calls too, so they are carried out here, all of them sequentially consistent; of any other access
// only the news comes, just before it. Who includes this has defined
//   TSAN_NAME(name)                what the function that compilers call __tsan_name is called here
//   TSAN_PLACE                     in such a function: the instruction behind its call
//   tsan_access(address, size, writes, place)
//   tsan_atomic(address, size, reads, writes, order, place)
//   tsan_fence(order)              as hal-linux/seed/access.h says, or nothing
// and may have defined
//   tsan_atomic_done(address, reads, writes, order)
//                                  the atomic operation that tsan_atomic told of has been carried
//                                  out; order is that of the failure where it was a comparison that
//                                  failed
#ifndef HAL_COMMON_TSAN_H
#define HAL_COMMON_TSAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/common/tsan_wide.h"

#ifndef tsan_atomic_done
#define tsan_atomic_done(address, reads, writes, order) ((void)(order))
#endif

#ifndef TSAN_NAME
// What the function that compilers call __tsan_name is called.
#define TSAN_NAME(name) hal_tsan_##name
// In such a function: the instruction behind its call.
#define TSAN_PLACE 0
// What hal-linux/seed/access.h says of seed_access, seed_atomic and seed_fence.
#define tsan_access(address, size, writes, place) ((void)(address), (void)(size))
#define tsan_atomic(address, size, reads, writes, order, place) ((void)(address), (void)(order))
#define tsan_fence(order) ((void)(order))
// A function begins, which goes back to caller; and it ends.
#define tsan_enter(caller) ((void)(caller))
#define tsan_leave() ((void)0)
#endif

// Declared and defined: compilers know these names, and no header does.
#define TSAN_FUNCTION(result, name, ...)                                                           \
    result TSAN_NAME(name)(__VA_ARGS__);                                                           \
    result TSAN_NAME(name)(__VA_ARGS__)

// ---- What is no atomic operation ---------------------------------------------------

TSAN_FUNCTION(void, init, void)
{
}

TSAN_FUNCTION(void, func_entry, void *caller)
{
    tsan_enter(caller);
}

TSAN_FUNCTION(void, func_exit, void)
{
    tsan_leave();
}

// Between these two the compiler wants no report about the thread's accesses.
TSAN_FUNCTION(void, ignore_thread_begin, void)
{
}

TSAN_FUNCTION(void, ignore_thread_end, void)
{
}

TSAN_FUNCTION(void, read_range, void *address, unsigned long size)
{
    tsan_access(address, size, false, TSAN_PLACE);
}

TSAN_FUNCTION(void, write_range, void *address, unsigned long size)
{
    tsan_access(address, size, true, TSAN_PLACE);
}

TSAN_FUNCTION(void, vptr_read, void **address)
{
    tsan_access(address, sizeof *address, false, TSAN_PLACE);
}

TSAN_FUNCTION(void, vptr_update, void **address, void *value)
{
    (void)value;
    tsan_access(address, sizeof *address, true, TSAN_PLACE);
}

TSAN_FUNCTION(void *, memcpy, void *target, const void *source, size_t size)
{
    tsan_access(source, size, false, TSAN_PLACE);
    tsan_access(target, size, true, TSAN_PLACE);
    return __builtin_memcpy(target, source, size);
}

TSAN_FUNCTION(void *, memmove, void *target, const void *source, size_t size)
{
    tsan_access(source, size, false, TSAN_PLACE);
    tsan_access(target, size, true, TSAN_PLACE);
    return __builtin_memmove(target, source, size);
}

TSAN_FUNCTION(void *, memset, void *target, int value, size_t size)
{
    tsan_access(target, size, true, TSAN_PLACE);
    return __builtin_memset(target, value, size);
}

TSAN_FUNCTION(void, atomic_thread_fence, int order)
{
    tsan_fence(order);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

TSAN_FUNCTION(void, atomic_signal_fence, int order)
{
    (void)order;
}

// What programs say themselves of synchronisation that compilers do not see (tsan_interface.h).
TSAN_FUNCTION(void, acquire, void *address)
{
    tsan_atomic(address, 1, true, false, __ATOMIC_ACQUIRE, TSAN_PLACE);
}

TSAN_FUNCTION(void, release, void *address)
{
    tsan_atomic(address, 1, false, true, __ATOMIC_RELEASE, TSAN_PLACE);
}

#define TSAN_ACCESS(name, size, writes)                                                            \
    TSAN_FUNCTION(void, name, void *address)                                                       \
    {                                                                                              \
        tsan_access(address, size, writes, TSAN_PLACE);                                            \
    }

// The compound ones are clang's, for x += 1.
#define TSAN_ACCESSES(size)                                                                        \
    TSAN_ACCESS(read##size, size, false)                                                           \
    TSAN_ACCESS(write##size, size, true)                                                           \
    TSAN_ACCESS(read_write##size, size, true)                                                      \
    TSAN_ACCESS(unaligned_read##size, size, false)                                                 \
    TSAN_ACCESS(unaligned_write##size, size, true)                                                 \
    TSAN_ACCESS(unaligned_read_write##size, size, true)                                            \
    TSAN_ACCESS(volatile_read##size, size, false)                                                  \
    TSAN_ACCESS(volatile_write##size, size, true)                                                  \
    TSAN_ACCESS(unaligned_volatile_read##size, size, false)                                        \
    TSAN_ACCESS(unaligned_volatile_write##size, size, true)

TSAN_ACCESSES(1)
TSAN_ACCESSES(2)
TSAN_ACCESSES(4)
TSAN_ACCESSES(8)
TSAN_ACCESSES(16)

// ---- Atomic operations ---------------------------------------------------------------

// What the names in the next macros mean for 1, 2, 4 and 8 bytes; tsan_wide.h has it for 16.
#define tsan_load(address) __atomic_load_n(address, __ATOMIC_SEQ_CST)
#define tsan_store(address, value) __atomic_store_n(address, value, __ATOMIC_SEQ_CST)
#define tsan_exchange(address, value) __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST)
#define tsan_add(address, value) __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST)
#define tsan_sub(address, value) __atomic_fetch_sub(address, value, __ATOMIC_SEQ_CST)
#define tsan_and(address, value) __atomic_fetch_and(address, value, __ATOMIC_SEQ_CST)
#define tsan_or(address, value) __atomic_fetch_or(address, value, __ATOMIC_SEQ_CST)
#define tsan_xor(address, value) __atomic_fetch_xor(address, value, __ATOMIC_SEQ_CST)
#define tsan_nand(address, value) __atomic_fetch_nand(address, value, __ATOMIC_SEQ_CST)
#define tsan_compare(address, expected, value)                                                     \
    __atomic_compare_exchange_n(address, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define TSAN_CHANGE(bits, type, name, operation)                                                   \
    TSAN_FUNCTION(type, atomic##bits##_##name, volatile type *address, type value, int order)      \
    {                                                                                              \
        tsan_atomic(address, sizeof(type), true, true, order, TSAN_PLACE);                         \
        type old = operation(address, value);                                                      \
        tsan_atomic_done(address, true, true, order);                                              \
        return old;                                                                                \
    }

#define TSAN_COMPARE(bits, type, name, compare)                                                    \
    TSAN_FUNCTION(int, atomic##bits##_##name, volatile type *address, type *expected, type value,  \
                  int success, int failure)                                                        \
    {                                                                                              \
        tsan_atomic(address, sizeof(type), true, true, success, TSAN_PLACE);                       \
        bool is_equal = compare(address, expected, value);                                         \
        tsan_atomic_done(address, true, true, is_equal ? success : failure);                       \
        return is_equal;                                                                           \
    }

// wide is empty, or wide_.
#define TSAN_ATOMICS(bits, type, wide)                                                             \
    TSAN_FUNCTION(type, atomic##bits##_load, const volatile type *address, int order)              \
    {                                                                                              \
        tsan_atomic(address, sizeof(type), true, false, order, TSAN_PLACE);                        \
        type value = tsan_##wide##load(address);                                                   \
        tsan_atomic_done(address, true, false, order);                                             \
        return value;                                                                              \
    }                                                                                              \
    TSAN_FUNCTION(void, atomic##bits##_store, volatile type *address, type value, int order)       \
    {                                                                                              \
        tsan_atomic(address, sizeof(type), false, true, order, TSAN_PLACE);                        \
        tsan_##wide##store(address, value);                                                        \
        tsan_atomic_done(address, false, true, order);                                             \
    }                                                                                              \
    TSAN_FUNCTION(type, atomic##bits##_compare_exchange_val, volatile type *address,               \
                  type expected, type value, int success, int failure)                             \
    {                                                                                              \
        tsan_atomic(address, sizeof(type), true, true, success, TSAN_PLACE);                       \
        bool is_equal = tsan_##wide##compare(address, &expected, value);                           \
        tsan_atomic_done(address, true, true, is_equal ? success : failure);                       \
        return expected;                                                                           \
    }                                                                                              \
    TSAN_COMPARE(bits, type, compare_exchange_strong, tsan_##wide##compare)                        \
    TSAN_COMPARE(bits, type, compare_exchange_weak, tsan_##wide##compare)                          \
    TSAN_CHANGE(bits, type, exchange, tsan_##wide##exchange)                                       \
    TSAN_CHANGE(bits, type, fetch_add, tsan_##wide##add)                                           \
    TSAN_CHANGE(bits, type, fetch_sub, tsan_##wide##sub)                                           \
    TSAN_CHANGE(bits, type, fetch_and, tsan_##wide##and)                                           \
    TSAN_CHANGE(bits, type, fetch_or, tsan_##wide## or)                                            \
    TSAN_CHANGE(bits, type, fetch_xor, tsan_##wide## xor)                                          \
    TSAN_CHANGE(bits, type, fetch_nand, tsan_##wide##nand)

TSAN_ATOMICS(8, uint8_t, )
TSAN_ATOMICS(16, uint16_t, )
TSAN_ATOMICS(32, uint32_t, )
TSAN_ATOMICS(64, uint64_t, )
TSAN_ATOMICS(128, tsan_wide, wide_)

#endif
