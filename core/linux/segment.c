// SPDX-License-Identifier: BSD-3-Clause
// segment.c: System V's shared memory: files in memory that have a number instead of a name
// (shmget(2), shmop(2), shmctl(2)).
//
// An attachment is a pager of the segment's file, so that the mappings which munmap, mprotect and
// mremap have made of it still know whose they are; it ends with the last of them. A segment that
// was removed goes with its last attachment. (When it was last detached is when that was: Linux
// also counts a part that is unmapped.)
//
// Lock order: the table's, then the address space's.
#include <sys/resource.h>
#include <sys/shm.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/list.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/hugemap.h"
#include "core/linux/ipc.h"
#include "core/linux/process.h"
#include "core/linux/procfiles.h"
#include "core/linux/range.h"
#include "core/linux/user.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"
#include "core/vfs/hugefile.h"
#include "core/vfs/memfile.h"
#include "core/vfs/pager.h"
#include "core/vm/hugepool.h"
#include "core/vm/piece.h"
#include "core/vm/vm.h"

enum { SEGMENT_COUNT_MAX = 4096, SIZE_MIN = 1, READABLE = 0444, WRITABLE = 0222, STARTABLE = 0111 };

// Of a segment; and, in pages, of all.
#define SEGMENT_SIZE_MAX (UINT64_MAX - (1 << 24))

// All guarded by segments.lock.
struct segment {
    struct ipc_object object; // its mode has SHM_DEST and SHM_LOCKED
    struct file *file;        // counted
    size_t size;
    int64_t attached, detached; // when it last was, in seconds since 1970; 0: never
    bool is_used;               // somebody has attached it or let it go
    uint32_t attachment_count;
    size_t mapping_count;                      // after mappings_count
    void (*release)(struct file_pager *pager); // of a pager of the file's
};

static struct ipc_table segments = {.limit = SEGMENT_COUNT_MAX, .last = -1};
static size_t locked_bytes; // of those that are SHM_LOCKED; segments.lock

static struct segment *segment_of(struct ipc_object *object)
{
    return object != NULL ? container_of(object, struct segment, object) : NULL;
}

static size_t segment_pages(const struct segment *segment)
{
    return memory_round(segment->size) / HAL_PAGE_SIZE;
}

static void segment_free(struct segment *segment)
{
    file_put(segment->file);
    heap_free(segment);
}

// The last use of a removed one; or its removal, while nobody uses it. What it answers is to be
// freed without the lock.
static struct segment *segment_end(struct segment *segment)
{
    if (segment->attachment_count > 0 || (segment->object.mode & SHM_DEST) == 0) {
        return NULL;
    }
    ipc_remove(&segments, &segment->object);
    locked_bytes -= (segment->object.mode & SHM_LOCKED) != 0 ? memory_round(segment->size) : 0;
    return segment;
}

// ---- Making --------------------------------------------------------------

static int size_check(size_t size, int flags)
{
    if (size < SIZE_MIN || size > SEGMENT_SIZE_MAX) {
        return -EINVAL;
    }
    if (memory_round(size) == 0) {
        return -ENOSPC;
    }
    if ((flags & SHM_HUGETLB) != 0) {
        return !hugemap_size_is_known((unsigned)flags) ? -EINVAL
               : !credentials_may(CAPABILITY_IPC_LOCK) ? -EPERM
                                                       : 0;
    }
    bool is_promised = (flags & SHM_NORESERVE) == 0;
    return is_promised && size / HAL_PAGE_SIZE > frame_total_count() ? -ENOMEM : 0;
}

static size_t round_huge(size_t size)
{
    return (size + HUGEPOOL_PAGE - 1) & ~(size_t)(HUGEPOOL_PAGE - 1);
}

// Its pages are there for it from now on, unless it says otherwise.
static int huge_reserve(struct file *file, size_t size, int flags)
{
    const size_t whole = round_huge(size);
    hugefile_extend(file, whole);
    return (flags & SHM_NORESERVE) != 0 ? 0 : hugefile_reserve(file, 0, whole);
}

