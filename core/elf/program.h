// SPDX-License-Identifier: BSD-3-Clause
// program.h: loading a dynamically linked program and its libraries, as ld.so does.
//
// Thread context, may block. Any thread may load, unload, look up and call at once. Sources: System
// V ABI (gABI), x86-64 psABI, Drepper "ELF Handling For Thread-Local Storage".
#ifndef CORE_ELF_PROGRAM_H
#define CORE_ELF_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct elf_object;

enum { ELF_MESSAGE_SIZE = 512 };

// The kernel's own symbols: what libc.so.6, libpthread.so.0, libdl.so.2, librt.so.1,
// ld-linux-x86-64.so.2 (and libutil, libanl, libresolv as far as the table goes) are made of.
// Sorted by name, then version. Registered once by core/libc before elf_load. core/libc/exports.py
// writes the same layout.
struct elf_symbol {
    union {
        void *address;
        int64_t tls_offset; // with is_tls: from the thread pointer
    };
    uint32_t name;   // where in struct elf_symbols' texts
    uint16_t hash;   // the upper half of elf_gnu_hash of the name
    uint8_t version; // which of struct elf_symbols' versions
    bool is_tls : 1;
    bool is_data : 1; // an object programs may take over by COPY relocation
};

// The symbols, and an index by hash: at hash & (bucket_count - 1), or, where that is another
// name's, at the next place and so on, stands 1 + the first symbol of the name; 0 ends.
// bucket_count is a power of two and greater than count.
struct elf_symbols {
    struct elf_symbol *symbols;
    size_t count;
    const uint16_t *buckets;
    size_t bucket_count;
    const char *texts;
    const char *const *versions; // "GLIBC_2.2.5"
};

// A data object that a program may take over by a COPY relocation: when it does, *pointer is set to
// the program's copy.
struct elf_copied {
    const char *name;
    void **pointer;
    size_t size;
};

// Sets is_data of the symbols in copied.
void elf_system_register(const struct elf_symbols *symbols, const struct elf_copied *copied,
                         size_t copied_count);

// The symbols of that name are thread-local at offset from the thread pointer.
void elf_system_tls_set(const char *name, int64_t offset);

// The symbols of that name, a function's, are at address.
void elf_system_address_set(const char *name, void *address);

struct elf_options {
    const char *library_path; // LD_LIBRARY_PATH or NULL
    const char *preload;      // LD_PRELOAD or NULL
    bool bind_now;            // LD_BIND_NOW: no jump slot waits for its first use
    bool bind_verbose;        // --verbose: list every missing symbol at load; implies bind_now
    unsigned trace;           // --debug: enum elf_trace
};

enum elf_trace { ELF_TRACE_LIBS = 1, ELF_TRACE_SYMBOLS = 2 };

// Loads the program at path (a shared object with main, a PIE, or an executable at its link
// address) with everything it needs, and relocates it. Runs no code of it but IFUNC resolvers. On
// failure message holds one line that names the thing and the remedy: -ENOENT -EACCES -ENOEXEC
// -ENOMEM -ELIBACC (79).
HAL_MUST_CHECK int elf_load(const char *path, const struct elf_options *options,
                            struct elf_object **program, char message[ELF_MESSAGE_SIZE]);

// Called, in place of the default (the console and status 127), when the program calls a function
// that nobody defines. Runs on the thread that called; text is one line without its end.
typedef void elf_missing_hook(const char *text);
void elf_missing_register(elf_missing_hook *missing_hook);

// What the program's start-up needs. entry: e_entry, or NULL for a shared object, whose main is
// called directly.
struct elf_start {
    void *entry;
    int (*main)(int, char **, char **); // symbol "main", or NULL
    const void *program_headers;
    size_t program_header_size, program_header_count;
    char *base;
};
void elf_start_get(const struct elf_object *program, struct elf_start *start);

// Initialisers and finalisers in order: dependencies first; preinit_array of the program before
// all. Thread with TLS set up.
void elf_init_run(struct elf_object *program, int argc, char **argv, char **envp,
                  bool skip_program);
void elf_init_run_program(struct elf_object *program, int argc, char **argv, char **envp);
void elf_fini_run(void);

