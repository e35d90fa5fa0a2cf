// SPDX-License-Identifier: BSD-3-Clause
// machine.h: the half of the process machine that comes in two forms.
//
// Either every vCPU is a host thread: smp.c, clock.c, entropy.c. Or all of them take turns on one,
// and a seed decides which: seed/. Each form defines what is declared here, vcpu_raise, clock_init,
// clock_timer_check, worker_submit, hal_cpu_start, hal_cpu_idle, hal_cpu_poll, hal_timer_set, the
// clocks and hal_entropy.
#ifndef HAL_LINUX_MACHINE_H
#define HAL_LINUX_MACHINE_H

#include <signal.h>
#include <ucontext.h>

#include "hal/hal.h"

// What the seeded form makes go wrong, each by chance.
enum seed_fault {
    SEED_FAULT_PAGE,  // an allocation of page frames fails
    SEED_FAULT_IO,    // a request to a file system answers EIO
    SEED_FAULT_DELAY, // a device takes its time
    SEED_FAULT_SHORT, // a stream or pipe takes or gives less than it could
    SEED_FAULT_CLOCK, // the clock on the wall steps
    SEED_FAULT_STALL, // a vCPU stands still
    SEED_FAULT_DISK,  // a request to a disk fails
    SEED_FAULT_COUNT
};

enum seed_schedule { SCHEDULE_RANDOM, SCHEDULE_PCT, SCHEDULE_TURNS, SCHEDULE_REPLAY };

enum {
    SEED_RACES_MAX = 32,
    SEED_EXIT_LOCKS = 65,    // core's locks are taken in a circle
    SEED_EXIT_RACES = 66,    // the status that ThreadSanitizer ends with
    SEED_EXIT_DEPARTED = 67, // a replay was another run than the recorded one
};

enum seed_turn_kind {
    SEED_TURN,  // the turn of a vCPU ends, and `to` goes on
    SEED_WAIT,  // it waits, and `to` goes on
    SEED_STAND, // it stands still for `to` nanoseconds: a fault
    SEED_TURN_KINDS
};

// What happens when vCPU cpu has passed so many points of its own.
struct seed_turn {
    enum seed_turn_kind kind;
    uint32_t cpu, to;
    uint64_t point;
    uint64_t place; // in whose code; 0: nobody's
    size_t order;   // among all turns of the run
};

// What the host answered to a request about a standard stream (FUSE's operations).
struct seed_answer {
    uint32_t operation, stream; // stream: 0, 1, 2
    bool is_late;               // a worker gave it, which may have waited
    bool is_cut;                // machine_transfer was asked how much of it there should be
    int error;                  // negative
    const char *data;
    size_t size;
};

// The hash of the run after so many points of all vCPUs.
struct seed_check {
    uint64_t point, hash;
};

// A run to be made again; hal-linux/seed/README.md has the file.
struct seed_recording {
    const char *name; // of the file
    char *processor, *directory;
    uint64_t kernel;
    uint64_t start_s;        // when the run began, as the host told it: what file.c hides is later
    bool spins_go;           // a vCPU that spins lets the next one go on
    struct seed_turn *turns; // by vCPU, by kind, by point
    size_t turn_count;
    struct seed_check *checks;
    size_t check_count;
    struct seed_answer *answers; // in their order
    size_t answer_count;
    struct seed_check end; // point 0: it need not be the same run
};

enum { SEED_CUTS_MAX = 8, SEED_NETWORK_MTU_MAX = 3000 };

// A simulated network, whose far end is a mirror (seed/mirror.h). Chances are of 2^32.
struct seed_network {
    uint64_t loss, duplicate, corrupt, reorder;
    hal_ns delay, jitter;
    uint64_t rate, queue; // bits per second, 0: any; bytes that wait for their turn at most
    uint16_t mtu;
    struct seed_cut { // nothing passes
        hal_ns from, until;
    } cuts[SEED_CUTS_MAX];
    uint32_t cut_count;
    int capture; // of capture_open; 0: none
};

struct seed_options {
    uint64_t seed;
    enum seed_schedule schedule;
    uint32_t depth;           // change points of SCHEDULE_PCT, preemptions of SCHEDULE_TURNS
    bool prints_hash;         // at the end, on standard error
    bool is_verbose;          // says on standard error what this host lacks
    const char *command;      // that repeats this run
    const char *command_rest; // the end of it, from behind its first word
    bool finds_races;
    uint64_t faults[SEED_FAULT_COUNT]; // chances, of 2^32
    uint64_t
        race_firsts[SEED_RACES_MAX]; // accesses whose stacks are kept: later ones race with them
    uint32_t race_first_count;
    const char *record;                  // the file for a recording of this run, or NULL
    bool records_meetings;               // where vCPUs meet is in it, too
    const struct seed_recording *replay; // the run to be made again, or NULL
    const char *const *words; // for record: the options of this run and PROGRAM; NULL ends
};

