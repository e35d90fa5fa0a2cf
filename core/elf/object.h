// SPDX-License-Identifier: BSD-3-Clause
// object.h: one loaded ELF object, as the files of this room share it. Others include program.h.
//
// An object is filled by one thread under the loader's mutex. Once it is published (elf_publish)
// nothing of it changes but what is marked, until nobody needs it and it is taken out of the list
// (elf_unpublish). Its struct is used again for another object, but never freed: a reader without a
// lock may look at a stale one, and finds out (walk.c).
//
// Locks, in this order: the loader's mutex, held through a whole dlopen or dlclose with the
// program's functions that they run; the list's, held while the list is walked or changed; the
// bindings', for what a look-up reads, held only for moments and never while functions of the
// program run, so that a call can be bound while another thread is in a long dlopen.
#ifndef CORE_ELF_OBJECT_H
#define CORE_ELF_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/elf/elf64.h"
#include "core/elf/program.h"
#include "core/elf/tls.h"
#include "core/vfs/file.h"
#include "hal/hal.h"

// A PT_LOAD in memory.
struct elf_segment {
    uint64_t address; // as linked
    size_t size;      // in memory
    size_t file_size; // of it, what the file has
    unsigned prot;    // HAL_READ ...
};

// What a version index of the object means.
struct elf_version {
    const char *name; // NULL: nothing
    const char *file; // of a needed version: the library it was linked with
    uint32_t hash;
    bool is_hidden;
};

struct elf_gnu_hash {
    const uint64_t *bloom;
    const uint32_t *buckets, *chain; // chain[0] is that of symbol first
    uint32_t bloom_mask, bloom_shift, bucket_count, first;
    size_t chain_count; // as many as the segment has room for
};

struct elf_sysv_hash {
    const uint32_t *buckets, *chain;
    uint32_t bucket_count, chain_count;
};

struct elf_relocations {
    const struct elf_relocation *entries;
    size_t count;
};

struct elf_functions {
    char **entries;
    size_t count;
};

// A list of objects in the order in which they are searched.
struct elf_scope {
    struct elf_object **objects;
    size_t count, capacity;
};

// What a TLS descriptor of the object points to.
struct elf_descriptor {
    struct elf_tls_index index;
    struct elf_descriptor *next;
};

struct elf_tls_module {
    const char *image;
    size_t image_size, size, alignment;
    size_t number;  // 0: the object has no thread-local storage
    int64_t offset; // from the thread pointer, when is_static
    bool is_static;
    bool is_ready;                   // its image is relocated
    size_t static_start, static_end; // of a late one that is_static: its part of the surplus
};

struct elf_debug_map { // struct link_map, for debuggers
    char *base;
    const char *name;
    const struct elf_dynamic *dynamic;
    struct elf_debug_map *next, *previous;
};

struct elf_object {
    // These five are laid out as glibc's struct link_map begins: programs look into it through a
    // handle of dlopen.
    char *base;            // added to addresses of the file
    const char *link_name; // "" for the program
    const struct elf_dynamic *dynamic;
    struct elf_object *next, *previous; // in order of loading; list's lock

    char *path;         // heap; as found, links not resolved but for the program
    char *origin;       // heap; the directory for $ORIGIN
    const char *soname; // NULL: none
    // Of elf_system: core's own file, as the machine's host calls it, and its file_size bytes; or
    // NULL.
    const char *image_path, *image_file;
    struct elf_debug_map debug_map; // debug.c's
    uint64_t inode, file_size;
    struct file_time modified;
    struct elf_object *loader; // who needed it first; NULL: dlopen, or it is gone; loader's mutex
    bool is_system, is_program, is_executable, is_symbolic, is_deep, is_pie, has_interpreter;
    bool is_walked;    // elf_functions_walk_new's
    bool is_startup;   // came with the program, and stays
    bool is_strict;    // came by dlopen: a symbol that nobody defines is an error, as in glibc
    bool is_bound_now; // by its own wish: DF_BIND_NOW
    bool is_lazy;      // its jump slots are bound when they are first used
    bool is_nodelete;  // loader's mutex or bindings'
    bool is_kept;      // of the search for what to unload that is going on; bindings'
    bool is_leaving;   // about to be unloaded: only others that leave find its symbols; bindings'
    bool is_initialised, is_to_finish; // loader's mutex
    uint32_t open_count;               // loader's mutex
    uint32_t mark;                     // of the walk that is going on; loader's mutex
    _Atomic(uint32_t) pin_count;       // destructors of thread_local objects that are to run

