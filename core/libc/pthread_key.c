// SPDX-License-Identifier: BSD-3-Clause
// pthread_key.c: thread-specific data.
//
// A key has a serial number, odd while the key exists. A value counts only while its serial is the
// key's: so deleting a key needs no walk over threads, and a new key of the same number starts
// empty everywhere.
#include <errno.h>

#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/mem/heap.h"

enum { ROUND_MAX = 4 }; // PTHREAD_DESTRUCTOR_ITERATIONS

static struct {
    _Atomic uintptr_t serial;
    void (*_Atomic destructor)(void *);
} keys[LIBC_KEY_MAX];

EXPORT(int, pthread_key_create, uint32_t *key, void (*destructor)(void *))
{
    for (uint32_t i = 0; i < LIBC_KEY_MAX; ++i) {
        uintptr_t serial = atomic_load(&keys[i].serial);
        if (serial % 2 == 0 &&
            atomic_compare_exchange_strong(&keys[i].serial, &serial, serial + 1)) {
            atomic_store(&keys[i].destructor, destructor);
            *key = i;
            return 0;
        }
    }
    return EAGAIN;
}

EXPORT(int, __pthread_key_create, uint32_t *key, void (*destructor)(void *))
{
    return glibc_pthread_key_create(key, destructor);
}

EXPORT(int, pthread_key_delete, uint32_t key)
{
    if (key >= LIBC_KEY_MAX) {
        return EINVAL;
    }
    uintptr_t serial = atomic_load(&keys[key].serial);
    if (serial % 2 == 0 ||
        !atomic_compare_exchange_strong(&keys[key].serial, &serial, serial + 1)) {
        return EINVAL;
    }
    return 0;
}

// NULL: no value of such a key was ever set.
static struct libc_key_value *value_of(struct libc_thread *self, uint32_t key)
{
    if (key < LIBC_KEY_NEAR) {
        return &self->near_values[key];
    }
    if (key >= LIBC_KEY_MAX || self->far_values == NULL) {
        return NULL;
    }
    return &self->far_values[key - LIBC_KEY_NEAR];
}

EXPORT(void *, pthread_getspecific, uint32_t key)
{
    struct libc_key_value *value = value_of(libc_thread_here(), key);
    if (value == NULL || value->value == NULL ||
        value->serial != atomic_load_explicit(&keys[key].serial, memory_order_relaxed)) {
        return NULL;
    }
    return value->value;
}

static void value_set(struct libc_key_value *value, uintptr_t serial, const void *data)
{
    value->serial = serial;
    value->value = (void *)(uintptr_t)data;
}

// Not inlined: the other values are set without a frame.
__attribute__((noinline)) static int first_far_set(struct libc_thread *self, uint32_t key,
                                                   uintptr_t serial, const void *data)
{
    if (data == NULL) {
        return 0;
    }
    self->far_values = heap_alloc_zeroed((LIBC_KEY_MAX - LIBC_KEY_NEAR) * sizeof *self->far_values);
    if (self->far_values == NULL) {
        return ENOMEM;
    }
    value_set(value_of(self, key), serial, data);
    return 0;
}

EXPORT(int, pthread_setspecific, uint32_t key, const void *data)
{
    if (key >= LIBC_KEY_MAX) {
        return EINVAL;
    }
    uintptr_t serial = atomic_load_explicit(&keys[key].serial, memory_order_relaxed);
    if (serial % 2 == 0) {
        return EINVAL;
    }
    struct libc_thread *self = libc_thread_here();
    if (__builtin_expect(key >= LIBC_KEY_NEAR && self->far_values == NULL, 0)) {
        return first_far_set(self, key, serial, data);
    }
    value_set(value_of(self, key), serial, data);
    return 0;
}

// True: a destructor ran, which may have set values again.
static bool destructor_run(struct libc_thread *self, uint32_t key)
{
    struct libc_key_value *value = value_of(self, key);
    if (value->value == NULL) {
        return false;
    }
    void *data = value->value;
    value->value = NULL;
    void (*destructor)(void *) = atomic_load(&keys[key].destructor);
    if (value->serial != atomic_load(&keys[key].serial) || destructor == NULL) {
        return false;
    }
    destructor(data);
    return true;
}

void libc_thread_keys_run(struct libc_thread *self)
{
    bool again = true;
    for (int round = 0; again && round < ROUND_MAX; ++round) {
        again = false;
        uint32_t count = self->far_values == NULL ? LIBC_KEY_NEAR : LIBC_KEY_MAX;
        for (uint32_t key = 0; key < count; ++key) {
            again |= destructor_run(self, key);
        }
    }
}
