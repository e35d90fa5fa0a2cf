// SPDX-License-Identifier: BSD-3-Clause
// disk.c: a disk that boots by BIOS and by UEFI (UEFI 2.10, 5.3 "GUID Partition Table"), without a
// mount and without the rights of root.
//
// Sector 0 is GRUB's first stage, which loads its second from the partition "BIOS boot". UEFI
// starts the file /EFI/BOOT/BOOTX64.EFI of the second partition, which is FAT. Both have the
// commands built in that load kernel and module, two files of that partition, and start the kernel
// by Multiboot2. A root that is not loaded is the third partition.
#include "sim/image/disk.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/image/command.h"
#include "sim/image/fail.h"
#include "sim/image/kernel.h"
#include "sim/image/output.h"
#include "sim/image/scratch.h"

enum {
    SECTOR = 512,
    ENTRY_COUNT = 128,
    TAKEN_MAX = 3, // of them
    ENTRIES_SECTORS = 32,
    BIOS_FIRST = 34,    // behind the table
    FILES_FIRST = 2048, // 1 MiB
    FILES_UNIT = 1 << 20,
    CLUSTER = 4096,
    DIRECTORIES_SIZE = 32 * CLUSTER,
    TABLE_PART = 200,       // a cluster has 4 bytes in each of two tables
    FIRST_DATE = 315532800, // 1980
    BIG_FILES = 200 << 20,  // for FAT16 with that cluster: from there on FAT32, with half of it
};

#define BIOS_DIRECTORY "/usr/lib/grub/i386-pc"
#define UEFI_DIRECTORY "/usr/lib/grub/x86_64-efi"
#define KERNEL_NAME "/osv/kernel.elf"
#define MODULE_NAME "/osv/root.img"

static const char commands[] = "multiboot2 " KERNEL_NAME "\nmodule2 " MODULE_NAME "\nboot\n";

// ---- GRUB --------------------------------------------------------------------------

static void package_check(const char *file, const char *package)
{
    if (access(file, R_OK) != 0) {
        fail(EXIT_FAILED, "%s: not found; the package %s has it", file, package);
    }
}

struct loaders {
    char *bios, *uefi; // files
};

static void loaders_make(struct loaders *loaders)
{
    char *script = scratch_path("grub.cfg");
    struct output *output = output_open(script);
    output_write(output, commands, sizeof commands - 1);
    output_close(output);
    package_check(BIOS_DIRECTORY "/boot.img", "grub-pc-bin");
    package_check(UEFI_DIRECTORY "/moddep.lst", "grub-efi-amd64-bin");
    loaders->bios = scratch_path("bios.img");
    loaders->uefi = scratch_path("uefi.img");
    command_run("grub-common",
                (const char *const[]){"grub-mkimage", "-O", "i386-pc", "-d", BIOS_DIRECTORY, "-o",
                                      loaders->bios, "-p", "(,gpt2)/osv", "-c", script, "biosdisk",
                                      "part_gpt", "fat", "multiboot2", NULL});
    command_run("grub-common",
                (const char *const[]){"grub-mkimage", "-O", "x86_64-efi", "-d", UEFI_DIRECTORY,
                                      "-o", loaders->uefi, "-p", "/osv", "-c", script, "part_gpt",
                                      "fat", "multiboot2", NULL});
    free(script);
}

static void put(char *at, uint64_t value, size_t size)
{
    value = htole64(value);
    memcpy(at, &value, size);
}

// What grub-bios-setup writes into the first stage: where the second begins, and that the drive is
// the one that firmware says.
static void first_stage_set(char *sector)
{
    enum { SECOND_AT = 0x5c, DRIVE_AT = 0x64, DRIVE_CHECK_AT = 0x66, CODE_SIZE = 440 };
    size_t size;
    char *boot = file_read(BIOS_DIRECTORY "/boot.img", &size);
    if (size != SECTOR) {
        fail(EXIT_FAILED, BIOS_DIRECTORY "/boot.img: is not GRUB's first stage");
    }
    memcpy(sector, boot, CODE_SIZE);
    put(sector + SECOND_AT, BIOS_FIRST, 8);
    sector[DRIVE_AT] = (char)0xff;
    memset(sector + DRIVE_CHECK_AT, 0x90, 2); // no jump
    free(boot);
}

