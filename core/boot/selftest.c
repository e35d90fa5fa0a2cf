// SPDX-License-Identifier: BSD-3-Clause
// selftest.c: what core expects of a machine, tried on the machine: memory, mappings, contexts,
// interrupts, faults, and the threads and locks that stand on them.
//
// The same checks run on every machine. They come in the order in which one needs the other, so the
// first failure is the one to look at.
#include "core/boot/selftest.h"

#include <stdatomic.h>

#include "core/dev/device.h"
#include "core/dev/entropy.h"
#include "core/dev/net.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/condvar.h"
#include "core/sync/mutex.h"
#include "core/vm/vm.h"

static const hal_ns millisecond = 1000000, second = 1000000000;

enum {
    LARGE_FRAMES = 512,
    LARGE_SIZE = LARGE_FRAMES * HAL_PAGE_SIZE,
    FAULT_PAGES = 16,
    SWITCHES = 1000,
    TURNS = 1000,
    SERIES_LENGTH = 2000000,
    HEAP_BLOCKS = 64,
    PACKETS = 200,         // more than a ring takes
    YEARS_SINCE_1970 = 50, // at least
};

// ---- Memory -----------------------------------------------------------------

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool frames_check(void)
{
    const size_t before = frame_free_count();
    hal_phys one, many;
    if (frame_alloc(1, FRAME_ZERO, &one) != 0) {
        return false;
    }
    if (frame_alloc(LARGE_FRAMES, FRAME_ZERO, &many) != 0) {
        frame_free(one, 1);
        return false;
    }
    bool right = is_zero(frame_address(one), HAL_PAGE_SIZE) &&
                 is_zero(frame_address(many), LARGE_SIZE) && many % LARGE_SIZE == 0 &&
                 frame_of(frame_address(many)) == many;
    memset(frame_address(one), 0xa5, HAL_PAGE_SIZE);
    right = right && is_zero(frame_address(many), LARGE_SIZE);
    frame_free(one, 1);
    frame_free(many, LARGE_FRAMES);
    return right && frame_free_count() == before;
}

static bool heap_check(void)
{
    unsigned char *blocks[HEAP_BLOCKS];
    bool right = true;
    for (size_t i = 0; i < HEAP_BLOCKS; ++i) {
        blocks[i] = heap_alloc(i * 37);
        right = right && blocks[i] != NULL && (uintptr_t)blocks[i] % 16 == 0;
        if (blocks[i] != NULL) {
            memset(blocks[i], (int)i, i * 37);
        }
    }
    for (size_t i = 0; i < HEAP_BLOCKS; ++i) {
        for (size_t at = 0; right && at < i * 37; ++at) {
            right = blocks[i][at] == i;
        }
        heap_free(blocks[i]);
    }
    return right;
}

// ---- Mappings ---------------------------------------------------------------

// Addresses of the window that are nobody else's, aligned to 2 MiB, and nothing mapped there.
static char *window_take(char **area)
{
    *area = NULL;
    if (vm_map(area, 2 * LARGE_SIZE, HAL_READ | HAL_WRITE, VM_LAZY, NULL, 0) != 0) {
        return NULL;
    }
    return (char *)(((uintptr_t)*area + LARGE_SIZE - 1) & ~(uintptr_t)(LARGE_SIZE - 1));
}

static void flush(char *va, size_t size)
{
    const struct hal_range range = {.va = va, .size = size};
    struct hal_cpu_set all;
    memset(&all, 0xff, sizeof all);
    hal_tlb_flush(&range, 1, &all);
}

static bool is_mapped(const char *va, hal_phys expected, unsigned expected_prot)
{
    hal_phys pa;
    unsigned prot;
    return hal_translate(va, &pa, &prot) == 0 && pa == expected && prot == expected_prot;
}

static bool is_unmapped(const char *va)
{
    hal_phys pa;
    unsigned prot;
    return hal_translate(va, &pa, &prot) == -EFAULT;
}

