// SPDX-License-Identifier: BSD-3-Clause
// elf_test.c: the loader against real libraries of this host, whole and damaged, and against the
// host's own dlsym.
#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/elf/object.h"
#include "core/elf/program.h"
#include "core/elf/tls.h"
#include "core/sync/shrinker.h"
#include "core/vfs/vfs.h"
#include "elf_host.h"

#define LIBRARIES "/lib/x86_64-linux-gnu/"

static char message[ELF_MESSAGE_SIZE];

static struct elf_object *map_only(const char *path)
{
    struct file *file;
    elf_message_begin(message);
    ck_assert_int_eq(vfs_open(NULL, path, 0, 0, &file), 0);
    struct elf_object *object = elf_object_create(path);
    int error = elf_file_load(object, file);
    file_put(file);
    ck_assert_msg(error == 0 && elf_dynamic_read(object) == 0, "%s", message);
    return object;
}

START_TEST(hash_functions_are_the_abis)
{
    ck_assert_uint_eq(elf_gnu_hash(""), 0x1505);
    ck_assert_uint_eq(elf_gnu_hash("printf"), 0x156b2bb8);
    ck_assert_uint_eq(elf_gnu_hash("flapenguin.me"), 0x8ae9f18e);
    ck_assert_uint_eq(elf_sysv_hash("printf"), 0x077905a6);
    ck_assert_uint_eq(elf_sysv_hash("GLIBC_2.2.5"), 0x09691a75);
}
END_TEST

static void *load_address(void *handle)
{
    struct link_map *map;
    ck_assert_int_eq(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    return (void *)map->l_addr;
}

// Every symbol that the library defines, with its version and without one, is found where the host
// finds it.
static void compare_with_host(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW);
    ck_assert_ptr_nonnull(handle);
    char *host_base = load_address(handle);
    struct elf_object *object = map_only(path);
    size_t count = elf_symbol_count(object), compared = 0;
    for (size_t i = 1; i < count; i++) {
        const struct elf_symbol_entry *entry = &object->symbols[i];
        unsigned type = elf_symbol_type(entry);
        if (entry->section == ELF_SHN_UNDEF || type == ELF_STT_TLS || type == ELF_STT_IFUNC ||
            entry->section == ELF_SHN_ABS) {
            continue;
        }
        const char *name = object->strings + entry->name;
        const struct elf_version *version = elf_symbol_version(object, i);
        struct elf_reference reference;
        struct elf_definition found;
        elf_reference_make(&reference, name, version, 0);
        ck_assert_msg(elf_lookup_in(object, &reference, &found), "%s is not found", name);
        char *host = version == NULL ? dlsym(handle, name) : dlvsym(handle, name, version->name);
        ck_assert_msg((uint64_t)(host - host_base) == found.entry->value, "%s", name);
        elf_reference_make(&reference, name, NULL, ELF_LOOKUP_NEWEST);
        if (elf_lookup_in(object, &reference, &found) &&
            elf_symbol_type(found.entry) != ELF_STT_IFUNC) {
            ck_assert_msg((uint64_t)((char *)dlsym(handle, name) - host_base) == found.entry->value,
                          "%s", name);
        }
        compared++;
    }
    ck_assert_uint_gt(compared, 20);
    elf_object_destroy(object);
    dlclose(handle);
}