    char *map_start;
    size_t map_size;
    uint64_t entry;
    const struct elf_program_header *headers; // heap, or in the image
    uint16_t header_count;
    struct elf_segment *segments;
    size_t segment_count;
    const struct elf_program_header *dynamic_header, *relro_header, *eh_frame_header, *tls_header;
    char *eh_frame; // in memory, or NULL

    const char *strings;
    size_t strings_size; // the last byte is NUL
    const struct elf_symbol_entry *symbols;
    size_t symbol_limit; // as many as the segment has room for
    struct elf_gnu_hash gnu_hash;
    struct elf_sysv_hash sysv_hash;
    const uint16_t *version_indices; // by symbol, or NULL
    size_t version_indices_limit;
    struct elf_version *versions;
    size_t version_count;

    struct elf_relocations relocations, jump_slots;
    uint64_t plt_got; // DT_PLTGOT as linked, or 0
    const uint64_t *relative;
    size_t relative_count;
    char *init, *fini;
    struct elf_functions preinit_array, init_array, fini_array;
    const char *run_path, *old_run_path; // DT_RUNPATH, DT_RPATH
    const char **needed_names;
    struct elf_object **needed;
    size_t needed_count;
    struct elf_descriptor *descriptors; // heap
    struct elf_tls_module tls;
    // Itself and what it needs, breadth first, if it was asked for by name; bindings' lock.
    struct elf_scope search;
    // Those whose `search` it is in: its symbols are looked up there after the global scope, or
    // before it when is_deep. Empty for what came with the program. Bindings' lock.
    struct elf_scope groups;
    struct elf_scope bindings;       // whose symbols it uses without needing them; bindings' lock
    struct elf_object **start_order; // of initialisers; the program's only
    size_t start_order_count;
};

_Static_assert(offsetof(struct elf_object, next) == 24, "struct link_map");
_Static_assert(offsetof(struct elf_object, previous) == 32, "struct link_map");

// ---- map.c: from a file to mapped segments
HAL_MUST_CHECK int elf_file_load(struct elf_object *object, struct file *file);
void elf_file_unload(struct elf_object *object);
int elf_relro_protect(struct elf_object *object);

// ---- object.c
struct elf_object *elf_object_create(const char *path);
void elf_object_destroy(struct elf_object *object); // unmaps it too

// Where an address of the file is in memory, and back. Integers: the base of a program at its link
// address is NULL, and a damaged file has any address.
static inline char *elf_object_va(const struct elf_object *object, uint64_t address)
{
    return (char *)((uintptr_t)object->base + address);
}

static inline uint64_t elf_object_address(const struct elf_object *object, const void *va)
{
    return (uintptr_t)va - (uintptr_t)object->base;
}

// Bytes [address, address+size) of the object as linked, or NULL: they are not all in one readable
// segment.
bool elf_object_is_readable(const struct elf_object *object, uint64_t address, size_t size);
char *elf_object_bytes(const struct elf_object *object, uint64_t address, size_t size);
// The same, and all of them come from the file: the zeros that follow them may be terabytes.
char *elf_object_table(const struct elf_object *object, uint64_t address, size_t size);
const struct elf_segment *elf_object_segment(const struct elf_object *object, uint64_t address,
                                             size_t size);