// dlopen and friends. flags are RTLD_* as glibc encodes them. On failure the thread's dlerror text
// is in message.
enum {
    ELF_LAZY = 1,
    ELF_NOW = 2,
    ELF_NOLOAD = 4,
    ELF_DEEPBIND = 8,
    ELF_GLOBAL = 0x100,
    ELF_NODELETE = 0x1000
};
HAL_MUST_CHECK int elf_open(const char *path, int flags, const void *caller,
                            struct elf_object **object, char message[ELF_MESSAGE_SIZE]);
// Unloads what nobody needs any more: finalisers run, then it is unmapped.
HAL_MUST_CHECK int elf_close(struct elf_object *object, char message[ELF_MESSAGE_SIZE]);
// The object that holds address is not unloaded before as many elf_unpin. Answers what elf_unpin
// wants: the object, or NULL where there is nothing to keep.
struct elf_object *elf_pin(const void *address);
void elf_unpin(struct elf_object *object);

// dlsym. handle: an object, or ELF_DEFAULT / ELF_NEXT. version NULL: any. -ENOENT.
#define ELF_DEFAULT ((struct elf_object *)0)
#define ELF_NEXT ((struct elf_object *)-1L)
HAL_MUST_CHECK int elf_symbol_find(struct elf_object *handle, const char *name, const char *version,
                                   const void *caller, void **address);

struct elf_place {             // dladdr
    struct elf_object *object; // as in struct elf_object_info
    const char *object_name;
    char *object_base;
    const char *symbol_name; // NULL: none
    char *symbol_address;
    const void *symbol_entry; // Elf64_Sym; NULL: none
};
// Takes no lock and never blocks: what is unloaded meanwhile may be shown.
bool elf_place_of(const void *address, struct elf_place *place);
bool elf_place_find(const void *address, struct elf_place *place); // the same, and waits for loads

// Where the image's packages have their libraries, and folders of what belongs to those.
const char *elf_library_directory(void);

// dlinfo.
const char *elf_origin_of(const struct elf_object *object);
size_t elf_tls_module_of(const struct elf_object *object); // 0: none
void *elf_tls_block_of(const struct elf_object *object);   // the calling thread's, or NULL
const void *elf_headers_of(const struct elf_object *object, size_t *count);
// Each directory that the object's own look-ups search, in order.
HAL_MUST_CHECK int elf_search_walk(const struct elf_object *object,
                                   void (*visit)(const char *directory, void *argument),
                                   void *argument);

// Functions by the symbol tables in files (.symtab), which have more names than what is loaded.
enum { ELF_NAME_SIZE = 256 };

struct elf_function {
    const char *name;
    char *start;
    size_t size; // 0: unknown
};

// The function that address is in. may_read: files may be read now, else core's own functions alone
// are found. False: no file says.
bool elf_function_of(const void *address, bool may_read, struct elf_function *function,
                     char name[ELF_NAME_SIZE]);

// Calls visit for each function of each object that this has not been done for before, in order of
// loading; by the dynamic symbols where there is no .symtab. For the hook below.
void elf_functions_walk_new(void (*visit)(const struct elf_function *function, void *argument),
                            void *argument);

// What a core file's header says of the machine.
uint16_t elf_machine_number(void);

// A loaded segment of core's own image, in whole pages. False: there are not so many.
struct elf_image_part {
    char *start;
    size_t size;
    unsigned prot;
};
bool elf_image_part(size_t index, struct elf_image_part *part);
const char *elf_image_scratch(size_t *size); // hal_boot.scratch

// The same as elf_start_get, of the program that was loaded. False: none was.
bool elf_program_start_get(struct elf_start *start);

// hook is called with the loader's mutex whenever objects have been loaded, before their
// initialisers, or unloaded.
void elf_loaded_hook_set(void (*hook)(void));

struct elf_object_info { // dl_iterate_phdr
    // Begins as glibc's struct link_map, as does every handle of elf_open. NULL: core's own image.
    struct elf_object *object;
    char *base;
    const char *name;
    const void *program_headers;
    uint16_t program_header_count;
    uint64_t added, removed;
    size_t tls_module;
    void *tls_data; // of the calling thread, or NULL
    char *map_start, *map_end;
    const void *eh_frame_header;
};
int elf_walk(int (*visit)(const struct elf_object_info *object, void *argument), void *argument);
bool elf_object_of(const void *address, struct elf_object_info *info); // _dl_find_object; lock-free
// core's own image (hal_boot.image) takes part in elf_walk and elf_object_of, so exceptions pass
// through core's frames.
void elf_image_register(const struct hal_boot *boot);

#endif
