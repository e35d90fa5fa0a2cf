// SPDX-License-Identifier: BSD-3-Clause
// hostwindow_test.c: reads of a host's file through shared memory, under every schedule with who
// shortens the file, and with each other: none of what was cut off is read, and a chunk is mapped
// once.
#include <string.h>

#include "core/lib/mark.h"
#include "core/vfs/hostfs.h"
#include "seed.h"
#include "seed_main.h"

enum { LONG = 100, SHORT = 50, CHUNK = 7, OFTEN = 1001 }; // OFTEN: no read asks for its own sake

static struct host_file host;
static uint64_t file_size;
static unsigned mapped, unmapped;
static bool is_short; // the program has been told that the file is
static bool never_maps;

// ---- What hostwindow.c asks of others -------------------------------------------

// The request goes to the host, and the answer comes back.
MARK_GUESS int fs_call(struct fs_device *device, struct fs_call *call)
{
    seed_check(call->operation == FUSE_GETATTR, "another request");
    seed_point();
    ((struct fuse_attributes_answer *)call->result)->attributes.size = file_size;
    seed_point();
    return 0;
}

MARK_GUESS int fs_chunks_map(struct fs_device *device, uint64_t handle, uint64_t offset,
                             uint32_t count, bool is_written, uint32_t *chunk)
{
    seed_point();
    ++mapped;
    *chunk = CHUNK;
    seed_point();
    return never_maps ? -1 : 0;
}

MARK_GUESS void fs_chunks_unmap(struct fs_device *device, uint32_t chunk, uint32_t count)
{
    seed_check(chunk == CHUNK && count == 1, "another chunk");
    ++unmapped;
}

MARK_GUESS const char *fs_chunk_address(const struct fs_device *device, uint32_t chunk)
{
    static const char bytes[LONG];
    seed_check(chunk == CHUNK, "another chunk");
    return bytes;
}

int hal_copy_safe(void *to, const void *from, size_t size)
{
    return 0;
}

// ---- Bodies ----------------------------------------------------------------------

// Its size has been asked for, long ago.
static void reset(void)
{
    memset(&host, 0, sizeof host);
    host.read_count = OFTEN;
    file_size = LONG;
    mapped = unmapped = 0;
    is_short = never_maps = false;
}

static void reset_mapped(void)
{
    reset();
    host.chunks[0] = CHUNK + 1;
}

static void reset_unmappable(void)
{
    reset();
    never_maps = true;
}

MARK_GUESS static bool read_up_to(uint64_t size)
{
    char data[LONG];
    bool was_short = is_short;
    bool is_read = host_window_read(&host, 0, data, size);
    seed_check(!is_read || !was_short || size <= SHORT, "what was cut off is read");
    return is_read;
}

static void read_all(void)
{
    (void)read_up_to(LONG);
}

MARK_GUESS static void shorten(void)
{
    seed_point();
    file_size = SHORT;
    host_window_truncated();
    is_short = true;
}

static void shorten_and_read(void)
{
    shorten();
    (void)read_up_to(SHORT);
    (void)read_up_to(LONG);
}

static void read_twice(void)
{
    (void)read_up_to(LONG);
    (void)read_up_to(LONG);
}

static void check_chunk(void)
{
    seed_check(mapped <= 1, "mapped twice");
    host_window_close(&host);
    seed_check(unmapped == (never_maps ? 0 : mapped), "not unmapped as often as it was mapped");
}

// The file has not changed: later reads go through the window.
static void check_read(void)
{
    seed_check(read_up_to(LONG), "nobody knows the size");
    check_chunk();
}

static const char *const size_marks[] = {"window: another asks", NULL};
static const char *const chunk_marks[] = {"window: another maps it", NULL};

static const struct seed_test tests[] = {
    {
        .name = "window, shortened",
        .reset = reset_mapped,
        .bodies = {read_all, shorten_and_read},
        .marks = size_marks,
    },
    {
        .name = "window, shortened between two reads",
        .reset = reset_mapped,
        .bodies = {read_twice, shorten_and_read},
        .marks = size_marks,
        .preemption_max = 3,
    },
    {
        .name = "window, two map a chunk",
        .reset = reset,
        .bodies = {read_twice, read_twice},
        .check = check_read,
        .marks = chunk_marks,
        .preemption_max = 3,
    },
    {
        .name = "window, a chunk that cannot be mapped",
        .reset = reset_unmappable,
        .bodies = {read_twice, read_twice},
        .check = check_chunk,
        .marks = chunk_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