static int file_make(struct segment *segment, int key, int flags)
{
    char path[sizeof "/SYSV00000000 (deleted)"];
    (void)format(path, sizeof path, "/SYSV%08x (deleted)", (unsigned)key);
    const bool is_huge = (flags & SHM_HUGETLB) != 0;
    int error = is_huge ? hugefile_create(&segment->file, path, 0, NULL)
                        : memfile_create(&segment->file, path, 0);
    if (error != 0) {
        return -ENOMEM;
    }
    if ((is_huge ? huge_reserve(segment->file, segment->size, flags)
                 : segment->file->ops->truncate(segment->file, segment->size)) != 0) {
        file_put(segment->file);
        return -ENOMEM;
    }
    return 0;
}

static long segment_make(int key, size_t size, int flags)
{
    int error = size_check(size, flags);
    if (error != 0) {
        return error;
    }
    struct segment *segment = heap_alloc_zeroed(sizeof *segment);
    if (segment == NULL) {
        return -ENOMEM;
    }
    segment->size = size;
    error = file_make(segment, key, flags);
    if (error == 0) {
        error = ipc_add(&segments, &segment->object, key, (uint32_t)flags);
        if (error != 0) {
            file_put(segment->file);
        }
    }
    if (error != 0) {
        heap_free(segment);
        return error;
    }
    return segment->object.id;
}

long linux_shmget(int key, size_t size, int flags)
{
    mutex_lock(&segments.lock);
    struct ipc_object *object;
    long result = ipc_find_key(&segments, key, flags, &object);
    if (result == 0 && object == NULL) {
        result = segment_make(key, size, flags);
    } else if (result == 0) {
        result = size > segment_of(object)->size            ? -EINVAL
                 : !ipc_may(object, (uint32_t)flags & 0777) ? -EACCES
                                                            : object->id;
    }
    mutex_unlock(&segments.lock);
    return result;
}

// ---- Attaching -----------------------------------------------------------

static void attachment_end(struct file_pager *pager, bool was_mapped)
{
    struct segment *segment = pager->owner;
    mutex_lock(&segments.lock);
    void (*release)(struct file_pager *) = segment->release;
    segment->detached = was_mapped ? ipc_now() : segment->detached;
    --segment->attachment_count;
    struct segment *ended = segment_end(segment);
    mutex_unlock(&segments.lock);
    release(pager);
    if (ended != NULL) {
        segment_free(ended);
    }
}

static void attachment_abandon(struct file_pager *pager)
{
    attachment_end(pager, false);
}

static void attachment_release(struct file_pager *pager)
{
    attachment_end(pager, true);
}

static bool is_attachment(struct vm_pager *pager)
{
    return pager != NULL && pager->is_kept_apart;
}

// The pager is one attachment, and the caller's only.
static int attachment_make(int id, uint32_t access, struct vm_pager **pager, size_t *size)
{
    mutex_lock(&segments.lock);
    struct segment *segment = segment_of(ipc_of(&segments, id));
    int error = segment == NULL                      ? -EINVAL
                : !ipc_may(&segment->object, access) ? -EACCES
                                                     : file_pager(segment->file, pager);
    if (error == 0) {
        struct file_pager *own = file_pager_of(*pager);
        segment->release = own->release;
        own->release = attachment_abandon;
        own->owner = segment;
        own->pager.is_kept_apart = true;
        own->pager.inode = (uint64_t)id;
        ++segment->attachment_count;
        *size = segment->size;
    }
    mutex_unlock(&segments.lock);
    return error;
}

static void attachment_used(struct vm_pager *pager)
{
    mutex_lock(&segments.lock);
    struct segment *segment = file_pager_of(pager)->owner;
    segment->attached = ipc_now();
    segment->is_used = true;
    file_pager_of(pager)->release = attachment_release;
    mutex_unlock(&segments.lock);
}

