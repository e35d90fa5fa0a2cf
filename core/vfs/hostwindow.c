// SPDX-License-Identifier: BSD-3-Clause
// hostwindow.c: reading files of the host through the device's shared memory.
//
// A request for each read costs more than the copy. A file that is read again and again is mapped,
// chunk by chunk, into the window of its device: there lie the host's own cached pages, so what
// anybody writes is seen. Writes stay requests.
//
// What a mapping does not tell is where the file ends. So only bytes below a size that the host has
// named are read here; a read that may meet the end is a request. Where the program shortens any
// file, all sizes are asked for again. Where somebody on the host shortens one, the pages are gone,
// the safe copy fails and the read is a request too; only within the file's last page zeros may be
// seen for what was cut off.
//
// A chunk's word: 0 not tried, CHUNK_FAILED, CHUNK_BUSY while one thread maps it, else number + 1.
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/vfs/hostfs.h"

enum { READS_MIN = 64, READ_MAX = 65536 };

#define CHUNK_FAILED UINT32_MAX
#define CHUNK_BUSY (UINT32_MAX - 1)

static _Atomic uint32_t host_truncations = 1; // never 0: a fresh file has asked for no size

void host_window_truncated(void)
{
    atomic_fetch_add(&host_truncations, 1);
}

// One thread at a time: of two answers the older one might be kept as the newer.
static bool size_ask(struct host_file *host)
{
    if (atomic_exchange(&host->is_asked, true)) {
        MARK("window: another asks");
        return false;
    }
    uint32_t now = atomic_load(&host_truncations);
    struct fuse_getattr arguments = {.flags = FUSE_GETATTR_HANDLE, .handle = host->handle};
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_GETATTR,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    bool is_answered = fs_call(host->device, &call) == 0;
    if (is_answered) {
        atomic_store(&host->size, result.attributes.size);
        atomic_store(&host->truncation, now); // one that came since is seen by the next read
    }
    atomic_store(&host->is_asked, false);
    return is_answered;
}

// Above the size that is known the file may have grown: asked again, but only so often.
static bool is_below_end(struct host_file *host, uint64_t end)
{
    bool is_current = atomic_load(&host->truncation) == atomic_load(&host_truncations);
    if (is_current && end <= atomic_load(&host->size)) {
        return true;
    }
    uint32_t count = atomic_load_explicit(&host->read_count, memory_order_relaxed);
    if (is_current && count % READS_MIN != 0) {
        return false;
    }
    return size_ask(host) && end <= atomic_load(&host->size);
}

// NULL: not mapped.
static const char *chunk_get(struct host_file *host, uint64_t index)
{
    uint32_t word = atomic_load_explicit(&host->chunks[index], memory_order_acquire);
    if (word == 0 && atomic_compare_exchange_strong(&host->chunks[index], &word, CHUNK_BUSY)) {
        uint32_t chunk;
        int error =
            fs_chunks_map(host->device, host->handle, index * FS_CHUNK_SIZE, 1, false, &chunk);
        word = error == 0 ? chunk + 1 : CHUNK_FAILED;
        atomic_store_explicit(&host->chunks[index], word, memory_order_release);
    }
    if (word == CHUNK_BUSY) {
        MARK("window: another maps it");
    }
    return word == 0 || word >= CHUNK_BUSY ? NULL : fs_chunk_address(host->device, word - 1);
}

bool host_window_read(struct host_file *host, uint64_t offset, char *data, size_t size)
{
    uint64_t index = offset / FS_CHUNK_SIZE;
    uint64_t start = offset % FS_CHUNK_SIZE;
    if (size == 0 || size > READ_MAX || start + size > FS_CHUNK_SIZE || index >= HOST_CHUNKS_MAX) {
        return false;
    }
    uint32_t count = atomic_load_explicit(&host->read_count, memory_order_relaxed) + 1;
    atomic_store_explicit(&host->read_count, count, memory_order_relaxed); // need not be exact
    if (count < READS_MIN || !is_below_end(host, offset + size)) {
        return false;
    }
    const char *chunk = chunk_get(host, index);
    return chunk != NULL && hal_copy_safe(data, chunk + start, size) == 0;
}

void host_window_close(struct host_file *host)
{
    for (size_t i = 0; i < HOST_CHUNKS_MAX; ++i) {
        uint32_t word = atomic_load(&host->chunks[i]);
        if (word != 0 && word < CHUNK_BUSY) {
            fs_chunks_unmap(host->device, word - 1, 1);
        }
    }
}
