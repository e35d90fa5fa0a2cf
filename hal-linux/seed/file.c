// SPDX-License-Identifier: BSD-3-Clause
// file.c: what a run may know of the host's files: contents, names, sizes, modes, owners, and times
// that lie before the run. They are input: the same files give the same run.
//
// Inode numbers are counted in the order in which they are met, those of the standard streams by
// themselves. Times since the start of the run
// are one time, the start of the virtual clock, since how far apart the host's are is chance. The
// time of access is the time of change, since whether the host writes it down depends on earlier
// runs. What a file takes up on the disk, and what the disk has left, is made up.
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "hal-linux/machine.h"
#include "hal-linux/seed/seed.h"
#include "hal-linux/syscall.h"

enum { INODE_SLOTS = 1 << 20, BLOCKS_PER_PAGE = 8, FIRST_INODE = 2, STREAMS = 3 };

static struct {
    uint64_t host, number; // number 0: nothing here
} inodes[INODE_SLOTS];

static uint64_t inode_count;
static time_t start_s; // of the run, as the host tells it

void file_init(const struct seed_options *options)
{
    struct timespec now;
    syscall3(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0);
    start_s = now.tv_sec - 1; // the host's file systems have a coarser clock
    if (options->replay != NULL) {
        start_s = (time_t)options->replay->start_s;
    }
}

uint64_t file_start_s(void)
{
    return (uint64_t)start_s;
}

uint64_t machine_inode(uint64_t inode)
{
    uint64_t slot = random_mix(inode) % INODE_SLOTS;
    while (inodes[slot].number != 0 && inodes[slot].host != inode) {
        slot = (slot + 1) % INODE_SLOTS;
    }
    if (inodes[slot].number == 0) {
        if (inode_count == INODE_SLOTS - 1) {
            point_spoil("it looks at more than a million files");
            return inode;
        }
        inodes[slot].host = inode;
        inodes[slot].number = FIRST_INODE + inode_count++;
    }
    return inodes[slot].number;
}

static void time_hide(struct timespec *time)
{
    if (time->tv_sec >= start_s) {
        *time = (struct timespec){.tv_sec = SEED_START_S};
    }
}

static uint64_t stream_inode(uint64_t inode)
{
    static uint64_t met[STREAMS];
    uint64_t number = 0;
    while (number < STREAMS - 1 && met[number] != inode && met[number] != 0) {
        ++number;
    }
    met[number] = inode;
    return FIRST_INODE + number;
}

void machine_status(struct stat *status, bool is_stream)
{
    status->st_ino = is_stream ? stream_inode(status->st_ino) : machine_inode(status->st_ino);
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode) && !S_ISLNK(status->st_mode)) {
        status->st_mtim.tv_sec = status->st_ctim.tv_sec = start_s; // a terminal's are never old
    }
    time_hide(&status->st_mtim);
    time_hide(&status->st_ctim);
    status->st_atim = status->st_mtim;
    status->st_blocks = (status->st_size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * BLOCKS_PER_PAGE;
}

// "pipe:[4711]": the number is the inode's.
void machine_stream_name(char *name, size_t *size)
{
    size_t at = 0, end = *size;
    while (at < end && name[at] != '[') {
        ++at;
    }
    if (at == 0 || at == end || name[at - 1] != ':' || name[end - 1] != ']') {
        return;
    }
    uint64_t inode = 0;
    for (size_t i = at + 1; i + 1 < end; ++i) {
        inode = inode * 10 + (uint64_t)(name[i] - '0');
    }
    name[at + 1] = (char)('0' + stream_inode(inode)); // fewer than ten
    name[at + 2] = ']';
    *size = at + 3;
}

void machine_fs_status(struct statfs *status)
{
    const uint64_t blocks = 1ul << 24;
    status->f_blocks = status->f_bfree = status->f_bavail = blocks;
    status->f_files = status->f_ffree = blocks;
}
