// SPDX-License-Identifier: BSD-3-Clause
// hal.h: everything core/ may ask of the machine, and nothing else.
//
// A back-end is one directory that defines every function below. It is chosen
// at link time; there is no table of function pointers and no #ifdef.
//
// Contracts that hold for every function unless its comment says otherwise:
//   - Callable from any CPU and any context, interrupts on or off.
//   - Never blocks, never allocates, never calls back into core/.
//   - int results are 0 or a negative errno; void functions cannot fail.
//   - Addresses and lengths of mappings are page multiples, never zero.
// What the machine calls in core/ is in upcall.h.
#ifndef HAL_HAL_H
#define HAL_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAL_MUST_CHECK __attribute__((warn_unused_result))
#define HAL_NORETURN   __attribute__((noreturn))

enum {
    HAL_PAGE_SIZE = 4096,
    HAL_DIRECT_ALIGN = 2 << 20,
    HAL_CPU_MAX = 256,
    HAL_NODE_MAX = 16,
    HAL_ENTRY_STACK = 32768,
    HAL_STACK_PROBE = 2048
};

typedef uint64_t hal_ns;   // a time or a span, in nanoseconds
typedef uint64_t hal_phys; // a machine address; never a pointer

struct cpu;        // core's per-CPU state; the machine only carries the pointer
struct hal_dev;    // one device, opaque
struct hal_frame;  // registers saved on entry from interrupt, fault or syscall
struct hal_regs;   // all registers of a context, laid out in hal_regs.h, which is found by include path

// ---- Facts: what the machine found before it called upcall_boot ----------

enum hal_dev_kind { HAL_BLOCK, HAL_NET, HAL_CONSOLE, HAL_FS, HAL_ENTROPY, HAL_BALLOON };

struct hal_region {
    hal_phys start;
    size_t size;
};

struct hal_dev_info {
    struct hal_dev *dev;
    enum hal_dev_kind kind;
    uint32_t queue_count; // hal_dev_open changes it where features do
    const char *name; // "vda", "host:/srv/www": for people, not for parsing
    // The device's shared memory (virtio 1.2, 2.10), readable at direct_base + start; hal_map maps it, too.
    // What the device has put there may go away: read it by hal_copy_safe. Where hal_map mapped it, it is
    // then HAL_FAULT_BUS. size 0: none.
    struct hal_region shared;
};

struct hal_range {
    char *va;
    size_t size;
};

struct hal_cpu_set {
    uint64_t words[HAL_CPU_MAX / 64];
};

struct hal_module { // a file that came with the boot: a root image, say
    const char *name;
    hal_phys start;
    size_t size;
};

struct hal_node_memory {
    struct hal_region region;
    uint32_t node;
};

// Which CPUs and memory lie together.
struct hal_nodes {
    uint32_t count;                                // 1 .. HAL_NODE_MAX
    const struct hal_node_memory *memory;          // sorted, disjoint; what is in none goes with what lies behind it
    size_t memory_count;
    uint8_t cpus[HAL_CPU_MAX];                     // the node of each
    uint8_t distances[HAL_NODE_MAX][HAL_NODE_MAX]; // as ACPI's SLIT has them: 10 is a node's own
};

struct hal_boot {
    const char *const *args;          // options, then the program and its arguments; NULL ends
    const char *const *env;           // NULL ends
    uint32_t cpu_count;               // 1 .. HAL_CPU_MAX
    char *direct_base;                // phys p is readable at direct_base + p; a multiple of HAL_DIRECT_ALIGN
    char *va_base;                    // the window that hal_map may use; reserved, all unmapped
    size_t va_size;
    char *low_base;                   // a second window, for programs linked at fixed low addresses
    size_t low_size;                  // (ET_EXEC); 0: this machine has none
    const struct hal_region *regions; // usable RAM, sorted, disjoint
    size_t region_count;
    const struct hal_nodes *nodes;    // NULL: there is one
    bool memory_is_zero;              // nothing but the modules and the image has been written to it
    bool is_checked;                  // a memory checker watches: hal_check_set wants to be told
    size_t eager_max;                 // memory up to this size is better mapped at once than by page faults
    const struct hal_module *modules;
    size_t module_count;
    const struct hal_dev_info *devs;
    size_t dev_count;
    const char *image;                // core's own ELF image, for unwinding and symbols
    size_t image_size;
    const char *image_path;           // the host's name of the file that it came from; NULL: unknown
    const char *image_file;           // that file's bytes, with the symbol table; NULL: not here
    size_t image_file_size;
    const char *scratch;              // part of the image: stacks of the machine's own, where words stay that
    size_t scratch_size;              // mean nothing any more; 0: there is none
};

