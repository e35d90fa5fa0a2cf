// SPDX-License-Identifier: BSD-3-Clause
// vm.h: the application's address space: areas, mappings, protection, faults.
//
// Addresses and sizes are page multiples unless stated. Thread context, may block, unless stated.
// One mutex inside, and locks for faults of files (gate.h). On failure nothing has changed; but
// what VM_FIXED replaces may be gone when the machine has no table (or mapping) left for what comes
// in its place.
#ifndef CORE_VM_VM_H
#define CORE_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct vm_frames {
    hal_phys start;
    size_t size; // bytes
};

// Where the pages of a file mapping come from. Frames that find names are mapped themselves, by
// shared mappings and, read-only, by private ones, which copy a page when it is written. Without
// find a mapping is private and reads each page when it is made.
struct vm_pager {
    // Fills size bytes at to (direct map) from offset; what lies beyond the end of the file is
    // zeroed. 0 or -EIO.
    int (*read)(struct vm_pager *pager, uint64_t offset, char *to, size_t size);
    void (*get)(struct vm_pager *pager); // one more area uses it
    void (*put)(struct vm_pager *pager);
    // What /proc/self/maps shows. Valid while the pager is held.
    const char *(*name)(struct vm_pager *pager);
    uint64_t device, inode;

    // The rest may be NULL and 0 where find is. find, owns and written are called under locks of
    // the address space, by several threads at once: they take no lock under which anybody calls vm
    // or touches memory of the program, and wait for no device.

    // The frames of the file from offset on: 0 and where they are, 1 page to size bytes. is_made: a
    // hole gets pages. -ENOENT: a hole, found->size bytes of it or more. -EFAULT: beyond the end.
    // -ENOMEM. -EAGAIN: not here yet; prepare brings it.
    int (*find)(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                struct vm_frames *found);
    // Whether the page at offset is this one, found before and not cut since. True for any offset
    // where frames of such an address can be nobody else's.
    bool (*owns)(struct vm_pager *pager, uint64_t offset, hal_phys page);
    void (*written)(struct vm_pager *pager); // somebody began to write through a mapping
    // Before a shared mapping that may be written: -EPERM where there must be none. May block.
    int (*claim)(struct vm_pager *pager);
    // Before frames of the range are asked for, and when find has said -EAGAIN for where it starts;
    // what lies further on may be left to later calls. May block. -ENOMEM, and what the device
    // says.
    int (*prepare)(struct vm_pager *pager, uint64_t offset, size_t size);
    int (*sync)(struct vm_pager *pager); // msync(MS_SYNC). May block
    // Of the file: what lies beyond is not copied when it is mapped. NULL: it has no end.
    uint64_t (*size)(struct vm_pager *pager);
    size_t around;      // a fault maps what there is in an aligned piece of this size; 0: all
    const void *object; // the same for all pagers of a file: vm_cut
    bool is_kept_apart; // its mappings are counted: what was divided stays so
};

enum vm_flags {
    VM_FIXED = 1,       // at *va exactly, whatever is there is unmapped first
    VM_NOREPLACE = 2,   // with VM_FIXED: -EEXIST when anything is there
    VM_LAZY = 4,        // anonymous only: no memory until touched (thread stacks, reservations)
    VM_SHARED = 8,      // with a pager: one that has find
    VM_LOW = 16,        // in the first 2 GiB (MAP_32BIT)
    VM_STACK = 32,      // the program's first stack: as large as vm_stack_limit_set allows, seen as
                        // far as it was touched
    VM_POPULATE = 64,   // touched at once; anonymous: not lazy unless memory is scarce
    VM_READ_ONLY = 128, // vm_protect refuses HAL_WRITE
    VM_LOCKED = 256,    // mlock: the mark alone
    VM_ON_FAULT = 1024, // likewise, of MLOCK_ONFAULT; only with VM_LOCKED
    // Of a file of large pages: the range is whole ones, and so is each part of it that anybody
    // changes, which callers see to.
    VM_HUGE = 8192,
    VM_HUGE_PRIVATE = 16384,  // VM_HUGE, VM_SHARED, and nobody else has the file: told as private
    VM_LARGE_ADVISED = 32768, // MADV_HUGEPAGE, also of what may not be touched yet
    VM_SMALL_ADVISED = 65536, // MADV_NOHUGEPAGE
    VM_POLICY_SHIFT = 24, // the upper bits: a number of the caller's, which stays with the mapping
    VM_COPY = 512,        // private, of a file to which nobody writes: pages may be copied early
    VM_MOVED = 2048, // in place of another mapping that goes: no more for RLIMIT_AS, RLIMIT_DATA
    VM_GROWS = 4096, // anonymous: grows down to where it is touched (MAP_GROWSDOWN; grow.h)
};

#define VM_POLICY_MASK 0xff000000u
#define VM_ADVISED_MASK (VM_LARGE_ADVISED | VM_SMALL_ADVISED)

int vm_init(const struct hal_boot *boot);

// Whether va lies where mappings are made: all code of the program does, and no other. Any context.
bool vm_is_window(const char *va);