// Whether this is the seeded form.
bool machine_is_seeded(void);

// hal_boot.eager_max. The seeded form does as a kernel would where the seed is even.
size_t machine_eager_max(void);

// Hosted: before anything else. options is not read where the machine is not seeded.
void machine_init(const struct seed_options *options);

// Hosted, before machine_init: adds a HAL_NET device on that network, which stays the caller's. As
// device_add; -ENOSPC: there is one; -ENOTSUP: the machine is not seeded.
int machine_network_add(const char *name, const struct seed_network *network);

// Hosted: when all is known that core will be told.
void machine_prepare(const struct hal_boot *boot);

// Hosted: starts vCPU 0 in upcall_boot. 0 or -errno.
int machine_start(const struct hal_boot *boot);

// Hosted: what the main thread looks after while it waits. The answer is after how many nanoseconds
// it shall look again; UINT64_MAX: never.
uint64_t machine_watch(void);

// Hosted: called when the machine has halted. The answer is the exit status, which would be code.
int machine_end(enum hal_halt how, int code);

// [start, start + size) is mapped or unmapped, or becomes another context's stack.
void machine_memory_renew(const void *start, size_t size);

// The ELF object of that path is mapped at base.
void machine_object(const char *path, const char *base);

// What core learns of the host's files passes here: the seeded form hides what is another in each
// run. is_stream: of a standard stream. name: what such a one leads to, of *size bytes.
struct stat;
struct statfs;
void machine_status(struct stat *status, bool is_stream);
void machine_fs_status(struct statfs *status);
uint64_t machine_inode(uint64_t inode);
void machine_stream_name(char *name, size_t *size);

struct machine_entry { // of a directory: Linux's struct linux_dirent64
    uint64_t inode;
    int64_t next; // position behind it
    unsigned short size;
    unsigned char type;
    char name[];
};

// As getdents64 from position on, which is 0 or what an entry had for next: bytes, 0 at the end, or
// -errno. The seeded form lists entries by name. fd is closed after machine_directory_close.
long machine_directory_read(int fd, uint64_t position, char *to, size_t size);
void machine_directory_close(int fd);

// What the host answers about a standard stream is input of the run. Asked whether
// there are events now: how long the host has time to answer yes, in milliseconds. waits: who asks
// waits for them if not; then what nobody has waited for is taken out of *events.
int machine_stream_patience(uint32_t stream, uint32_t *events, bool waits);
void machine_stream_lost(uint32_t stream);                     // there were none in that time
void machine_stream_arrived(uint32_t stream, uint32_t events); // who waited has them
void machine_stream_taken(uint32_t stream);                    // what had arrived was read

// What of the events that there are on a stream the program is told.
uint32_t machine_stream_events(uint32_t events);

// Such an answer, of which data is what is behind the first `skip` bytes of the parts.
struct iovec;
void machine_stream_note(const struct seed_answer *answer, const struct iovec *parts,
                         uint32_t part_count, size_t skip);

// Whether a recording answers, and not the host: the next answer, at most room bytes of what was
// read; where no more is known its operation is 0.
bool machine_stream_known(uint32_t operation, uint32_t stream, size_t room,
                          struct seed_answer *answer);

// The host is about to take what may be long in coming; it has.
void machine_stream_busy(bool is_busy);

// Whether a request to a file system or a disk is served later, by a worker; and whether it answers
// EIO instead of being served (SEED_FAULT_IO, SEED_FAULT_DISK).
bool machine_is_late(void);
bool machine_is_failing(enum seed_fault kind);

// From here on the calling host thread asks for the host's files as that user, whom the program may
// have become: the host judges by it and gives it what is made. Where the host does not let this
// process do so, it is judged by what it is; core judges besides.
void machine_act_as(uint32_t uid, uint32_t gid);

// How many of the size bytes that a stream could take or give it does: at least 1, where size is.
size_t machine_transfer(size_t size);

// From the handler of a fault: true where the machine has carried out the instruction itself.
bool machine_emulate(int signal, int code, greg_t *general);

#endif
