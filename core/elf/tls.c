// SPDX-License-Identifier: BSD-3-Clause
// tls.c: thread-local storage of modules: static blocks, the dynamic vector, __tls_get_addr.
//
// A module is an object with a PT_TLS. Modules that come with the program get a place at a fixed
// offset from every thread pointer; those that dlopen brings are allocated when a thread first asks
// for them, unless they insist on a fixed offset (initial-exec), for which each thread has a little
// room to spare. A module that is unloaded gives back its number, its room and its blocks in all
// threads at once: so no vector is ever stale, and none needs a generation. Source: Drepper, "ELF
// Handling For Thread-Local Storage".
//
// Locks: `lock` guards the modules, the list of vectors and the blocks of all vectors. A thread
// reads its own vector without it: what it may ask for does not change under it.
#include "core/elf/tls.h"

#include "core/elf/object.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"

enum { SURPLUS = 4096, ALIGNMENT_MIN = 64, MODULES_SPARE = 8 };

// One thread's dynamic vector. The assembly of descriptors reads count and blocks.
struct elf_dtv {
    size_t count; // of blocks
    struct elf_tcb *tcb;
    struct list node;
    char *blocks[]; // by module number; [0] is unused; NULL: not allocated yet
};

_Static_assert(offsetof(struct elf_dtv, count) == 0, "entry_*.S");
_Static_assert(offsetof(struct elf_dtv, blocks) == 32, "entry_*.S");
_Static_assert(offsetof(struct elf_tcb, dtv) == 8, "entry_*.S");

static struct mutex lock;
static struct list vectors = LIST_EMPTY(vectors);
static struct {
    struct elf_object **modules; // [number - 1]; NULL: unused
    size_t count, capacity;
    // Read without the lock: not written any more once the program is loaded.
    size_t startup_used; // of the static blocks by what came with the program; 0: nothing yet
    size_t alignment;
} tls = {.alignment = ALIGNMENT_MIN};

static size_t startup_used(void)
{
    return tls.startup_used == 0 ? elf_tls_used_first : tls.startup_used;
}

static size_t limit(void)
{
    return startup_used() + SURPLUS;
}

void elf_tls_layout(size_t *size, size_t *alignment)
{
    *alignment = tls.alignment;
    *size = (limit() + tls.alignment - 1) & ~(tls.alignment - 1);
}

// Behind used bytes; answers the end.
static size_t place_behind(struct elf_tls_module *module, size_t used)
{
    module->offset = elf_tls_place(&used, module->size, module->alignment,
                                   (uintptr_t)module->image & (module->alignment - 1));
    return used;
}

// The first late module whose room overlaps [start, end), or NULL.
static const struct elf_tls_module *neighbour_find(size_t start, size_t end)
{
    for (size_t i = 0; i < tls.count; ++i) {
        const struct elf_object *object = tls.modules[i];
        if (object != NULL && object->tls.static_end > start && object->tls.static_start < end) {
            return &object->tls;
        }
    }
    return NULL;
}

// First fit. Each round starts behind another module, so there are no more rounds than modules.
static bool place_in_surplus(struct elf_tls_module *module)
{
    size_t start = startup_used();
    for (size_t round = 0; round <= tls.count; ++round) {
        size_t end = place_behind(module, start);
        if (end > limit()) {
            return false;
        }
        const struct elf_tls_module *neighbour = neighbour_find(start, end);
        if (neighbour == NULL) {
            module->static_start = start;
            module->static_end = end;
            return true;
        }
        start = neighbour->static_end;
    }
    return false;
}

static int module_add(struct elf_object *object)
{
    size_t place = 0;
    while (place < tls.count && tls.modules[place] != NULL) {
        ++place;
    }
    if (place == tls.capacity) {
        size_t capacity = tls.capacity + 32;
        struct elf_object **modules = heap_realloc(tls.modules, capacity * sizeof(object));
        if (modules == NULL) {
            return -ENOMEM;
        }
        tls.modules = modules;
        tls.capacity = capacity;
    }
    tls.modules[place] = object;
    tls.count = place == tls.count ? place + 1 : tls.count;
    object->tls.number = place + 1;
    return 0;
}