// Maps size bytes at frame, uses them by both addresses, changes the rights of the middle page and
// takes all away.
static bool mapping_is_right(char *va, hal_phys frame, size_t size)
{
    const unsigned both = HAL_READ | HAL_WRITE;
    char *direct = frame_address(frame);
    const size_t middle = size / 2 / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    if (!is_unmapped(va) || hal_map(va, frame, size, both) != 0) {
        return false;
    }
    va[0] = 'a';
    va[size - 1] = 'z';
    bool right = is_mapped(va, frame, both) && is_mapped(va + size - 1, frame + size - 1, both);
    right = right && direct[0] == 'a' && direct[size - 1] == 'z';
    right = right && hal_protect(va + middle, HAL_PAGE_SIZE, HAL_READ) == 0;
    flush(va, size);
    right = right && is_mapped(va + middle, frame + middle, HAL_READ);
    right = right && (size == HAL_PAGE_SIZE || is_mapped(va, frame, both));
    right = right && va[0] == 'a' && va[size - 1] == 'z';
    right = right && hal_unmap(va, size) == 0;
    flush(va, size);
    return right && is_unmapped(va) && is_unmapped(va + middle) && is_unmapped(va + size - 1);
}

static bool mapping_check(size_t frames)
{
    char *area;
    hal_phys frame;
    char *va = window_take(&area);
    if (va == NULL || frame_alloc(frames, FRAME_ZERO, &frame) != 0) {
        return false;
    }
    const bool right = mapping_is_right(va, frame, frames * HAL_PAGE_SIZE);
    frame_free(frame, frames);
    return vm_unmap(area, 2 * LARGE_SIZE) == 0 && right;
}

static bool page_check(void)
{
    return mapping_check(1);
}

static bool large_page_check(void)
{
    return mapping_check(LARGE_FRAMES);
}

// ---- Contexts ---------------------------------------------------------------

struct pair {
    struct hal_context here, there;
    int turns;
    bool self_is_right;
};

enum { PAIR_STACK_SIZE = 16384 };

static void pair_entry(void *argument)
{
    struct pair *pair = argument;
    for (;;) {
        pair->self_is_right = hal_self() == &pair->there && !hal_irq_enabled();
        ++pair->turns;
        hal_context_switch(&pair->there, &pair->here);
    }
}

static bool pair_check(char *stack, char *entry_stack)
{
    struct thread *self = thread_self();
    struct pair pair = {
        .here = {.self = self, .entry_stack = self->context.entry_stack},
        .there = {.self = &pair.there, .entry_stack = entry_stack + HAL_ENTRY_STACK},
    };
    hal_context_init(&pair.there, stack, PAIR_STACK_SIZE, pair_entry, &pair);
    const uintptr_t state = hal_irq_save();
    bool right = true;
    for (int i = 1; right && i <= SWITCHES; ++i) {
        hal_context_switch(&pair.here, &pair.there);
        pair.there.tp = pair.here.tp;
        right = pair.turns == i && pair.self_is_right && thread_self() == self;
    }
    hal_irq_restore(state);
    return right;
}

static bool context_check(void)
{
    enum { FRAMES = (PAIR_STACK_SIZE + HAL_ENTRY_STACK) / HAL_PAGE_SIZE };
    hal_phys stacks;
    if (frame_alloc(FRAMES, 0, &stacks) != 0) {
        return false;
    }
    char *stack = frame_address(stacks);
    const bool right = pair_check(stack, stack + PAIR_STACK_SIZE);
    frame_free(stacks, FRAMES);
    return right;
}

// ---- Time and interrupts ------------------------------------------------------

static bool clock_check(void)
{
    const hal_ns start = hal_clock_ns();
    hal_ns last = start;
    for (int i = 0; i < 10000; ++i) {
        const hal_ns now = hal_clock_ns();
        if (now < last) {
            return false;
        }
        last = now;
    }
    return last > start && hal_clock_wall_ns() / second > YEARS_SINCE_1970 * 365ull * 86400;
}

static struct hal_cpu_set cpu_only(uint32_t index)
{
    struct hal_cpu_set set = {.words = {0}};
    set.words[index / 64] = 1ull << index % 64;
    return set;
}