static int attachment_map(char **va, size_t size, int flags, struct vm_pager *pager)
{
    const bool is_huge = hugefile_is(file_pager_of(pager)->file);
    const size_t whole = is_huge ? round_huge(size) : memory_round(size);
    const unsigned marks = atomic_load_explicit(&memory_future_marks, memory_order_relaxed);
    unsigned prot = HAL_READ | ((flags & SHM_RDONLY) == 0 ? HAL_WRITE : 0) |
                    ((flags & SHM_EXEC) != 0 ? HAL_EXEC : 0);
    unsigned how = VM_SHARED | (is_huge ? VM_HUGE : 0) |
                   ((flags & SHM_RDONLY) != 0 ? VM_READ_ONLY : 0) | marks |
                   (marks == VM_LOCKED ? VM_POPULATE : 0);
    if (*va != NULL) {
        bool is_beyond = whole > MEMORY_ADDRESS_MAX || (uintptr_t)*va > MEMORY_ADDRESS_MAX - whole;
        if (is_beyond) {
            return (uintptr_t)*va + size < size && (flags & SHM_REMAP) == 0 ? -EINVAL : -ENOMEM;
        }
        how |= VM_FIXED | ((flags & SHM_REMAP) == 0 ? VM_NOREPLACE : 0);
    }
    if (marks != 0 && memory_lock_allow(whole) != 0) {
        return -EAGAIN;
    }
    if (is_huge) {
        hugemap_use();
    }
    int error = *va != NULL && (flags & SHM_REMAP) != 0 ? hugemap_unmap(*va, whole) : 0;
    error = error != 0 ? error : vm_map(va, whole, prot, how, pager, 0);
    return error == -EEXIST ? -EINVAL : error;
}

static int place_round(char **va, int flags)
{
    uintptr_t offset = (uintptr_t)*va % SHMLBA;
    if (offset != 0 && (flags & SHM_RND) == 0) {
        return -EINVAL;
    }
    bool is_anywhere = *va == NULL;
    *va = (char *)((uintptr_t)*va - offset); // a pointer minus something is never NULL to clang
    return *va == NULL && (!is_anywhere || (flags & SHM_REMAP) != 0) ? -EINVAL : 0;
}

long linux_shmat(int id, char *va, int flags)
{
    uint32_t access = READABLE | ((flags & SHM_RDONLY) == 0 ? WRITABLE : 0) |
                      ((flags & SHM_EXEC) != 0 ? STARTABLE : 0);
    struct vm_pager *pager;
    size_t size = 0;
    int error = id < 0 ? -EINVAL : place_round(&va, flags);
    error = error != 0 ? error : attachment_make(id, access, &pager, &size);
    if (error != 0) {
        return error;
    }
    error = attachment_map(&va, size, flags, pager);
    if (error == 0) {
        attachment_used(pager);
    }
    pager->put(pager);
    return error != 0 ? error : (long)va;
}

// ---- Detaching -----------------------------------------------------------

// The attachment that begins at va, whatever is left of it. The caller has a reference. NULL: none
// does.
static struct vm_pager *attachment_find(char *va, size_t *size)
{
    char *from = va, *end = (char *)MEMORY_ADDRESS_MAX;
    struct vm_piece piece;
    while (from < end && vm_piece_get(from, end, &piece)) {
        if (is_attachment(piece.pager) && (uint64_t)(piece.start - va) == piece.offset) {
            const struct segment *segment = file_pager_of(piece.pager)->owner;
            *size = hugefile_is(segment->file) ? round_huge(segment->size)
                                               : memory_round(segment->size);
            return piece.pager;
        }
        from = piece.end;
        vm_piece_put(&piece);
    }
    return NULL;
}