int elf_tls_assign(struct elf_object *object, bool is_startup)
{
    struct elf_tls_module *module = &object->tls;
    if (module->size == 0) {
        return 0;
    }
    mutex_lock(&lock);
    int error = module_add(object);
    if (error == 0 && is_startup) {
        tls.alignment = module->alignment > tls.alignment ? module->alignment : tls.alignment;
        tls.startup_used = place_behind(module, startup_used());
        module->is_static = true;
    }
    mutex_unlock(&lock);
    return error == 0 ? 0
                      : elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
}

static void block_fill(const struct elf_tls_module *module, char *block)
{
    memcpy(block, module->image, module->image_size);
    memset(block + module->image_size, 0, module->size - module->image_size);
}

static char *static_block(const struct elf_tls_module *module, struct elf_tcb *tcb)
{
    return elf_tcb_pointer(tcb) + module->offset;
}

// In each thread.
static void static_blocks_fill(const struct elf_tls_module *module)
{
    struct list *node;
    list_for_each(node, &vectors)
    {
        struct elf_dtv *dtv = container_of(node, struct elf_dtv, node);
        block_fill(module, static_block(module, dtv->tcb));
        if (module->number < dtv->count) {
            dtv->blocks[module->number] = static_block(module, dtv->tcb);
        }
    }
}

static bool is_used(const struct elf_tls_module *module)
{
    struct list *node;
    list_for_each(node, &vectors)
    {
        const struct elf_dtv *dtv = container_of(node, struct elf_dtv, node);
        if (module->number < dtv->count && dtv->blocks[module->number] != NULL) {
            return true;
        }
    }
    return false;
}

int elf_tls_make_static(struct elf_object *object)
{
    struct elf_tls_module *module = &object->tls;
    mutex_lock(&lock);
    bool fits = module->alignment <= tls.alignment && !is_used(module) && place_in_surplus(module);
    module->is_static |= fits;
    if (fits && module->is_ready) {
        static_blocks_fill(module);
    }
    mutex_unlock(&lock);
    return fits ? 0 : -ENOMEM;
}

void elf_tls_commit(struct elf_object *object)
{
    struct elf_tls_module *module = &object->tls;
    if (module->number == 0) {
        return;
    }
    mutex_lock(&lock);
    module->is_ready = true;
    if (module->is_static) {
        static_blocks_fill(module);
    }
    mutex_unlock(&lock);
}

void elf_tls_release(struct elf_object *object)
{
    struct elf_tls_module *module = &object->tls;
    if (module->number == 0) {
        return;
    }
    mutex_lock(&lock);
    struct list *node;
    list_for_each(node, &vectors)
    {
        struct elf_dtv *dtv = container_of(node, struct elf_dtv, node);
        if (module->number < dtv->count) {
            if (!module->is_static) {
                heap_free(dtv->blocks[module->number]);
            }
            dtv->blocks[module->number] = NULL;
        }
    }
    tls.modules[module->number - 1] = NULL;
    module->number = 0;
    while (tls.count > 0 && tls.modules[tls.count - 1] == NULL) {
        --tls.count;
    }
    if (tls.count == 0 && tls.startup_used != 0) {
        tls.startup_used = 0; // the program itself could not be loaded
    }
    mutex_unlock(&lock);
}

static struct elf_dtv *vector_create(struct elf_tcb *tcb, size_t count)
{
    struct elf_dtv *dtv = heap_alloc_zeroed(sizeof(*dtv) + count * sizeof(char *));
    if (dtv != NULL) {
        dtv->count = count;
        dtv->tcb = tcb;
        list_init(&dtv->node);
    }
    return dtv;
}