START_TEST(lookups_agree_with_the_host)
{
    compare_with_host(LIBRARIES "libz.so.1");
    compare_with_host("/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
    compare_with_host(LIBRARIES "libm.so.6");
    compare_with_host(LIBRARIES "libgcc_s.so.1");
}
END_TEST

START_TEST(a_name_that_is_not_there_is_not_found)
{
    struct elf_object *object = map_only(LIBRARIES "libz.so.1");
    struct elf_version version = {
        .name = "ZLIB_9.9", .hash = elf_sysv_hash("ZLIB_9.9"), .is_hidden = true};
    struct elf_reference reference;
    struct elf_definition found;
    elf_reference_make(&reference, "no_such_function", NULL, 0);
    ck_assert(!elf_lookup_in(object, &reference, &found));
    elf_reference_make(&reference, "gzopen64", &version, 0);
    ck_assert(!elf_lookup_in(object, &reference, &found));
    elf_object_destroy(object);
}
END_TEST

// Without a version the newest counts, as dlsym has it; with one, that one.
START_TEST(the_systems_symbols_are_chosen_by_version)
{
    size_t compared = 0;
    const struct elf_symbol *symbols;
    size_t count = host_system_symbols(&symbols);
    for (size_t i = 0; i < count; i++) {
        const char *name = host_system_name(&symbols[i]);
        void *address, *host = dlsym(dlopen("libc.so.6", RTLD_NOW), name);
        if (symbols[i].is_tls || strcmp(name, "_rtld_global_ro") == 0 || host == NULL) {
            continue;
        }
        ck_assert_int_eq(elf_symbol_find(&elf_system, name, NULL, NULL, &address), 0);
        ck_assert_msg(address == host, "%s", name);
        ck_assert_int_eq(
            elf_symbol_find(&elf_system, name, host_system_version(&symbols[i]), NULL, &address),
            0);
        ck_assert_ptr_eq(address, symbols[i].address);
        ck_assert_int_ne(elf_symbol_find(&elf_system, name, "GLIBC_1.0", NULL, &address), 0);
        compared++;
    }
    ck_assert_uint_gt(compared, 2000);
}
END_TEST

extern const char __ehdr_start[];

START_TEST(the_kernels_image_takes_part)
{
    struct elf_object_info info;
    struct elf_place place;
    ck_assert(!elf_object_of(the_kernels_image_takes_part_fn, &info));
    elf_image_register(&(struct hal_boot){.image = __ehdr_start, .image_size = 4096});
    ck_assert(elf_object_of(the_kernels_image_takes_part_fn, &info));
    ck_assert_ptr_nonnull(info.eh_frame_header);
    ck_assert_ptr_eq(info.base, __ehdr_start);
    ck_assert(elf_place_of(the_kernels_image_takes_part_fn, &place));
    ck_assert_str_eq(place.object_name, "/lib/x86_64-linux-gnu/libc.so.6");
}
END_TEST

static int places_check(const struct elf_object_info *info, void *argument)
{
    struct elf_object_info found;
    (*(int *)argument)++;
    ck_assert(elf_object_of(info->map_start, &found));
    ck_assert_ptr_eq(found.base, info->base);
    ck_assert(elf_object_of(info->map_end - 1, &found));
    ck_assert_ptr_eq(found.base, info->base);
    return 0;
}

START_TEST(every_object_is_found_by_address)
{
    static const char *const names[] = {"libz.so.1", "liblzma.so.5", "libbz2.so.1.0",
                                        "libgcc_s.so.1", "libtinfo.so.6"};
    struct elf_object *object;
    int count = 0;
    for (int i = 0; i < 5; i++) {
        ck_assert_msg(elf_open(names[i], ELF_NOW, NULL, &object, message) == 0, "%s", message);
    }
    ck_assert_int_eq(elf_walk(places_check, &count), 0);
    ck_assert_int_eq(count, 5);
    struct elf_object_info info;
    ck_assert(!elf_object_of(&count, &info));
    ck_assert(!elf_object_of(NULL, &info));
}
END_TEST

START_TEST(a_library_is_loaded_and_called)
{
    struct elf_object *object;
    int error = elf_open("libz.so.1", ELF_NOW, NULL, &object, message);
    ck_assert_msg(error == 0, "%s", message);
    void *address;
    ck_assert_int_eq(elf_symbol_find(object, "crc32", NULL, NULL, &address), 0);
    unsigned long (*crc32)(unsigned long, const char *, unsigned) = (void *)address;
    ck_assert_uint_eq(crc32(0, "123456789", 9), 0xcbf43926);
    struct elf_place place;
    ck_assert(elf_place_of((char *)address + 1, &place));
    ck_assert_str_eq(place.symbol_name, "crc32");
    ck_assert_ptr_eq(place.symbol_address, address);
    struct elf_object_info info;
    ck_assert(elf_object_of(address, &info));
    ck_assert_ptr_nonnull(info.eh_frame_header);
    ck_assert_ptr_eq(info.base, place.object_base);
    struct elf_object *again;
    ck_assert_int_eq(elf_open(LIBRARIES "libz.so.1", ELF_NOW, NULL, &again, message), 0);
    ck_assert_ptr_eq(again, object);
    ck_assert_int_eq(elf_close(object, message), 0);
    ck_assert_int_eq(elf_close(object, message), 0);
    ck_assert_int_ne(elf_close(object, message), 0);
    ck_assert_int_eq(host_open_files(), 0);
}
END_TEST

static size_t shrink(bool may_wait)
{
    ck_assert_ptr_nonnull(host_shrinker);
    return host_shrinker->shrink(host_shrinker, SIZE_MAX, may_wait);
}

START_TEST(where_libraries_are_is_forgotten_and_read_again)
{
    static const char *const names[] = {"libz.so.1", "liblzma.so.5"};
    for (size_t i = 0; i < 2; ++i) {
        struct elf_object *object;
        ck_assert_int_eq(elf_open(names[i], ELF_NOW, NULL, &object, message), 0);
        ck_assert_uint_gt(shrink(i == 0), 0); // bytes of /etc/ld.so.cache
        ck_assert_uint_eq(shrink(i == 0), 0);
        ck_assert_int_eq(elf_close(object, message), 0);
    }
}
END_TEST

START_TEST(a_library_that_is_closed_leaves_nothing)
{
    struct elf_object *object, *kept;
    struct elf_object_info info;
    ck_assert_int_eq(elf_open("libz.so.1", ELF_NOW, NULL, &kept, message), 0);
    size_t before = host_mapped_bytes();
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(elf_open("liblzma.so.5", ELF_NOW, NULL, &object, message), 0);
        void *address;
        ck_assert_int_eq(elf_symbol_find(object, "lzma_version_number", NULL, NULL, &address), 0);
        ck_assert(elf_object_of(address, &info));
        ck_assert_int_eq(elf_close(object, message), 0);
        ck_assert(!elf_object_of(address, &info));
        ck_assert_uint_eq(host_mapped_bytes(), before);
        ck_assert_uint_eq(info.removed, (uint64_t)round);
        ck_assert_int_ne(elf_close(object, message), 0);
    }
    ck_assert_int_eq(elf_close(kept, message), 0);
}
END_TEST