// ---- CPUs ----------------------------------------------------------------

// The pointer given to hal_cpu_start (or hal_cpu_adopt) for this CPU.
// The answer is stale as soon as the caller can be preempted.
static inline struct cpu *hal_cpu_self(void);

// Gives the boot CPU its pointer. Called once, first thing in upcall_boot.
void hal_cpu_adopt(struct cpu *cpu);

// Starts CPU index (1 .. cpu_count-1) in upcall_cpu, interrupts off, on the stack of size bytes at stack.
HAL_MUST_CHECK int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size);

// Makes upcall_kick run on CPU index soon. Kicks coalesce; none is lost; one sent before hal_cpu_start
// waits for it. The own CPU may be kicked.
void hal_cpu_kick(uint32_t index);

// Waits for an interrupt. Interrupts are off on entry and on return, and are
// delivered in between: one that arrived just before the call still ends it.
// Returns only after at least one upcall.
void hal_cpu_idle(void);

// Looks for an interrupt, and for one of the count words to be other than 0, until `until` at most, and
// does not halt: who raises an interrupt meanwhile need do no more than write memory, nor need who writes
// the words kick. Interrupts are off on entry and on return, and are delivered in between. May return early,
// and does at once where it would take the CPU that looks from others that have work.
void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until);

// Tells the core it is in a spin loop.
static inline void hal_cpu_relax(void);

// ---- Interrupts on this CPU ----------------------------------------------

// Turns delivery off and returns the previous state, which hal_irq_restore understands. Nests. Where it was on,
// memory down to HAL_STACK_PROBE below sp has been touched: masked code that stays within it takes no
// page fault on an application's stack.
static inline uintptr_t hal_irq_save(void);

// Restores the state; delivers what became pending if that turns delivery on. 0 is a state in which it is on: a new
// context, which starts with interrupts off, begins with it, and who knows that they were on need not keep the state.
static inline void hal_irq_restore(uintptr_t state);

static inline bool hal_irq_enabled(void);

// ---- Contexts ------------------------------------------------------------

// Interrupt, fault and syscall frames, and the upcalls that they lead to, live on entry_stack, or
// below sp where sp is in it already: never on the application's stack, whose red zone is its own
// and which may be tiny (Go) or not there yet (lazily touched).
struct hal_context {
    void *sp;          // everything else is on the stack
    void *tp;          // the thread pointer, carried by a switch
    void *self;        // core's pointer for this context, what hal_self returns while it runs
    void *entry_stack; // top; pinned memory; HAL_ENTRY_STACK bytes: a system call, and on it a fault that blocks
                       // and an interrupt, each with a frame of up to 3 KiB (deepest seen: 14 KiB in all)
};

// The running context's self: one load, so never stale, whatever preempts it.
static inline void *hal_self(void);

// Makes context call entry(arg), interrupts off, once it is switched to, on the stack of size bytes at
// stack, whose highest page must be mapped: it is written. tp, self and entry_stack are set by the
// caller. entry must not return. Tools (Valgrind, ASan, TSan) learn here where stacks are.
void hal_context_init(struct hal_context *context, char *stack, size_t size, void (*entry)(void *),
                      void *arg);

// Saves this context in from and resumes to. Interrupts are off throughout. Callee-saved registers and
// the floating-point control words only: the compiler holds the rest; the flags register is not switched,
// tp is saved as it is now. When it returns, in to, from is complete and may be resumed elsewhere, not
// before: a thread that changes CPU is published by whoever runs next on the old one.
void hal_context_switch(struct hal_context *from, const struct hal_context *to);

// The registers of a context that is switched out, as far as a switch keeps them, where it called
// hal_context_switch; the others are 0.
void hal_context_get(const struct hal_context *context, struct hal_regs *regs);