// And into the second, whose first sector loads the others.
static void second_stage_write(struct output *output, const char *file)
{
    enum { LIST_AT = SECTOR - 12, SEGMENT = 0x820 };
    size_t size;
    char *stage = file_read(file, &size);
    const uint64_t count = (size + SECTOR - 1) / SECTOR;
    if (size <= SECTOR || BIOS_FIRST + count > FILES_FIRST) {
        fail(EXIT_FAILED, "grub-mkimage made a second stage of %zu bytes, which does not fit",
             size);
    }
    put(stage + LIST_AT, BIOS_FIRST + 1, 8);
    put(stage + LIST_AT + 8, count - 1, 2);
    put(stage + LIST_AT + 10, SEGMENT, 2);
    output_write(output, stage, size);
    free(stage);
}

// ---- The partition of files ---------------------------------------------------------

// FAT knows no date before 1980; mtools dates everything by this.
static void date_set(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    if (epoch == NULL || atoll(epoch) < FIRST_DATE) {
        char *text = text_make("%d", FIRST_DATE);
        setenv("SOURCE_DATE_EPOCH", text, 1);
        free(text);
    }
}

static void partition_make(const char *partition, uint64_t size)
{
    const bool is_big = size > BIG_FILES;
    char *sectors = text_make("%llu", (unsigned long long)(size / SECTOR));
    date_set();
    command_run("mtools", (const char *const[]){"mformat", "-C", "-i", partition, "-T", sectors,
                                                "-h", "16", "-s", "32", "-N", "05c0ffee", "-v",
                                                "OSV", "-c", is_big ? "4" : "8",
                                                is_big ? "-F" : "::", is_big ? "::" : NULL, NULL});
    command_run("mtools", (const char *const[]){"mmd", "-i", partition, "::/EFI", "::/EFI/BOOT",
                                                "::/osv", NULL});
    free(sectors);
}

// A file of the scratch directory that is one partition. Its sectors.
static uint64_t files_make(const char *partition, const char *loader, const char *kernel,
                           const char *module)
{
    const char *const files[][2] = {{loader, "::/EFI/BOOT/BOOTX64.EFI"},
                                    {kernel, "::" KERNEL_NAME},
                                    {module, "::" MODULE_NAME}};
    const size_t file_count = sizeof files / sizeof files[0];
    uint64_t size = DIRECTORIES_SIZE;
    for (size_t i = 0; i < file_count; ++i) {
        size += (file_size(files[i][0]) + CLUSTER - 1) / CLUSTER * CLUSTER;
    }
    size += size / TABLE_PART;
    size = (size / FILES_UNIT + 1) * FILES_UNIT;
    partition_make(partition, size);
    for (size_t i = 0; i < file_count; ++i) {
        command_run("mtools", (const char *const[]){"mcopy", "-i", partition, files[i][0],
                                                    files[i][1], NULL});
    }
    return size / SECTOR;
}

// ---- The table of partitions ----------------------------------------------------------

struct table_header {
    char signature[8];
    uint32_t revision, size, checksum, reserved;
    uint64_t own, other, first, last;
    char disk[16];
    uint64_t entries;
    uint32_t entry_count, entry_size, entries_checksum;
} __attribute__((packed));

struct table_entry {
    char type[16], own[16];
    uint64_t first, last, attributes;
    uint16_t name[36];
};

_Static_assert(sizeof(struct table_header) == 92, "UEFI 2.10, table 5.5");
_Static_assert(sizeof(struct table_entry) == 128, "UEFI 2.10, table 5.6");

struct table {
    struct table_entry entries[ENTRY_COUNT];
    uint64_t sector_count; // of the disk
};

static uint32_t checksum(const void *bytes, size_t size)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; ++i) {
        sum ^= ((const unsigned char *)bytes)[i];
        for (int bit = 0; bit < 8; ++bit) {
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
        }
    }
    return ~sum;
}

static void entry_set(struct table_entry *entry, const char type[16], const uint8_t id[16],
                      const char *name, uint64_t first, uint64_t last)
{
    memcpy(entry->type, type, sizeof entry->type);
    memcpy(entry->own, id, sizeof entry->own);
    entry->first = htole64(first);
    entry->last = htole64(last);
    for (size_t i = 0; name[i] != 0; ++i) {
        entry->name[i] = htole16((unsigned char)name[i]);
    }
}