START_TEST(functions_may_be_chosen_by_resolvers)
{
    struct elf_object *object;
    ck_assert_msg(elf_open("libm.so.6", ELF_NOW, NULL, &object, message) == 0, "%s", message);
    void *address;
    ck_assert_int_eq(elf_symbol_find(object, "floor", NULL, NULL, &address), 0);
    ck_assert(((double (*)(double))address)(1.5) == 1.0);
}
END_TEST

// ---- Damaged files

static char *bytes_read(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY);
    struct stat status;
    ck_assert_int_eq(fstat(fd, &status), 0);
    *size = (size_t)status.st_size;
    char *bytes = malloc(*size);
    ck_assert_int_eq(read(fd, bytes, *size), (ssize_t)*size);
    close(fd);
    return bytes;
}

// A file without a disk under it, by its name.
static const char *temporary_name(void)
{
    static char name[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("elf_test", 0);
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return name;
}

static void bytes_write(const char *bytes, size_t size)
{
    int fd = open(temporary_name(), O_WRONLY | O_TRUNC);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

// Loads without running initialisers, and takes it away again.
static int relocate_only(const char *path)
{
    struct file *file;
    message[0] = '\0';
    elf_message_begin(message);
    ck_assert_int_eq(vfs_open(NULL, path, 0, 0, &file), 0);
    struct elf_object *object = elf_object_create(path);
    struct elf_object *objects[] = {object, &elf_system};
    struct elf_scope scope = {objects, 2, 2};
    int error = elf_file_load(object, file);
    error = error != 0 ? error : elf_dynamic_read(object);
    error = error != 0 ? error : elf_tls_assign(object, false);
    error = error != 0 ? error : elf_relocate(object, &scope);
    error = error != 0 ? error : elf_relro_protect(object);
    struct elf_place place;
    elf_place_of(object->map_start, &place);
    elf_indirect_forget();
    elf_unique_forget(object);
    elf_missing_forget(object);
    elf_tls_release(object);
    file_put(file);
    elf_object_destroy(object);
    ck_assert(error == 0 || message[0] != '\0');
    return error;
}

START_TEST(a_truncated_file_is_refused)
{
    size_t size;
    char *bytes = bytes_read(LIBRARIES "libz.so.1", &size);
    const char *name = temporary_name();
    size_t before = host_mapped_bytes();
    for (size_t length = 0; length < size; length += length < 8192 ? 61 : 1999) {
        bytes_write(bytes, length);
        int error = relocate_only(name);
        // What follows the last segment's bytes (section headers, names) is not needed.
        ck_assert_msg(error != 0 || length > size - 8192, "%zu bytes of %zu load", length, size);
        ck_assert_msg(host_mapped_bytes() - before <= 1 << 20, "mappings are left");
    }
    ck_assert_int_eq(host_open_files(), 0);
    free(bytes);
}
END_TEST

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

// Bytes of the headers and of the tables are changed; the loader must say so or not care, and never
// crash.
START_TEST(a_damaged_file_is_survived)
{
    static const char *const paths[] = {LIBRARIES "libz.so.1", LIBRARIES "libgcc_s.so.1"};
    size_t size;
    char *bytes = bytes_read(paths[_i % 2], &size);
    const char *name = temporary_name();
    uint32_t state = (uint32_t)_i + 1;
    // Headers, hash, symbols and relocations of these libraries lie in the first pages; the dynamic
    // section near the end.
    size_t table_end = 0x2800 < size ? 0x2800 : size, tail = size - 8192;
    for (int round = 0; round < 300; round++) {
        char *damaged = malloc(size);
        memcpy(damaged, bytes, size);
        for (int flip = 0; flip < 1 + round % 4; flip++) {
            size_t place = round % 3 == 0   ? random_next(&state) % 64
                           : round % 3 == 1 ? random_next(&state) % table_end
                                            : tail + random_next(&state) % 8192;
            if (round % 3 == 0) {
                place += random_next(&state) % 512;
            }
            damaged[place] = (char)(round % 5 == 0 ? 0xff : random_next(&state));
        }
        bytes_write(damaged, size);
        relocate_only(name);
        free(damaged);
    }
    ck_assert_int_eq(host_open_files(), 0);
    free(bytes);
}
END_TEST

START_TEST(random_bytes_are_refused)
{
    char bytes[4096];
    uint32_t state = 7;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (char)random_next(&state);
        }
        if (round % 2 == 0) {
            memcpy(bytes, "\177ELF\2\1\1", 7);
        }
        bytes_write(bytes, sizeof(bytes));
        ck_assert_int_ne(relocate_only(temporary_name()), 0);
    }
}
END_TEST