long linux_shmdt(char *va)
{
    size_t size;
    struct vm_pager *pager = memory_is_aligned(va) ? attachment_find(va, &size) : NULL;
    if (pager == NULL) {
        return -EINVAL;
    }
    struct vm_piece piece;
    char *from = va, *end = va + size;
    int error = 0;
    while (from < end && error == 0 && vm_piece_get(from, end, &piece)) {
        from = piece.end;
        if (piece.pager == pager && (uint64_t)(piece.start - va) == piece.offset) {
            error = vm_unmap(piece.start, (size_t)(piece.end - piece.start));
        }
        vm_piece_put(&piece);
    }
    pager->put(pager);
    return error;
}

// ---- What there is -------------------------------------------------------

static bool mapping_count(const struct vm_area_info *area, void *argument)
{
    (void)argument;
    struct segment *segment = segment_of(ipc_of(&segments, (int32_t)area->inode));
    if (segment != NULL && area->object == segment->file->vnode) {
        ++segment->mapping_count;
    }
    return true;
}

// Of all segments: Linux counts mappings, not attachments.
static void mappings_count(void)
{
    for (uint32_t i = 0; i < segments.slot_count; ++i) {
        struct segment *segment = segment_of(ipc_at(&segments, i));
        if (segment != NULL) {
            segment->mapping_count = 0;
        }
    }
    vm_walk(mapping_count, NULL);
}

static size_t resident_pages(const struct segment *segment)
{
    struct file_status status = {0};
    int error = file_status(segment->file, &status);
    return error == 0 ? status.block_count / (HAL_PAGE_SIZE / 512) : 0;
}

static struct shmid_ds status_of(const struct segment *segment)
{
    return (struct shmid_ds){
        .shm_perm = ipc_permissions(&segment->object),
        .shm_segsz = segment->size,
        .shm_atime = segment->attached,
        .shm_dtime = segment->detached,
        .shm_ctime = segment->object.changed,
        .shm_cpid = PROCESS_ID,
        .shm_lpid = segment->is_used ? PROCESS_ID : 0,
        .shm_nattch = segment->mapping_count,
    };
}

// index: a slot, or an id.
static long segment_status(int index, int command, void *user)
{
    struct shmid_ds status;
    mutex_lock(&segments.lock);
    struct segment *segment =
        segment_of(command == IPC_STAT ? ipc_of(&segments, index)
                                       : ipc_at(&segments, (uint32_t)index % 32768));
    bool is_open = command == SHM_STAT_ANY;
    long result = segment == NULL                                    ? -EINVAL
                  : !is_open && !ipc_may(&segment->object, READABLE) ? -EACCES
                  : command == IPC_STAT                              ? 0
                                                                     : segment->object.id;
    if (result >= 0) {
        mappings_count();
        status = status_of(segment);
    }
    mutex_unlock(&segments.lock);
    int error = result >= 0 ? user_write(user, &status, sizeof status) : 0;
    return error != 0 ? error : result;
}

static long limits_tell(void *user)
{
    const struct shminfo info = {
        .shmmax = SEGMENT_SIZE_MAX,
        .shmmin = SIZE_MIN,
        .shmmni = SEGMENT_COUNT_MAX,
        .shmseg = SEGMENT_COUNT_MAX,
        .shmall = SEGMENT_SIZE_MAX,
    };
    mutex_lock(&segments.lock);
    long result = ipc_slot_last(&segments);
    mutex_unlock(&segments.lock);
    int error = user_write(user, &info, sizeof info);
    return error != 0 ? error : result;
}

static long sums_tell(void *user)
{
    struct shm_info info = {0};
    mutex_lock(&segments.lock);
    long result = ipc_slot_last(&segments);
    info.used_ids = (int)segments.object_count;
    for (uint32_t i = 0; i < segments.slot_count; ++i) {
        const struct segment *segment = segment_of(ipc_at(&segments, i));
        if (segment != NULL) {
            info.shm_tot += segment_pages(segment);
            info.shm_rss += resident_pages(segment);
        }
    }
    mutex_unlock(&segments.lock);
    int error = user_write(user, &info, sizeof info);
    return error != 0 ? error : result;
}

// ---- Changing ------------------------------------------------------------