// Runs entry on a thread of this CPU, and until it has ended or the time is up does what a thread
// does that never gives way.
static bool beside_busy_thread(void (*entry)(void *), void *argument, _Atomic bool *ended)
{
    struct thread *thread;
    struct hal_cpu_set old, here = cpu_only(thread_cpu_index());
    thread_affinity_get(thread_self(), &old);
    if (thread_affinity_set(thread_self(), &here) != 0) {
        return false;
    }
    const struct thread_config config = {.name = "beside", .affinity = &here};
    bool right = thread_create(&thread, &config, entry, argument) == 0;
    if (right) {
        thread_start(thread);
        const hal_ns deadline = hal_clock_ns() + 10 * second;
        while (!atomic_load(ended) && hal_clock_ns() < deadline) {
            hal_cpu_relax();
        }
        right = atomic_load(ended) && thread_join(thread, UINT64_MAX);
    }
    return thread_affinity_set(thread_self(), &old) == 0 && right;
}

static void flag_raise(void *flag)
{
    atomic_store((_Atomic bool *)flag, true);
}

static bool timer_check(void)
{
    _Atomic bool flag = false;
    return beside_busy_thread(flag_raise, &flag, &flag);
}

static volatile double series_start = 1; // or the compiler sums once for all

// A few time slices of arithmetic in vector registers.
static double series(void)
{
    double sum = series_start;
    for (int i = 0; i < SERIES_LENGTH; ++i) {
        sum = sum * 0.9999999 + 0.25;
    }
    return sum;
}

struct sums {
    double other;
    _Atomic bool ended;
};

static void series_run(void *argument)
{
    struct sums *sums = argument;
    sums->other = series();
    atomic_store(&sums->ended, true);
}

static bool vector_check(void)
{
    const double expected = series();
    struct sums sums = {.other = 0};
    struct thread *thread;
    const struct thread_config config = {.name = "series"};
    if (thread_create(&thread, &config, series_run, &sums) != 0) {
        return false;
    }
    thread_start(thread);
    bool right = true;
    for (int i = 0; i < 3; ++i) {
        right = right && series() == expected;
    }
    return thread_join(thread, UINT64_MAX) && right && sums.other == expected;
}

// ---- Faults -----------------------------------------------------------------

static bool fault_check(void)
{
    char *area = NULL;
    if (vm_map(&area, FAULT_PAGES * HAL_PAGE_SIZE, HAL_READ | HAL_WRITE, VM_LAZY, NULL, 0) != 0) {
        return false;
    }
    bool right = true;
    for (int i = 0; i < FAULT_PAGES; ++i) {
        char *page = area + (size_t)i * HAL_PAGE_SIZE;
        hal_phys pa;
        unsigned prot;
        right = right && page[HAL_PAGE_SIZE - 1] == 0;
        page[0] = (char)(i + 1);
        right = right && hal_translate(page, &pa, &prot) == 0 && *frame_address(pa) == i + 1;
    }
    return vm_unmap(area, FAULT_PAGES * HAL_PAGE_SIZE) == 0 && right && is_unmapped(area);
}

static bool copy_check(void)
{
    char *area = NULL, bytes[48];
    if (vm_map(&area, 2 * HAL_PAGE_SIZE, HAL_READ | HAL_WRITE, VM_LAZY, NULL, 0) != 0 ||
        vm_protect(area + HAL_PAGE_SIZE, HAL_PAGE_SIZE, 0) != 0) {
        return false;
    }
    char *end = area + HAL_PAGE_SIZE;
    bool right = hal_copy_safe(end - 5, "hello", 5) == 0 && hal_copy_safe(bytes, end - 5, 5) == 0 &&
                 memcmp(bytes, "hello", 5) == 0;
    right = right && hal_copy_safe(bytes, end - 5, sizeof bytes) == -EFAULT &&
            hal_copy_safe(end - 5, bytes, sizeof bytes) == -EFAULT &&
            hal_copy_safe(bytes, (char *)16, 1) == -EFAULT;
    return vm_unmap(area, 2 * HAL_PAGE_SIZE) == 0 && right;
}

// ---- Threads and locks --------------------------------------------------------