bool elf_object_has_code(const struct elf_object *object, const char *va);
const char *elf_object_string(const struct elf_object *object,
                              uint64_t offset); // NULL: out of bounds

// Whether the file is the one that the object was loaded from. Not by device: one directory of the
// host may be mounted twice (/lib and /usr/lib), and a library must not be loaded twice.
bool elf_object_is_file(const struct elf_object *object, const struct file_status *status);

HAL_MUST_CHECK int elf_scope_add(struct elf_scope *scope, struct elf_object *object); // once
HAL_MUST_CHECK int elf_scope_append(struct elf_scope *scope, struct elf_object *object);
bool elf_scope_has(const struct elf_scope *scope, const struct elf_object *object);
void elf_scope_remove(struct elf_scope *scope, const struct elf_object *object);

// ---- dynamic.c, version.c: the tables that PT_DYNAMIC leads to, checked
HAL_MUST_CHECK int elf_dynamic_read(struct elf_object *object);
HAL_MUST_CHECK int elf_versions_read(struct elf_object *object, const uint64_t *values);

// ---- lookup.c
enum elf_lookup_flags {
    ELF_LOOKUP_CALL = 1,    // for a jump slot or TLS: an executable's own entry for an undefined
                            // function does not count
    ELF_LOOKUP_COPY = 2,    // not in the program
    ELF_LOOKUP_NEWEST = 4,  // without a version: the default one (dlsym), not the oldest
    ELF_LOOKUP_LEAVING = 8, // also in objects that are about to be unloaded
};

struct elf_reference {
    const char *name;
    const struct elf_version *version; // NULL: any
    uint32_t gnu_hash, sysv_hash;      // sysv_hash is computed when it is first needed
    unsigned flags;
    bool has_sysv_hash;
};

struct elf_definition {
    struct elf_object *object;
    const struct elf_symbol_entry *entry; // NULL: system
    const struct elf_symbol *system;
};

uint32_t elf_gnu_hash(const char *name);
uint32_t elf_sysv_hash(const char *name);
void elf_reference_make(struct elf_reference *reference, const char *name,
                        const struct elf_version *version, unsigned flags);
bool elf_lookup_in(struct elf_object *object, struct elf_reference *reference,
                   struct elf_definition *found);
bool elf_lookup_scope(const struct elf_scope *scope, size_t from, struct elf_reference *reference,
                      struct elf_definition *found);
const struct elf_version *elf_symbol_version(const struct elf_object *object, size_t index);
size_t elf_symbol_count(const struct elf_object *object);
void *elf_definition_address(const struct elf_definition *definition); // runs an IFUNC resolver

// ---- unique.c: STB_GNU_UNIQUE: one definition per process
HAL_MUST_CHECK int elf_unique_bind(const char *name, struct elf_definition *definition);
void elf_unique_forget(const struct elf_object *object);

// ---- system.c
extern struct elf_object elf_system;
bool elf_system_supplies(const char *soname);
const struct elf_symbol *elf_system_lookup(const struct elf_reference *reference);
const char *elf_system_name(const struct elf_symbol *symbol);
void *elf_system_address(const struct elf_symbol *symbol);
const struct elf_symbol *elf_system_symbol_at(const void *address);
// Gives the program's copy of a data object its first value, and lets the kernel use it from now
// on.
void elf_system_copy(const struct elf_symbol *symbol, char *target, size_t size);

// ---- relocate.c, missing.c
// With the bindings' lock.
HAL_MUST_CHECK int elf_relocate(struct elf_object *object, const struct elf_scope *global);
char *elf_bind(struct elf_object *object, size_t index); // a jump slot, at its first use
bool elf_scopes_search(struct elf_object *object, const struct elf_scope *global,
                       struct elf_reference *reference, struct elf_definition *found);