// root_count: sectors of the third partition; 0: there is none.
static void table_fill(struct table *table, uint64_t files_count, uint64_t root_count,
                       const uint8_t root_id[DISK_ID_SIZE])
{
    static const char bios_type[] = "Hah!IdontNeedEFI";
    static const char uefi_type[] =
        "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\0\xa0\xc9\x3e\xc9\x3b";
    static const char data_type[] = // Linux's, for any file system
        "\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4";
    static const uint8_t ids[][16] = {"OSv image, part1", "OSv image, part2"};
    const uint64_t root_first = FILES_FIRST + files_count;
    *table = (struct table){.sector_count = root_first + root_count + FILES_UNIT / SECTOR};
    entry_set(&table->entries[0], bios_type, ids[0], "BIOS boot", BIOS_FIRST, FILES_FIRST - 1);
    entry_set(&table->entries[1], uefi_type, ids[1], "files", FILES_FIRST, root_first - 1);
    if (root_count != 0) {
        entry_set(&table->entries[2], data_type, root_id, "root", root_first,
                  root_first + root_count - 1);
    }
}

// The header in sector own, whose twin is in sector other.
static void header_write(struct output *output, const struct table *table, uint64_t own,
                         uint64_t other)
{
    char sector[SECTOR] = {0};
    struct table_header header = {
        .signature = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'},
        .revision = htole32(0x10000),
        .size = htole32(sizeof header),
        .own = htole64(own),
        .other = htole64(other),
        .first = htole64(BIOS_FIRST),
        .last = htole64(table->sector_count - ENTRIES_SECTORS - 2),
        .disk = "OSv image, disk",
        .entries = htole64(own == 1 ? 2 : own - ENTRIES_SECTORS),
        .entry_count = htole32(ENTRY_COUNT),
        .entry_size = htole32(sizeof(struct table_entry)),
        .entries_checksum = htole32(checksum(table->entries, sizeof table->entries)),
    };
    header.checksum = htole32(checksum(&header, sizeof header));
    memcpy(sector, &header, sizeof header);
    output_write(output, sector, sizeof sector);
}

// For those that know no other table: one partition that is everything.
static void old_table_set(char *sector, uint64_t sector_count)
{
    enum { ENTRY_AT = 446, KIND_PROTECTIVE = 0xee, SIGNATURE_AT = 510 };
    const uint64_t count = sector_count - 1;
    memcpy(sector + ENTRY_AT, "\0\0\2\0\xee\xff\xff\xff", 8);
    put(sector + ENTRY_AT + 8, 1, 4);
    put(sector + ENTRY_AT + 12, count < UINT32_MAX ? count : UINT32_MAX, 4);
    put(sector + SIGNATURE_AT, 0xaa55, 2);
}

static uint64_t sectors_of(const char *file)
{
    return (file_size(file) + FILES_UNIT - 1) / FILES_UNIT * (FILES_UNIT / SECTOR);
}

void disk_write(const struct kernel *kernel, const struct disk_parts *parts, const char *path)
{
    struct loaders loaders;
    static struct table table;
    char sector[SECTOR] = {0};
    char *kernel_file = scratch_path("kernel.elf"), *partition = scratch_path("partition");
    loaders_make(&loaders);
    kernel_write(kernel, kernel_file);
    table_fill(&table, files_make(partition, loaders.uefi, kernel_file, parts->module),
               parts->root == NULL ? 0 : sectors_of(parts->root), parts->id);
    first_stage_set(sector);
    old_table_set(sector, table.sector_count);
    struct output *output = output_open(path);
    output_write(output, sector, sizeof sector);
    header_write(output, &table, 1, table.sector_count - 1);
    output_write(output, table.entries, sizeof table.entries);
    second_stage_write(output, loaders.bios);
    output_pad(output, (uint64_t)FILES_FIRST * SECTOR);
    output_copy(output, partition);
    if (parts->root != NULL) {
        output_copy(output, parts->root);
    }
    output_pad(output, (table.sector_count - ENTRIES_SECTORS - 1) * SECTOR);
    output_write(output, table.entries, sizeof table.entries);
    header_write(output, &table, table.sector_count - 1, 1);
    output_close(output);
    free(kernel_file);
    free(partition);
    free(loaders.bios);
    free(loaders.uefi);
}