struct game {
    struct mutex mutex;
    struct condvar condvar;
    int turn; // even: the first player's. With mutex
};

static void game_play(struct game *game, int player)
{
    mutex_lock(&game->mutex);
    while (game->turn < TURNS) {
        if (game->turn % 2 == player) {
            ++game->turn;
            condvar_wake_one(&game->condvar);
        } else {
            condvar_wait(&game->condvar, &game->mutex);
        }
    }
    mutex_unlock(&game->mutex);
}

static void game_second(void *argument)
{
    game_play(argument, 1);
}

static bool condvar_check(void)
{
    struct game game;
    memset(&game, 0, sizeof game);
    struct thread *thread;
    const struct thread_config config = {.name = "second"};
    if (thread_create(&thread, &config, game_second, &game) != 0) {
        return false;
    }
    thread_start(thread);
    game_play(&game, 0);
    return thread_join(thread, UINT64_MAX) && game.turn == TURNS;
}

static bool sleep_check(void)
{
    const hal_ns start = hal_clock_ns();
    thread_sleep_until(start + 20 * millisecond);
    const hal_ns slept = hal_clock_ns() - start;
    return slept >= 20 * millisecond && slept < 5 * second;
}

// The clock of each goes on from the last one's, and its timer rings.
static bool cpus_check(void)
{
    struct hal_cpu_set old;
    thread_affinity_get(thread_self(), &old);
    bool right = true;
    hal_ns last = hal_clock_ns();
    for (uint32_t i = 0; i < sched_cpu_count(); ++i) {
        const struct hal_cpu_set set = cpu_only(i);
        right = right && thread_affinity_set(thread_self(), &set) == 0 && thread_cpu_index() == i;
        const hal_ns now = hal_clock_ns();
        right = right && now >= last;
        thread_sleep_until(now + millisecond);
        last = hal_clock_ns();
        right = right && last >= now + millisecond && thread_cpu_index() == i;
    }
    return thread_affinity_set(thread_self(), &old) == 0 && right;
}

// Looks at a page, and again when it has become another one, each on a CPU of its own.
struct reader {
    const volatile char *page;
    _Atomic uint32_t *looked_count;
    const _Atomic bool *is_new;
    struct thread *thread;
    bool is_right;
};

static void reader_run(void *argument)
{
    struct reader *reader = argument;
    const char first = *reader->page;
    atomic_fetch_add(reader->looked_count, 1);
    while (!atomic_load(reader->is_new)) {
        thread_sleep_until(hal_clock_ns() + millisecond);
    }
    reader->is_right = first == 'a' && *reader->page == 'b';
}

// One for each CPU. Answers how many there are when all of them have looked.
static uint32_t readers_start(struct reader *readers, const struct reader *like)
{
    uint32_t count = 0;
    for (bool right = true; right && count < sched_cpu_count(); count += right) {
        struct reader *reader = &readers[count];
        const struct hal_cpu_set set = cpu_only(count);
        const struct thread_config config = {.name = "reader", .affinity = &set};
        *reader = *like;
        right = thread_create(&reader->thread, &config, reader_run, reader) == 0;
        if (right) {
            thread_start(reader->thread);
        }
    }
    while (atomic_load(like->looked_count) != count) {
        thread_sleep_until(hal_clock_ns() + millisecond);
    }
    return count;
}

// Behind va is first frame's page and then the one after it.
// readers: one for each CPU.
static bool translations_are_new(char *va, hal_phys frame, struct reader *readers)
{
    _Atomic uint32_t looked_count = 0;
    _Atomic bool is_new = false;
    const struct reader like = {.page = va, .looked_count = &looked_count, .is_new = &is_new};
    memset(frame_address(frame), 'a', HAL_PAGE_SIZE);
    memset(frame_address(frame) + HAL_PAGE_SIZE, 'b', HAL_PAGE_SIZE);
    if (hal_map(va, frame, HAL_PAGE_SIZE, HAL_READ) != 0) {
        return false;
    }
    const uint32_t count = readers_start(readers, &like);
    bool right = count == sched_cpu_count() && hal_unmap(va, HAL_PAGE_SIZE) == 0 &&
                 hal_map(va, frame + HAL_PAGE_SIZE, HAL_PAGE_SIZE, HAL_READ) == 0;
    flush(va, HAL_PAGE_SIZE);
    atomic_store(&is_new, true);
    for (uint32_t i = 0; i < count; ++i) {
        right = thread_join(readers[i].thread, UINT64_MAX) && readers[i].is_right && right;
    }
    right = hal_unmap(va, HAL_PAGE_SIZE) == 0 && right;
    flush(va, HAL_PAGE_SIZE);
    return right;
}