int elf_tls_create(struct elf_tcb *tcb)
{
    mutex_lock(&lock);
    struct elf_dtv *dtv = vector_create(tcb, tls.count + 1 + MODULES_SPARE);
    if (dtv == NULL) {
        mutex_unlock(&lock);
        return -ENOMEM;
    }
    for (size_t i = 0; i < tls.count; ++i) {
        if (tls.modules[i] != NULL && tls.modules[i]->tls.is_static) {
            const struct elf_tls_module *module = &tls.modules[i]->tls;
            dtv->blocks[i + 1] = static_block(module, tcb);
            block_fill(module, dtv->blocks[i + 1]);
        }
    }
    list_push_back(&vectors, &dtv->node);
    tcb->dtv = dtv;
    mutex_unlock(&lock);
    elf_tcb_prepare(tcb);
    return 0;
}

void elf_tls_destroy(struct elf_tcb *tcb)
{
    struct elf_dtv *dtv = tcb->dtv;
    if (dtv == NULL) {
        return;
    }
    mutex_lock(&lock);
    list_remove(&dtv->node);
    tcb->dtv = NULL;
    for (size_t number = 1; number < dtv->count && number <= tls.count; ++number) {
        if (tls.modules[number - 1] != NULL && !tls.modules[number - 1]->tls.is_static) {
            heap_free(dtv->blocks[number]);
        }
    }
    mutex_unlock(&lock);
    heap_free(dtv);
}

// Under the lock. The vector of tcb, long enough for number. NULL: no memory.
static struct elf_dtv *vector_grow(struct elf_tcb *tcb, size_t number)
{
    struct elf_dtv *old = tcb->dtv;
    if (number < old->count) {
        return old;
    }
    struct elf_dtv *dtv = vector_create(tcb, tls.count + 1 + MODULES_SPARE);
    if (dtv != NULL) {
        memcpy(dtv->blocks, old->blocks, old->count * sizeof(char *));
        list_remove(&old->node);
        list_push_back(&vectors, &dtv->node);
        tcb->dtv = dtv;
        heap_free(old);
    }
    return dtv;
}

void *elf_tls_address_slow(struct elf_tcb *tcb, const struct elf_tls_index *index)
{
    if (index->module == ELF_TLS_SYSTEM) {
        return elf_tcb_pointer(tcb) + index->offset;
    }
    mutex_lock(&lock);
    ASSERT(index->module > 0 && index->module <= tls.count &&
           tls.modules[index->module - 1] != NULL);
    const struct elf_tls_module *module = &tls.modules[index->module - 1]->tls;
    struct elf_dtv *dtv = vector_grow(tcb, index->module);
    char *block = dtv == NULL ? NULL : dtv->blocks[index->module];
    if (dtv != NULL && block == NULL) {
        block = module->is_static ? static_block(module, tcb)
                                  : heap_alloc_aligned(module->alignment, module->size);
        if (block != NULL && !module->is_static) {
            block_fill(module, block);
        }
        dtv->blocks[index->module] = block;
    }
    mutex_unlock(&lock);
    if (block == NULL) {
        elf_die("no memory for thread-local storage; give more with --memory");
    }
    return block + index->offset;
}

// The fast path of __tls_get_addr.
void *elf_tls_address(const struct elf_tls_index *index)
{
    struct elf_tcb *tcb = elf_tcb_self();
    const struct elf_dtv *dtv = tcb->dtv;
    if (__builtin_expect(index->module < dtv->count, 1)) {
        char *block = dtv->blocks[index->module];
        if (__builtin_expect(block != NULL, 1)) {
            return block + index->offset;
        }
    }
    return elf_tls_address_slow(tcb, index);
}

void *elf_tls_data(const struct elf_object *object)
{
    if (object->tls.number == 0 || list_is_empty(&vectors)) {
        return NULL; // no thread has been set up yet
    }
    const struct elf_dtv *dtv = elf_tcb_self()->dtv;
    return object->tls.number < dtv->count ? dtv->blocks[object->tls.number] : NULL;
}
