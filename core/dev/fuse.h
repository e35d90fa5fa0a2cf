// SPDX-License-Identifier: BSD-3-Clause
// fuse.h: the FUSE protocol as it goes over a virtio-fs request queue: version 7.31, and back
// to 7.23.
//
// A request is a header, the operation's arguments, then names or data; the answer is a header, the
// operation's results, then data. All numbers are the machine's own. The layouts are those of Linux
// (include/uapi/linux/fuse.h is their documentation).
#ifndef CORE_DEV_FUSE_H
#define CORE_DEV_FUSE_H

#include <stdint.h>

enum {
    FUSE_VERSION_MAJOR = 7,
    FUSE_VERSION_MINOR = 31,
    FUSE_VERSION_MINOR_MIN = 23, // INIT's answer is as below from then on
    FUSE_ROOT = 1
};

enum fuse_operation {
    FUSE_LOOKUP = 1,
    FUSE_FORGET = 2,
    FUSE_GETATTR = 3,
    FUSE_SETATTR = 4,
    FUSE_READLINK = 5,
    FUSE_SYMLINK = 6,
    FUSE_MKNOD = 8,
    FUSE_MKDIR = 9,
    FUSE_UNLINK = 10,
    FUSE_RMDIR = 11,
    FUSE_LINK = 13,
    FUSE_OPEN = 14,
    FUSE_READ = 15,
    FUSE_WRITE = 16,
    FUSE_STATFS = 17,
    FUSE_RELEASE = 18,
    FUSE_FSYNC = 20,
    FUSE_INIT = 26,
    FUSE_OPENDIR = 27,
    FUSE_READDIR = 28,
    FUSE_RELEASEDIR = 29,
    FUSE_FSYNCDIR = 30,
    FUSE_ACCESS = 34,
    FUSE_CREATE = 35,
    FUSE_INTERRUPT = 36,
    FUSE_DESTROY = 38,
    FUSE_IOCTL = 39,
    FUSE_POLL = 40,
    FUSE_FALLOCATE = 43,
    FUSE_RENAME2 = 45,
    FUSE_LSEEK = 46,
    FUSE_SETUPMAPPING = 48,
    FUSE_REMOVEMAPPING = 49,
    FUSE_SYNCFS = 50,
    FUSE_TMPFILE = 51, // as CREATE, in the directory and without a name
};

struct fuse_request { // before every request
    uint32_t size, operation;
    uint64_t unique, node;
    uint32_t uid, gid, pid, padding;
};

struct fuse_answer { // before every answer
    uint32_t size;
    int32_t error; // 0 or negative errno
    uint64_t unique;
};

struct fuse_attributes {
    uint64_t inode, size, block_count;    // blocks of 512 bytes
    uint64_t accessed, modified, changed; // seconds
    uint32_t accessed_ns, modified_ns, changed_ns;
    uint32_t mode, link_count, uid, gid, device; // device: of a device node
    uint32_t block_size, flags;
};

struct fuse_entry { // what LOOKUP and the operations that create answer
    uint64_t node, generation, entry_valid, attributes_valid;
    uint32_t entry_valid_ns, attributes_valid_ns;
    struct fuse_attributes attributes;
};

struct fuse_forget { // no answer
    uint64_t count;  // how many answers with the node have been had
};

struct fuse_getattr {
    uint32_t flags, padding;
    uint64_t handle; // with FUSE_GETATTR_HANDLE
};

enum { FUSE_GETATTR_HANDLE = 1 };

struct fuse_attributes_answer {
    uint64_t valid;
    uint32_t valid_ns, padding;
    struct fuse_attributes attributes;
};

enum fuse_set {
    FUSE_SET_MODE = 1,
    FUSE_SET_UID = 2,
    FUSE_SET_GID = 4,
    FUSE_SET_SIZE = 8,
    FUSE_SET_ACCESSED = 16,
    FUSE_SET_MODIFIED = 32,
    FUSE_SET_HANDLE = 64,
    FUSE_SET_ACCESSED_NOW = 128,
    FUSE_SET_MODIFIED_NOW = 256,
};

struct fuse_setattr {
    uint32_t valid, padding; // enum fuse_set
    uint64_t handle, size, lock_owner, accessed, modified, changed;
    uint32_t accessed_ns, modified_ns, changed_ns, mode, unused4, uid, gid, unused5;
};

struct fuse_mknod {
    uint32_t mode, device, umask, padding;
};

struct fuse_mkdir {
    uint32_t mode, umask;
};

struct fuse_rename {
    uint64_t new_directory;
    uint32_t flags, padding; // as renameat2(2)
};