static void expect_refusal(const char *bytes, size_t size, const char *reason)
{
    struct elf_object *program;
    struct elf_options options = {0};
    bytes_write(bytes, size);
    int error = elf_load(temporary_name(), &options, &program, message);
    ck_assert_int_lt(error, 0);
    ck_assert_msg(strstr(message, reason) != NULL, "\"%s\" does not say \"%s\"", message, reason);
    ck_assert_ptr_null(strchr(message, '\n'));
}

START_TEST(a_refusal_says_why)
{
    struct elf_object *program;
    struct elf_options options = {0};
    ck_assert_int_eq(elf_load("/no/such/file", &options, &program, message), -2);
    ck_assert_ptr_nonnull(strstr(message, "/no/such/file: no such file"));
    ck_assert_int_lt(elf_load("/tmp", &options, &program, message), 0);
    ck_assert_ptr_nonnull(strstr(message, "directory"));
    expect_refusal("", 0, "not an ELF file");
    expect_refusal("hello, world, this is a text", 28, "not an ELF file");
    size_t size;
    char *bytes = bytes_read("/usr/bin/env", &size);
    expect_refusal(bytes, 50, "truncated");
    expect_refusal(bytes, size / 2, "truncated");
    bytes[18] = (char)183;
    expect_refusal(bytes, size, "aarch64");
    bytes[18] = 62;
    bytes[4] = 1;
    expect_refusal(bytes, size, "32 bits");
    bytes[4] = 2;
    bytes[16] = 1;
    expect_refusal(bytes, size, "object file");
    bytes[16] = 3;
    char *interpreter = memmem(bytes, size, "/lib64/ld-linux", 15);
    memcpy(interpreter, "/lib/ld-musl-x86_64.so.1\0\0\0", 27);
    expect_refusal(bytes, size, "another C library");
    free(bytes);
    ck_assert_int_eq(elf_load(LIBRARIES "libz.so.1", &options, &program, message), -8);
    ck_assert_ptr_nonnull(strstr(message, "main"));
    ck_assert_int_eq(host_open_files(), 0);
}
END_TEST