// Maps size bytes. *va is a hint (NULL: none) or, with VM_FIXED, the place; the result goes back
// there. pager NULL: anonymous, reads as zeros. prot of HAL_READ|HAL_WRITE|HAL_EXEC, 0 is a guard.
// -ENOMEM, -EEXIST, -EINVAL, -EIO, -ENODEV (VM_SHARED of a pager that only reads).
HAL_MUST_CHECK int vm_map(char **va, size_t size, unsigned prot, unsigned flags,
                          struct vm_pager *pager, uint64_t offset);
// Holes are fine. -EINVAL. -ENOMEM, only where the range has to be divided from what lies beside
// it.
HAL_MUST_CHECK int vm_unmap(char *va, size_t size);
HAL_MUST_CHECK int vm_protect(char *va, size_t size,
                              unsigned prot); // -ENOMEM: a hole. -EACCES: VM_READ_ONLY
HAL_MUST_CHECK int vm_remap(char **va, size_t old_size, size_t new_size, bool may_move);
HAL_MUST_CHECK int vm_discard(char *va,
                              size_t size); // MADV_DONTNEED: reads as zeros (or the file) again
// MADV_HUGEPAGE and MADV_NOHUGEPAGE: whether memory of the range comes in 2 MiB where it can; as
// mapped it does, but for what was mapped VM_LAZY. -ENOMEM: a hole, or no memory
HAL_MUST_CHECK int vm_advise_large(char *va, size_t size, bool may_be_large);
// mincore: a byte for each page goes to pages, memory of the program.
HAL_MUST_CHECK int vm_is_resident(char *va, size_t size, unsigned char *pages);

// Takes [from, to) of a file out of all mappings, and then calls remove while faults there wait, so
// that none finds a page in between: the pages may go when vm_cut has returned. copies: private
// copies of the pages go too (truncate), or stay (a hole is punched). -ENOMEM: nothing was removed.
// The caller may hold locks that find, owns and written do not take.
HAL_MUST_CHECK int vm_cut(const void *object, uint64_t from, uint64_t to, bool copies,
                          void (*remove)(void *argument), void *argument);

// The same without copies, where no mapping of [from, to) is locked (mlock), or shared and may be
// written: locks and the like may lie there, which core looks at where it cannot wait for a fault.
// -EBUSY, -ENOMEM: nothing was removed.
HAL_MUST_CHECK int vm_cut_idle(const void *object, uint64_t from, uint64_t to,
                               void (*remove)(void *argument), void *argument);

// The break, as brk(2): end NULL asks. Answers the break after the call.
char *vm_brk(char *end);

// Resolves a page fault at va (any address) for access (HAL_READ, HAL_WRITE or HAL_EXEC), or says
// false. Called by upcall_fault: any context. Anonymous memory comes without a lock or a wait (it
// may yield where interrupts are on). A page of a file comes under locks, for which a thread
// waits: not with interrupts off, and not for the thread that holds the mutex; there the answer is
// false. So who touches memory of the program under a lock must not take that lock in a pager, and
// a stack in a file mapping must have been touched before (core masks interrupts on it).
bool vm_fault(char *va, unsigned access);

// The same, and a page of a file waits for memory (core/sync/shrinker.h): for who holds no lock of
// core's.
bool vm_fault_patient(char *va, unsigned access);

// Why vm_fault said false, as things are now. Another thread may have changed them since.
enum vm_refusal {
    VM_NONE, // the access may be tried again
    VM_UNMAPPED,
    VM_FORBIDDEN,
    VM_NO_PAGE, // beyond the end of the file, or no memory for its page
};
enum vm_refusal vm_refusal(char *va, unsigned access);

struct vm_area_info {
    char *start, *end;
    unsigned prot, flags;
    uint64_t offset, device, inode;
    const char *name;   // of the pager, or "[heap]", "[stack]", or ""
    const void *object; // of the pager
};

// Calls visit for each area in ascending order until it says false. The mutex is held: visit must
// not call vm.
void vm_walk(bool (*visit)(const struct vm_area_info *area, void *argument), void *argument);
// The same, with how many pages of each area are there: it looks at each.
struct vm_pages {
    size_t own;   // in frames of the area's: anonymous memory, and private copies of a file's
    size_t large; // of these, anonymous ones that are mapped by 2 MiB
    size_t file;  // the file's own frames
    size_t nodes[HAL_NODE_MAX]; // all of these, where there are several nodes
};
void vm_walk_pages(bool (*visit)(const struct vm_area_info *area, const struct vm_pages *pages,
                                 void *argument),
                   void *argument);
void vm_name_set(char *va, const char *name); // static text, for anonymous areas

size_t vm_mapped_bytes(void); // without what is reserved for the break

// RLIMIT_AS and RLIMIT_DATA: bytes of all mappings, and of those that are private and may be
// written; SIZE_MAX: no limit. What would exceed them is -ENOMEM.
void vm_limit_set(size_t size, size_t data_size);

// RLIMIT_STACK: how large what grows may become. The first stack is made so large, where there is
// room, or so small as what was touched of it allows. SIZE_MAX: no limit.
void vm_stack_limit_set(size_t size);

// Where va is in the first stack: how far that may come to reach, as the limit is now. False: it is
// not.
HAL_MUST_CHECK bool vm_stack_get(const char *va, char **start, size_t *size);

// Maps the first stack, "[stack]" in /proc: *size bytes at *stack. -ENOMEM.
HAL_MUST_CHECK int vm_stack_map(char **stack, size_t *size);

#endif