struct fuse_link {
    uint64_t old_node;
};

struct fuse_open { // OPEN, OPENDIR
    uint32_t flags, open_flags;
};

struct fuse_create {
    uint32_t flags, mode, umask, open_flags;
};

struct fuse_open_answer {
    uint64_t handle;
    uint32_t flags, padding;
};

struct fuse_release {
    uint64_t handle;
    uint32_t flags, release_flags;
    uint64_t lock_owner;
};

struct fuse_io { // READ, WRITE, READDIR
    uint64_t handle, offset;
    uint32_t size, io_flags;
    uint64_t lock_owner;
    uint32_t flags, padding;
};

struct fuse_write_answer {
    uint32_t size, padding;
};

struct fuse_statfs_answer {
    uint64_t block_count, block_free, block_available, file_count, file_free;
    uint32_t block_size, name_max, fragment_size, padding, spare[6];
};

struct fuse_fsync {
    uint64_t handle;
    uint32_t flags, padding; // 1: data only
};

struct fuse_fallocate {
    uint64_t handle, offset, size;
    uint32_t how, padding; // FALLOC_FL_*
};

struct fuse_syncfs {
    uint64_t padding;
};

struct fuse_access {
    uint32_t mode, padding;
};

struct fuse_init {
    uint32_t major, minor, read_ahead_max, flags;
};

enum fuse_init_flags { // what we ask for; what the far end answers holds
    FUSE_ASYNC_READ = 1 << 0,
    FUSE_ATOMIC_TRUNCATE = 1 << 3, // OPEN with OPEN_TRUNCATE truncates
    FUSE_BIG_WRITES = 1 << 5,
    FUSE_PARALLEL_LOOKUPS = 1 << 18,
    FUSE_MAX_PAGES = 1 << 22, // pages_max counts; without it 32
};

enum {
    FUSE_PAGES_MAX_DEFAULT = 32,
    // In flags2: hal-linux's far end, which lives as long as we do; with it a WRITE at offset
    // UINT64_MAX appends.
    FUSE_OURS = 1 << 31,
};

struct fuse_init_answer {
    uint32_t major, minor, read_ahead_max, flags;
    uint16_t background_max, congestion_threshold;
    uint32_t write_max, time_granularity;
    uint16_t pages_max, map_alignment;
    uint32_t flags2;
    uint32_t unused[7];
};

struct fuse_ioctl {
    uint64_t handle;
    uint32_t flags, request;
    uint64_t argument;
    uint32_t in_size, out_size; // data that follows; data that is expected
};

struct fuse_ioctl_answer {
    int32_t result;
    uint32_t flags, in_vectors, out_vectors;
};

enum {
    FUSE_POLL_WAIT = 1, // here: answer when an event is there (Linux's FUSE_POLL_SCHEDULE_NOTIFY)
    FUSE_POLL_WAITS_NEXT = 2 // ours: where none is there now, FUSE_POLL_WAIT follows
};

struct fuse_poll {
    uint64_t handle, poll_handle;
    uint32_t flags, events;
};

struct fuse_poll_answer {
    uint32_t events, padding;
};

struct fuse_lseek {
    uint64_t handle, offset;
    uint32_t from, padding;
};

enum { FUSE_MAP_WRITE = 1, FUSE_MAP_READ = 2 };

struct fuse_map { // SETUPMAPPING
    uint64_t handle, offset, size, flags, window_offset;
};

struct fuse_unmap { // REMOVEMAPPING of one
    uint32_t count, padding;
    uint64_t window_offset, size;
};

struct fuse_lseek_answer {
    uint64_t offset;
};

struct fuse_directory_entry { // then the name, then zeros up to a multiple of 8
    uint64_t inode, next;
    uint32_t name_length, type;
};

_Static_assert(sizeof(struct fuse_request) == 40, "struct fuse_in_header");
_Static_assert(sizeof(struct fuse_attributes) == 88, "struct fuse_attr");
_Static_assert(sizeof(struct fuse_entry) == 128, "struct fuse_entry_out");
_Static_assert(sizeof(struct fuse_setattr) == 88, "struct fuse_setattr_in");
_Static_assert(sizeof(struct fuse_io) == 40, "struct fuse_read_in");
_Static_assert(sizeof(struct fuse_statfs_answer) == 80, "struct fuse_statfs_out");
_Static_assert(sizeof(struct fuse_init_answer) == 64, "struct fuse_init_out");
_Static_assert(sizeof(struct fuse_ioctl) == 32, "struct fuse_ioctl_in");

#endif