// Every allocation and mapping of a load fails once; the load fails, and afterwards works.
START_TEST(running_out_of_memory_leaves_nothing)
{
    struct elf_object *object;
    int failures = 0;
    ck_assert_int_eq(elf_open("libz.so.1", ELF_NOW, NULL, &object, message), 0);
    size_t before = host_mapped_bytes();
    for (int count = 0; count < 200; count++) {
        host_memory_fail_after(count);
        int error = elf_open("liblzma.so.5", ELF_NOW, NULL, &object, message);
        host_memory_fail_after(-1);
        if (error == 0) {
            break;
        }
        failures++;
        ck_assert(message[0] != '\0');
        ck_assert_uint_eq(host_mapped_bytes(), before);
        ck_assert_int_eq(host_open_files(), 0);
    }
    ck_assert_int_gt(failures, 5);
    void *address;
    ck_assert_int_eq(elf_symbol_find(object, "lzma_version_number", NULL, NULL, &address), 0);
    ck_assert_uint_gt(((unsigned (*)(void))address)(), 50000000);
}
END_TEST

// ---- A program

START_TEST(a_program_is_relocated)
{
    struct elf_object *program;
    struct elf_options options = {0};
    ck_assert_msg(
        elf_load(_i == 0 ? "/usr/bin/env" : "/usr/bin/bash", &options, &program, message) == 0,
        "%s", message);
    struct elf_start start;
    elf_start_get(program, &start);
    ck_assert_ptr_nonnull(start.entry);
    struct elf_object_info info;
    ck_assert(elf_object_of(start.entry, &info));
    ck_assert_str_eq(info.name, "");
    ck_assert_int_eq(host_open_files(), 0);
}
END_TEST

// ---- Thread-local storage

START_TEST(static_blocks_keep_their_alignment)
{
    uint32_t state = (uint32_t)_i + 1;
    size_t used = elf_tls_used_first, blocks[32][2], count = 32;
    for (size_t i = 0; i < count; i++) {
        size_t alignment = (size_t)1 << random_next(&state) % 9;
        size_t size = 1 + random_next(&state) % 500;
        size_t misalignment = random_next(&state) % 3 == 0 ? random_next(&state) % alignment : 0;
        int64_t offset = elf_tls_place(&used, size, alignment, misalignment);
        ck_assert_uint_eq((uint64_t)offset & (alignment - 1), misalignment);
        ck_assert_int_le(offset + (int64_t)size, 0);
        ck_assert_uint_le((size_t)-offset, used);
        for (size_t other = 0; other < i; other++) {
            ck_assert((size_t)(-offset) - size >= blocks[other][0] ||
                      (size_t)-offset <= blocks[other][1]);
        }
        blocks[i][0] = (size_t)-offset;
        blocks[i][1] = (size_t)-offset - size;
    }
}
END_TEST

START_TEST(the_first_block_is_where_the_linker_put_it)
{
    size_t used = 0;
    ck_assert_int_eq(elf_tls_place(&used, 1, 1, 0), -1);
    used = 0;
    ck_assert_int_eq(elf_tls_place(&used, 20, 16, 0), -32);
    used = 0;
    ck_assert_int_eq(elf_tls_place(&used, 4096, 4096, 0), -4096);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("elf");
    TCase *whole = tcase_create("whole");
    tcase_add_checked_fixture(whole, host_system_register, NULL);
    tcase_set_timeout(whole, 60);
    tcase_add_test(whole, hash_functions_are_the_abis);
    tcase_add_test(whole, lookups_agree_with_the_host);
    tcase_add_test(whole, a_name_that_is_not_there_is_not_found);
    tcase_add_test(whole, the_systems_symbols_are_chosen_by_version);
    tcase_add_test(whole, the_kernels_image_takes_part);
    tcase_add_test(whole, every_object_is_found_by_address);
    tcase_add_test(whole, a_library_is_loaded_and_called);
    tcase_add_test(whole, where_libraries_are_is_forgotten_and_read_again);
    tcase_add_test(whole, a_library_that_is_closed_leaves_nothing);
    tcase_add_test(whole, functions_may_be_chosen_by_resolvers);
    tcase_add_test(whole, running_out_of_memory_leaves_nothing);
    tcase_add_loop_test(whole, a_program_is_relocated, 0, 2);
    tcase_add_loop_test(whole, static_blocks_keep_their_alignment, 0, 20);
    tcase_add_test(whole, the_first_block_is_where_the_linker_put_it);
    suite_add_tcase(suite, whole);
    TCase *bad = tcase_create("bad");
    tcase_add_checked_fixture(bad, host_system_register, NULL);
    tcase_set_timeout(bad, 120);
    tcase_add_test(bad, a_truncated_file_is_refused);
    tcase_add_loop_test(bad, a_damaged_file_is_survived, 0, 6);
    tcase_add_test(bad, random_bytes_are_refused);
    tcase_add_test(bad, a_refusal_says_why);
    suite_add_tcase(suite, bad);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