// All memory stays where it is anyway: the mark is what others ask for.
static int lock_set(struct segment *segment, bool is_locked)
{
    if (!ipc_may_change(&segment->object) || (is_locked && !credentials_may(CAPABILITY_IPC_LOCK) &&
                                              process_limit(RLIMIT_MEMLOCK) == 0)) {
        return -EPERM;
    }
    bool was_locked = (segment->object.mode & SHM_LOCKED) != 0;
    const size_t whole = memory_round(segment->size);
    if (is_locked && !was_locked && memory_lock_allow_all(locked_bytes + whole) != 0) {
        return -ENOMEM;
    }
    locked_bytes += is_locked && !was_locked ? whole : 0;
    locked_bytes -= was_locked && !is_locked ? whole : 0;
    segment->object.mode &= ~(uint32_t)SHM_LOCKED;
    segment->object.mode |= is_locked ? SHM_LOCKED : 0;
    return 0;
}

// Its key is free from now on; *ended is to be freed without the lock.
static int segment_remove(struct segment *segment, struct segment **ended)
{
    if (!ipc_may_change(&segment->object)) {
        return -EPERM;
    }
    segment->object.mode |= SHM_DEST;
    ipc_key_remove(&segments, &segment->object);
    *ended = segment_end(segment);
    return 0;
}

static long segment_change(int id, int command, const void *user)
{
    struct shmid_ds set;
    int error = command == IPC_SET ? user_read(&set, user, sizeof set) : 0;
    if (error != 0) {
        return error;
    }
    struct segment *ended = NULL;
    mutex_lock(&segments.lock);
    struct segment *segment = segment_of(ipc_of(&segments, id));
    if (segment == NULL) {
        error = -EINVAL;
    } else if (command == IPC_SET) {
        error = ipc_permissions_set(&segment->object, &set.shm_perm);
    } else if (command == IPC_RMID) {
        error = segment_remove(segment, &ended);
    } else {
        error = lock_set(segment, command == SHM_LOCK);
    }
    mutex_unlock(&segments.lock);
    if (ended != NULL) {
        segment_free(ended);
    }
    return error;
}

long linux_shmctl(int id, int command, void *user)
{
    if (id < 0) {
        return -EINVAL;
    }
    switch (command) {
    case IPC_INFO:
        return limits_tell(user);
    case SHM_INFO:
        return sums_tell(user);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return segment_status(id, command, user);
    case IPC_SET:
    case IPC_RMID:
    case SHM_LOCK:
    case SHM_UNLOCK:
        return segment_change(id, command, user);
    default:
        return -EINVAL;
    }
}

// ---- /proc/sysvipc/shm -----------------------------------------------------

#define SEGMENTS_HEADING                                                                           \
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid" \
    "      atime      dtime      ctime                   rss                  swap\n"

static size_t segment_put(const struct segment *segment, char *text, size_t size)
{
    const struct ipc_object *object = &segment->object;
    return format(
        text, size,
        "%10d %10d  %4o %21zu %5d %5d  %5zu %5u %5u %5u %5u %10ld %10ld %10ld %21zu %21d\n",
        object->key, object->id, object->mode, segment->size, PROCESS_ID,
        segment->is_used ? PROCESS_ID : 0, segment->mapping_count, object->uid, object->gid,
        object->creator_uid, object->creator_gid, segment->attached, segment->detached,
        object->changed, resident_pages(segment) * HAL_PAGE_SIZE, 0);
}

size_t segments_make(char *text, size_t size, void *argument)
{
    (void)argument;
    size_t length = format(text, size, "%s", SEGMENTS_HEADING);
    mutex_lock(&segments.lock);
    mappings_count();
    for (uint32_t i = 0; i < segments.slot_count; ++i) {
        const struct segment *segment = segment_of(ipc_at(&segments, i));
        size_t used = length < size ? length : size;
        length += segment != NULL ? segment_put(segment, text + used, size - used) : 0;
    }
    mutex_unlock(&segments.lock);
    return length;
}