static bool flush_check(void)
{
    char *area;
    hal_phys frame;
    char *va = window_take(&area);
    struct reader *readers = heap_alloc(sched_cpu_count() * sizeof *readers);
    if (va == NULL || readers == NULL || frame_alloc(2, 0, &frame) != 0) {
        return false;
    }
    const bool right = translations_are_new(va, frame, readers);
    frame_free(frame, 2);
    heap_free(readers);
    return vm_unmap(area, 2 * LARGE_SIZE) == 0 && right;
}

static bool entropy_check(void)
{
    unsigned char first[32], again[32];
    hal_entropy(first, sizeof first);
    hal_entropy(again, sizeof again);
    return memcmp(first, again, sizeof first) != 0 && !is_zero((char *)first, sizeof first);
}

// A machine without one has nothing to show.
static bool entropy_device_check(void)
{
    struct entropy_device *device;
    const struct hal_dev_info *info = device_find(HAL_ENTROPY, NULL);
    if (info == NULL) {
        return true;
    }
    char first[100], again[100];
    return entropy_device_open(info, &device) == 0 &&
           entropy_device_read(device, first, sizeof first) == 0 &&
           entropy_device_read(device, again, sizeof again) == 0 &&
           memcmp(first, again, sizeof first) != 0 && !is_zero(first, sizeof first) &&
           !is_zero(again, sizeof again);
}

// ---- The network ------------------------------------------------------------

// RFC 826 for Ethernet and IPv4, with the Ethernet header.
struct arp_frame {
    uint8_t target[NET_ADDRESS_SIZE], source[NET_ADDRESS_SIZE];
    uint8_t type[2], hardware[2], protocol[2], sizes[2], operation[2];
    uint8_t sender[NET_ADDRESS_SIZE], sender_ip[4], asked[NET_ADDRESS_SIZE], asked_ip[4];
};

static const uint8_t self_ip[4] = {10, 0, 2, 15}, router_ip[4] = {10, 0, 2, 2};

struct answer {
    struct thread *asker;
    uint8_t self[NET_ADDRESS_SIZE];
    _Atomic bool is_there;
};

static void arp_receive(void *state, struct packet *packet)
{
    struct answer *answer = state;
    struct arp_frame frame;
    if (packet != NULL && packet->size >= sizeof frame) {
        memcpy(&frame, packet->data, sizeof frame);
        if (frame.type[0] == 8 && frame.type[1] == 6 && frame.operation[1] == 2 &&
            memcmp(frame.target, answer->self, sizeof frame.target) == 0 &&
            memcmp(frame.sender_ip, router_ip, sizeof router_ip) == 0) {
            atomic_store(&answer->is_there, true);
            thread_wake(answer->asker);
        }
    }
    packet_free(packet);
}

static void link_changed(void *state)
{
    (void)state; // it is looked at while there is one
}

static bool router_answers(struct net_device *device, struct answer *answer)
{
    struct packet *packet = packet_alloc();
    if (packet == NULL) {
        return false;
    }
    struct arp_frame frame = {.type = {8, 6},
                              .hardware = {0, 1},
                              .protocol = {8, 0},
                              .sizes = {NET_ADDRESS_SIZE, sizeof self_ip},
                              .operation = {0, 1}};
    memset(frame.target, 0xff, sizeof frame.target);
    memcpy(frame.source, net_device_address(device), sizeof frame.source);
    memcpy(frame.sender, frame.source, sizeof frame.sender);
    memcpy(answer->self, frame.source, sizeof answer->self);
    memcpy(frame.sender_ip, self_ip, sizeof self_ip);
    memcpy(frame.asked_ip, router_ip, sizeof router_ip);
    memcpy(packet->data, &frame, sizeof frame);
    packet->size = sizeof frame;
    if (net_device_send(device, packet) != 0) {
        return false;
    }
    const hal_ns end = hal_clock_ns() + 10 * second;
    while (!atomic_load(&answer->is_there) && thread_park_until(end)) {
    }
    return atomic_load(&answer->is_there);
}