// ---- Reading it again -----------------------------------------------------------------

void disk_pack(const char *raw, const char *path)
{
    command_run("qemu-utils", (const char *const[]){"qemu-img", "convert", "-f", "raw", "-O",
                                                    "qcow2", raw, path, NULL});
}

void disk_unpack(const char *path, const char *raw)
{
    command_run("qemu-utils", (const char *const[]){"qemu-img", "convert", "-f", "qcow2", "-O",
                                                    "raw", path, raw, NULL});
}

bool disk_is_raw(const char *bytes, size_t size)
{
    return size > 2 * SECTOR + sizeof(struct table_entry) * TAKEN_MAX &&
           memcmp(bytes + SECTOR, "EFI PART", 8) == 0;
}

bool disk_is_packed(const char *bytes, size_t size)
{
    return size > SECTOR && memcmp(bytes, "QFI\xfb", 4) == 0;
}

bool disk_partition(const char *bytes, size_t size, unsigned number, struct disk_place *place)
{
    struct table_entry entry;
    memcpy(&entry, bytes + 2 * SECTOR + (number - 1) * sizeof entry, sizeof entry);
    const uint64_t first = le64toh(entry.first), last = le64toh(entry.last), all = size / SECTOR;
    if (number > TAKEN_MAX || first == 0 || last < first || last >= all) {
        return false;
    }
    *place = (struct disk_place){.start = first * SECTOR, .size = (last - first + 1) * SECTOR};
    for (size_t i = 0; i < sizeof entry.name / sizeof entry.name[0]; ++i) {
        const uint16_t letter = le16toh(entry.name[i]);
        place->name[i] = letter < ' ' && letter != 0 ? '?' : (char)(letter < 127 ? letter : '?');
    }
    return true;
}

void disk_take(const char *raw, const char *bytes, const char *kernel, const char *module)
{
    struct table_entry files;
    memcpy(&files, bytes + 2 * SECTOR + sizeof files, sizeof files);
    char *place = text_make("%s@@%llu", raw, (unsigned long long)le64toh(files.first) * SECTOR);
    command_run("mtools",
                (const char *const[]){"mcopy", "-n", "-i", place, "::" KERNEL_NAME, kernel, NULL});
    command_run("mtools",
                (const char *const[]){"mcopy", "-n", "-i", place, "::" MODULE_NAME, module, NULL});
    free(place);
}

// ---- GUIDs -----------------------------------------------------------------------------

// FNV-1a, of 64 bits, from two starts: for files that differ by chance it is as good as any.
void disk_id_make(uint8_t id[DISK_ID_SIZE], const char *path)
{
    enum { VERSION_AT = 7, VERSION = 0x80, VARIANT_AT = 8, VARIANT = 0x80 };
    static const uint64_t factor = 0x100000001b3;
    uint64_t sums[2] = {0xcbf29ce484222325, 0x84222325cbf29ce4};
    FILE *file = fopen(path, "rbe");
    int byte;
    while (file != NULL && (byte = getc_unlocked(file)) != EOF) {
        sums[0] = (sums[0] ^ (unsigned)byte) * factor;
        sums[1] = (sums[1] ^ (unsigned)byte) * factor;
    }
    if (file == NULL || ferror(file)) {
        fail_errno(path);
    }
    fclose(file);
    put((char *)id, sums[0], 8);
    put((char *)id + 8, sums[1], 8);
    id[VERSION_AT] = (id[VERSION_AT] & 0x0f) | VERSION; // RFC 9562: of its maker's own kind
    id[VARIANT_AT] = (id[VARIANT_AT] & 0x3f) | VARIANT;
}

void disk_id_print(const uint8_t id[DISK_ID_SIZE], char text[DISK_ID_TEXT_SIZE])
{
    (void)snprintf(text, DISK_ID_TEXT_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[3],
                   id[2], id[1], id[0], id[5], id[4], id[7], id[6], id[8], id[9], id[10], id[11],
                   id[12], id[13], id[14], id[15]);
}