// Sets the running context's thread pointer (FS base, TPIDR_EL0).
void hal_tp_set(void *tp);

// Copies an interrupted register image out of, or into, a frame: all that signals need.
void hal_frame_get(const struct hal_frame *frame, struct hal_regs *regs);
void hal_frame_set(struct hal_frame *frame, const struct hal_regs *regs);

// Loads every register from regs, turns interrupts on and goes on at its instruction pointer: how a signal
// handler returns. regs may lie on the stack that is left. Interrupts may be on or off.
HAL_NORETURN void hal_regs_resume(const struct hal_regs *regs);

// ---- Time ----------------------------------------------------------------

// Nanoseconds since boot. Monotonic and the same on every CPU.
hal_ns hal_clock_ns(void);

// Nanoseconds since 1970 UTC, less than 2^63. May step: HAL_NOTICE_CLOCK follows.
hal_ns hal_clock_wall_ns(void);

// Runs upcall_timer on this CPU at or after deadline; replaces any earlier
// deadline. UINT64_MAX disarms.
void hal_timer_set(hal_ns deadline);

// ---- Memory --------------------------------------------------------------

enum hal_prot {
    HAL_READ = 1,
    HAL_WRITE = 2,
    HAL_EXEC = 4,
    HAL_DEVICE = 8, // uncached, strongly ordered
};

// Maps [va, va+size) to [pa, pa+size), which is memory, or shared memory of a device where it has put
// something. Every page must be unmapped. May call upcall_table_get. -ENOMEM: no table; -EACCES: what the
// device has put there does not allow prot; nothing was mapped.
HAL_MUST_CHECK int hal_map(char *va, hal_phys pa, size_t size, unsigned prot);

// Changes protection of mapped pages, or removes them, in the tables. Other CPUs may hold the old
// translation until hal_tlb_flush. -ENOMEM: splitting a large mapping failed; nothing changed.
HAL_MUST_CHECK int hal_protect(char *va, size_t size, unsigned prot);
HAL_MUST_CHECK int hal_unmap(char *va, size_t size);

// On return no CPU in cpus holds an old translation of the ranges. May wait for them: interrupts
// on, no lock that an interrupt takes.
void hal_tlb_flush(const struct hal_range *ranges, size_t count, const struct hal_cpu_set *cpus);

// What flushes have been, since boot. Figures: a moment's.
struct hal_tlb_counts {
    uint64_t remote;    // that concerned other CPUs, asleep or not
    uint64_t received;  // interrupts that CPUs took for others' flushes
    uint64_t local_all; // of everything, on the CPU that asked
    uint64_t local_one; // of single pages, there
};
void hal_tlb_count(struct hal_tlb_counts *counts);

// Sets bits[i] where page i of the range may have been written since the last call, or was mapped or got its
// rights since, and clears the mark. A machine that cannot tell answers yes for every mapped page.
void hal_dirty_take(char *va, size_t size, uint64_t *bits);

// Memory at va, mapped by hal_map or in the direct map, is about to be written, nearly all of it: a machine whose
// own memory comes page by page brings it at once. Only a matter of speed.
void hal_populate(char *va, size_t size);

// What va is mapped to. -EFAULT: nothing.
HAL_MUST_CHECK int hal_translate(const char *va, hal_phys *pa, unsigned *prot);

// What the machine keeps of the mapping that va lies in. -EFAULT: nothing.
struct hal_page {
    size_t size;   // a page, or 2 MiB where the machine maps so much at once; va lies within
    unsigned prot;
    bool is_dirty; // as hal_dirty_take would say, of any of it
};
HAL_MUST_CHECK int hal_page_look(const char *va, struct hal_page *page);

// Makes freshly written instructions in [va, va+size) visible to every CPU.
void hal_code_sync(char *va, size_t size);

// memcpy that survives a bad pointer on either side. Where upcall_fault resolves the fault (returns
// true, perhaps after blocking) it goes on. -EFAULT: it did not; some bytes of target may have changed.
HAL_MUST_CHECK int hal_copy_safe(void *target, const void *source, size_t size);

// ---- Devices: a virtio transport, whoever is on the other end -------------