// object uses a symbol of definer, which has to stay for that. With the bindings' lock.
void elf_binding_note(struct elf_object *object, struct elf_object *definer);
HAL_MUST_CHECK int elf_indirect_resolve(void); // after every object of a load has been relocated
void elf_indirect_forget(void);
HAL_MUST_CHECK int elf_missing_stub(const char *name, const struct elf_version *version,
                                    const struct elf_object *needer, char **stub);
void elf_missing_forget(const struct elf_object *needer);
HAL_MUST_CHECK int elf_missing_finish(void); // makes the stubs of this load executable
void elf_missing_verbose_set(bool verbose);
HAL_NORETURN void elf_missing_die(const char *name, const struct elf_version *version,
                                  const struct elf_object *needer);

// ---- search.c: from a name in DT_NEEDED to a file
HAL_MUST_CHECK int elf_library_open(const char *name, const struct elf_object *needer,
                                    struct file **file, char **path);
void elf_library_path_set(const char *library_path);
void elf_search_program_set(const struct elf_object *program); // whose DT_RPATH all others use too
char *elf_text_copy(const char *text, size_t size);            // heap, NUL added; NULL: no memory

// ---- trace.c: --debug
void elf_trace_set(unsigned trace); // enum elf_trace
bool elf_is_traced(enum elf_trace trace);
__attribute__((format(printf, 2, 3))) void elf_trace_print(enum elf_trace trace,
                                                           const char *pattern, ...);
void elf_trace_binding(const struct elf_object *object, const struct elf_reference *reference,
                       const struct elf_definition *definition);

// ---- message.c: the one line that says why a load failed. Loader's mutex.
void elf_message_begin(char message[ELF_MESSAGE_SIZE]);
char *elf_message_replace(char *message); // answers the former
__attribute__((format(printf, 2, 3))) int elf_fail(int error, const char *pattern,
                                                   ...); // answers -error
HAL_NORETURN void elf_die(const char *text);             // the program cannot go on: status 127

// ---- program.c
extern struct elf_object *elf_program; // NULL until it is loaded
extern struct elf_scope elf_global;    // bindings' lock
void elf_loader_lock(void);            // recursive
void elf_loader_unlock(void);
void elf_bindings_lock(void);
void elf_bindings_unlock(void);

// One load.
struct elf_loading {
    struct elf_scope fresh;   // new objects, as they were mapped
    struct elf_scope *search; // breadth first: what is being built
    bool is_startup;
    bool is_eager; // every jump slot is bound at once
};

// The object of that name, loaded before or now. needer: whose paths count. is_dependency: it is in
// its DT_NEEDED.
HAL_MUST_CHECK int elf_object_get(struct elf_loading *loading, const char *name,
                                  struct elf_object *needer, bool is_dependency,
                                  struct elf_object **result);
HAL_MUST_CHECK int elf_object_find(const char *name, struct elf_object *needer,
                                   struct elf_object **result); // only what is loaded; or -ENOENT
// Completes a list that starts with its roots: what each object needs, breadth first.
HAL_MUST_CHECK int elf_scope_complete(struct elf_loading *loading, struct elf_scope *scope);
void elf_bind_now_set(bool now); // LD_BIND_NOW, for dlopen
HAL_MUST_CHECK int elf_loading_relocate(struct elf_loading *loading);
void elf_loading_publish(struct elf_loading *loading); // cannot fail after elf_publish_reserve
void elf_loading_undo(struct elf_loading *loading);

// ---- unload.c
void elf_unload_hold(void);    // nothing is unloaded before as many elf_unload_release
void elf_unload_want(void);    // somebody needs something less
void elf_unload_release(void); // unloads what nobody needs, if that was wanted

// ---- init.c
// Each object of scope behind what it needs. for_end: and behind what it is bound to, as far as
// that contradicts no need.
HAL_MUST_CHECK int elf_init_order(const struct elf_scope *scope, bool for_end,
                                  struct elf_object ***order, size_t *count);
void elf_init_objects(struct elf_object **order, size_t count);
void elf_fini_object(struct elf_object *object); // once, if it was initialised