// Whoever is at the other end has QEMU's user network there: a router that says where it is, again
// and again.
static bool net_device_check(void)
{
    const struct hal_dev_info *info = device_find(HAL_NET, NULL);
    if (info == NULL) {
        return true;
    }
    struct answer answer = {.asker = thread_self()};
    struct net_device *device;
    const struct net_device_user user = {
        .receive = arp_receive, .changed = link_changed, .state = &answer};
    if (net_device_open(info, &user, &device) != 0) {
        return false;
    }
    bool right = net_device_has_link(device);
    for (int i = 0; right && i < PACKETS; ++i) {
        atomic_store(&answer.is_there, false);
        right = router_answers(device, &answer);
    }
    net_device_close(device);
    return right;
}

static uint32_t unguarded; // a data race, for the machine that finds them

static void unguarded_add(void *argument)
{
    (void)argument;
    for (int i = 0; i < TURNS; ++i) {
        ++unguarded;
    }
}

static bool failing_check(void)
{
    const struct hal_cpu_set sets[2] = {cpu_only(0), cpu_only(sched_cpu_count() - 1)};
    struct thread *threads[2];
    for (int i = 0; i < 2; ++i) {
        const struct thread_config config = {.name = "adds", .affinity = &sets[i]};
        if (thread_create(&threads[i], &config, unguarded_add, NULL) != 0) {
            return false;
        }
        thread_start(threads[i]);
    }
    return thread_join(threads[0], UINT64_MAX) && thread_join(threads[1], UINT64_MAX) && false;
}

// ---- The list ---------------------------------------------------------------

struct check {
    const char *claim;
    bool (*holds)(void);
};

static const struct check checks[] = {
    {"frames are zeroed, aligned and come back", frames_check},
    {"the heap's blocks are apart", heap_check},
    {"a page is mapped, translated, protected and unmapped", page_check},
    {"so are 2 MiB, and one page inside them", large_page_check},
    {"a context is switched to and back", context_check},
    {"the clock runs forward", clock_check},
    {"the timer's interrupt preempts a busy thread", timer_check},
    {"vector registers survive preemption", vector_check},
    {"a page fault is resolved", fault_check},
    {"a safe copy stops at a bad pointer", copy_check},
    {"two threads take turns by mutex and condvar", condvar_check},
    {"a thread sleeps and wakes", sleep_check},
    {"a thread moves to every CPU, its clock and its timer", cpus_check},
    {"no CPU keeps a translation that was flushed", flush_check},
    {"random bytes differ", entropy_check},
    {"those of an entropy device do, too", entropy_device_check},
    {"a network device sends and receives", net_device_check},
    {"this check is to fail", failing_check}, // the last one: on demand
};

HAL_NORETURN void selftest_run(const struct hal_boot *machine, bool is_to_fail)
{
    const int count = (int)(sizeof checks / sizeof checks[0]) - (is_to_fail ? 0 : 1);
    int failures = 0;
    console_print("osv: self-test, %u CPU, %zu MiB free\n", sched_cpu_count(),
                  frame_free_count() / (1024 * 1024 / HAL_PAGE_SIZE));
    for (size_t i = 0; i < machine->dev_count; ++i) {
        console_print("osv: device %s, %u queues\n", machine->devs[i].name,
                      machine->devs[i].queue_count);
    }
    for (int i = 0; i < count; ++i) {
        const bool holds = checks[i].holds();
        failures += holds ? 0 : 1;
        console_print("%sok %d - %s\n", holds ? "" : "not ", i + 1, checks[i].claim);
    }
    console_print("1..%d\n", count);
    hal_halt(HAL_POWER_OFF, failures != 0);
}