struct hal_ring {
    hal_phys desc, avail, used; // virtio 1.x split ring, laid out by core/virtio
    uint16_t size;
};

// Resets dev and negotiates: *features holds what the driver wants on entry
// and what it got on return. -ENODEV: the device refuses.
HAL_MUST_CHECK int hal_dev_open(struct hal_dev *dev, uint64_t *features);

// Attaches a ring to queue index; its interrupts go to cpu. All queues are attached before hal_dev_go.
// -EINVAL: no such queue, or a ring that is longer than the device takes (an entropy device takes 8 entries, others
// 64 at least). -ENOSPC: the machine has no interrupt left. Queues share one where the device has too few.
HAL_MUST_CHECK int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring,
                                 uint32_t cpu);

// Lets the device run. From here upcall_dev may name it; with HAL_DEV_CONFIG only where the device has room
// for one more interrupt than its queues need, or they share one (HAL_DEV_ALL). -ENOSPC, -EINVAL.
HAL_MUST_CHECK int hal_dev_go(struct hal_dev *dev);

// Stops the device. On return it touches no ring and no buffer.
void hal_dev_stop(struct hal_dev *dev);

// Reads size bytes of device configuration at offset, untorn.
void hal_dev_config(struct hal_dev *dev, uint32_t offset, void *out, size_t size);

// Writes device configuration (balloon size, write-back cache, ...).
void hal_dev_config_write(struct hal_dev *dev, uint32_t offset, const void *in, size_t size);

// Tells the device that queue index has new descriptors. A far end in this process may complete what
// does not block before it returns.
void hal_dev_kick(struct hal_dev *dev, uint32_t index);

// ---- Memory checkers -----------------------------------------------------
//
// Where hal_boot.is_checked, a tool knows of each byte of the machine whether it may be used (Valgrind's
// Memcheck; AddressSanitizer's run-time needs no more). It learns here what only core knows. Elsewhere core
// calls hal_check_object only, which does nothing.

enum hal_check {
    HAL_CHECK_CLOSED,    // nobody may touch it
    HAL_CHECK_VALID,     // it may be read and written
    HAL_CHECK_FRESH,     // it may be written, and read where it was written
    HAL_CHECK_ALLOCATED, // the same, and it is a block of the heap: the checker remembers who asked for it
    HAL_CHECK_CLEARED,   // such a block, of zeros
    HAL_CHECK_FREED,     // that block is closed; what was none is reported
};

// From now on [start, start+size) is so. A block's red zones are not part of it.
void hal_check_set(enum hal_check state, const void *start, size_t size);

// True where every byte may be read and has a value; nothing is reported.
bool hal_check_is_valid(const void *start, size_t size);

// The ELF object of that path is mapped, base is what its addresses count from, and no code of it has run: the
// checker, which sees only memory, reads its symbols.
void hal_check_object(const char *path, char *base);

// ---- Applications compiled with -fsanitize=thread --------------------------
//
// What compilers then call at each access to memory, __tsan_NAME, is the machine's to define, as
// hal_tsan_NAME; hal/common/tsan.h has all of them. core only lets applications find them. Atomic operations
// are among them, so they work on every machine; one that looks at accesses learns of them here, and an
// interrupt may come as behind any instruction of an application.

// ---- Faults that a machine plants ------------------------------------------
//
// Asked after boot only, where the caller may fail or do less on behalf of the application. The answer is
// a constant false on machines that plant none; the seeded machine draws it.

enum hal_inject {
    HAL_INJECT_PAGE,  // no page frame is left
    HAL_INJECT_SHORT, // a read gives less than there is
};

static inline bool hal_inject(enum hal_inject kind);

// ---- The rest ------------------------------------------------------------

// Writes bytes for a person to read. Best effort; usable while crashing.
void hal_console_write(const char *text, size_t size);

// Fills out with unpredictable bytes.
void hal_entropy(void *out, size_t size);

enum hal_halt { HAL_POWER_OFF, HAL_REBOOT, HAL_CRASH };

// Stops every CPU for good. code reaches the host where there is one.
HAL_NORETURN void hal_halt(enum hal_halt how, int code);

#include "hal_inline.h" // the back-end's inline bodies; found by include path

#endif