// ---- walk.c
HAL_MUST_CHECK int elf_publish_reserve(size_t more); // room for so many
void elf_publish(struct elf_object *object); // makes it visible to elf_walk and elf_object_of
void elf_unpublish(struct elf_object *object);
void elf_list_lock(void); // recursive
void elf_list_unlock(void);
struct elf_object *elf_object_at(const void *address); // lock-free; NULL: none
// Loader's mutex or list's lock.
struct elf_object *elf_first(void);
struct elf_object *elf_next(const struct elf_object *object);

// ---- debug.c
void elf_debug_register(const struct elf_object *object); // the program's, before it is protected
void elf_debug_update(void);                              // objects have been published
void elf_debug_state(void);

// ---- tls.c
HAL_MUST_CHECK int elf_tls_assign(struct elf_object *object, bool is_startup);
// Somebody who came late uses initial-exec. -ENOMEM: no room, or a thread has a block already.
HAL_MUST_CHECK int elf_tls_make_static(struct elf_object *object);
// The image is as it should be: threads that run already get the static block.
void elf_tls_commit(struct elf_object *object);
void elf_tls_release(struct elf_object *object);     // gives up number and blocks, of all threads
void *elf_tls_data(const struct elf_object *object); // of the calling thread, or NULL

// ---- machine_*.c: what depends on the instruction set
enum elf_relocation_kind {
    ELF_R_UNKNOWN,
    ELF_R_NONE,
    ELF_R_ABSOLUTE,  // S + A
    ELF_R_DATA_SLOT, // S + A
    ELF_R_CALL_SLOT, // S + A, function
    ELF_R_RELATIVE,  // B + A
    ELF_R_COPY,
    ELF_R_INDIRECT, // call B + A
    ELF_R_TLS_MODULE,
    ELF_R_TLS_OFFSET,  // in its module
    ELF_R_TLS_POINTER, // from the thread pointer
    ELF_R_TLS_DESCRIPTOR,
    ELF_R_ABSOLUTE_32,
    ELF_R_RELATIVE_32, // S + A - P
    ELF_R_RELATIVE_64,
    ELF_R_SIZE_32, // Z + A
    ELF_R_SIZE_64,
};
enum { ELF_STUB_SIZE = 32 };

extern const uint16_t elf_machine;
extern const char elf_machine_name[], elf_interpreter[], elf_platform[], elf_lib_token[];
extern const char elf_system_path[];                // where programs believe libc.so.6 to be
extern const char *const elf_default_directories[]; // NULL ends
extern const uint32_t elf_cache_flags;              // of this machine's libraries in ld.so.cache
enum elf_relocation_kind elf_relocation_kind(uint32_t type);
char *elf_resolver_call(char *resolver);
// Where the first use of a jump slot goes, through the linker's code: it calls elf_bind and keeps
// every register that an argument may be in. NULL: jump slots are bound at once here.
extern void (*const elf_bind_entry)(void);
// Writes a function of ELF_STUB_SIZE bytes that calls target(argument).
void elf_stub_write(char *code, void (*target)(void *), void *argument);

// ---- tls_*.c
// Finds room for a module behind used bytes; answers its offset from the thread pointer, and the
// new used.
int64_t elf_tls_place(size_t *used, size_t size, size_t alignment, size_t misalignment);
extern const size_t elf_tls_used_first;
char *elf_tcb_pointer(struct elf_tcb *tcb); // the thread pointer
struct elf_tcb *elf_tcb_self(void);
void elf_tcb_prepare(struct elf_tcb *tcb); // what the ABI wants at the thread pointer
extern const bool elf_descriptors_are_known;
// The functions that a TLS descriptor names; called by the compiler's own convention.
void elf_descriptor_static(void);
void elf_descriptor_dynamic(void);
void elf_descriptor_undefined(void);

void *elf_tls_address_slow(struct elf_tcb *tcb, const struct elf_tls_index *index);

#endif
