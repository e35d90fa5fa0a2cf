// SPDX-License-Identifier: BSD-3-Clause
// witness.c: between the points and the race detector: who makes an access, and what is said of a
// race.
//
// A race is reported once for two places. The stack of the later access is there. Of the earlier
// one the place is known, and the number of its access: the same run again, told that number, keeps
// the stack when it gets there (--races=NUMBER).
#include "hal-linux/seed/race.h"

#include "hal-linux/machine.h"
#include "hal-linux/seed/calls.h"
#include "hal-linux/seed/seed.h"
#include "hal/upcall.h"

enum {
    CONTEXT_SLOTS = 4 * RACE_CONTEXTS,
    RACES_MAX = 100, // more are counted, and not shown
    STACK_SIZE = 65536,
    FRAMES_OURS_MAX = 12, // between an access and stack_take
};

bool witness_is_on;
bool witness_has_applications;

static const struct seed_options *options;

// Contexts by what hal_self answers there.
static struct {
    void *self;
    uint32_t index;
} contexts[CONTEXT_SLOTS];
static uint32_t context_count = 1; // 0 is who has none: a CPU that is booting
static void *context_selves[RACE_CONTEXTS];

static struct found {
    const void *first, *second;
    uint64_t number; // of the first
} found[RACES_MAX];
static uint32_t found_count, race_count;

static const void *kept[SEED_RACES_MAX][HAL_RACE_DEPTH]; // stacks of options->race_firsts

static struct hal_race race; // the one that is reported
static _Alignas(16) char report_stack[STACK_SIZE];

int witness_init(const struct seed_options *wanted)
{
    options = wanted;
    int failure = wanted->finds_races ? race_init() : 0;
    witness_is_on = wanted->finds_races && failure == 0;
    return failure;
}

uint32_t witness_race_count(void)
{
    return race_count;
}

uint32_t witness_race_firsts(uint64_t numbers[SEED_RACES_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < found_count && count < SEED_RACES_MAX; ++i) {
        uint32_t place = 0;
        while (place < count && numbers[place] != found[i].number) {
            ++place;
        }
        numbers[place] = found[i].number;
        count = place == count ? count + 1 : count;
    }
    return count;
}

// Nothing that function does is an access or a point of the run.
static void aside(void (*function)(void))
{
    const bool was_on = witness_is_on;
    witness_is_on = false;
    point_hold(function);
    witness_is_on = was_on;
}

// ---- Who -----------------------------------------------------------------------

static uint32_t context_index(void *self)
{
    uint64_t slot = random_mix((uint64_t)self) % CONTEXT_SLOTS;
    while (contexts[slot].self != NULL && contexts[slot].self != self) {
        slot = (slot + 1) % CONTEXT_SLOTS;
    }
    if (contexts[slot].self == NULL) {
        if (context_count == RACE_CONTEXTS) {
            return RACE_CONTEXTS - 1; // as one with the last: its races with that are missed
        }
        context_selves[context_count] = self;
        contexts[slot].index = context_count++;
        contexts[slot].self = self;
    }
    return contexts[slot].index;
}

static struct race_actor actor_self(const struct vcpu *vcpu)
{
    static void *last;
    static uint32_t last_index;
    if (vcpu->context_self != last) {
        last = vcpu->context_self;
        last_index = last == NULL ? 0 : context_index(last);
    }
    return (struct race_actor){vcpu->index, last_index};
}

// ---- Stacks --------------------------------------------------------------------

// Along the frame pointers, from the access at place up. Ours come first. An application's stub may
// have none of its own, so its place is taken from the caller's word.
static void frames_take(const void *place, const void *stack[HAL_RACE_DEPTH])
{
    const char *frame = __builtin_frame_address(0);
    const char *pair[2]; // the caller's frame and place
    uint32_t depth = 0;
    bool is_there = false;
    stack[depth++] = place;
    for (uint32_t i = 0; i < FRAMES_OURS_MAX + HAL_RACE_DEPTH && depth < HAL_RACE_DEPTH; ++i) {
        if (hal_copy_safe(pair, frame, sizeof pair) != 0 || pair[1] == NULL) {
            break;
        }
        bool was_there = is_there;
        is_there = is_there || pair[1] == place ||
                   (application_is_place(place) && application_is_place(pair[1]));
        if (is_there && (was_there || pair[1] != place)) {
            stack[depth++] = pair[1];
        }
        if ((uintptr_t)pair[0] % sizeof *pair != 0 || pair[0] <= frame) {
            break;
        }
        frame = pair[0];
    }
    if (depth < HAL_RACE_DEPTH) {
        stack[depth] = NULL;
    }
}

// An application's from what its functions have told, where they have.
static void stack_take(const void *place, const void *stack[HAL_RACE_DEPTH])
{
    const uint32_t context = actor_self(vcpu_self()).context;
    uint32_t depth = 0;
    if (application_is_place(place)) {
        depth = calls_get(context, stack + 1, HAL_RACE_DEPTH - 1);
    }
    if (depth == 0) {
        frames_take(place, stack);
        return;
    }
    stack[0] = place;
    if (depth + 1 < HAL_RACE_DEPTH) {
        stack[depth + 1] = NULL;
    }
}

static const void *wanted_place;
static uint32_t wanted_index;

static void wanted_take(void)
{
    stack_take(wanted_place, kept[wanted_index]);
}

static void wanted_check(const void *place)
{
    for (uint32_t i = 0; i < options->race_first_count; ++i) {
        if (options->race_firsts[i] == race_number()) {
            wanted_place = place;
            wanted_index = i;
            aside(wanted_take);
        }
    }
}

// ---- Accesses ------------------------------------------------------------------

// Masked, so that the watchdog's signal does not come in between.
static struct vcpu *watch_begin(uint32_t *masked)
{
    struct vcpu *vcpu = vcpu_self();
    *masked = atomic_load_explicit(&vcpu->masked, memory_order_relaxed);
    atomic_store_explicit(&vcpu->masked, 1, memory_order_relaxed);
    return vcpu;
}

static void watch_end(struct vcpu *vcpu, uint32_t masked, const void *place)
{
    if (__builtin_expect(options->race_first_count != 0, 0)) {
        wanted_check(place);
    }
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void witness_access(const volatile void *address, size_t size, bool writes, const void *place)
{
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    unsigned kind =
        (writes ? RACE_WRITES : 0) | (application_is_place(place) ? RACE_APPLICATION : 0);
    race_access(actor_self(vcpu), (uintptr_t)address, size, kind, place);
    watch_end(vcpu, masked, place);
}

void witness_atomic(const volatile void *address, size_t size, bool reads, bool writes, int order,
                    const void *place)
{
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    unsigned kind =
        (writes ? RACE_WRITES : 0) | (application_is_place(place) ? RACE_APPLICATION : 0);
    race_atomic(actor_self(vcpu), (uintptr_t)address, size, kind, reads, order, place);
    watch_end(vcpu, masked, place);
}

void witness_fence(int order)
{
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    race_fence(actor_self(vcpu), order);
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void witness_enter(const void *caller, uintptr_t sp)
{
    witness_has_applications = true;
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    calls_enter(actor_self(vcpu).context, caller, sp);
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void witness_leave(uintptr_t sp)
{
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    calls_leave(actor_self(vcpu).context, sp);
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void witness_allocated(const void *block, size_t size)
{
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    race_forget((uintptr_t)block, size);
    race_release(actor_self(vcpu), (uintptr_t)block);
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void witness_freed(const void *block)
{
    uint32_t masked;
    struct vcpu *vcpu = watch_begin(&masked);
    race_acquire(actor_self(vcpu), (uintptr_t)block);
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void witness_cpu_begin(uint32_t index)
{
    if (witness_is_on) {
        race_cpu_begin(actor_self(vcpu_self()), index);
    }
}

void machine_memory_renew(const void *start, size_t size)
{
    if (witness_is_on) {
        uint32_t masked;
        struct vcpu *vcpu = watch_begin(&masked);
        race_forget((uintptr_t)start, size);
        atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
    }
}

// ---- Reports -------------------------------------------------------------------

// False: these two places were reported before, or there were too many.
static bool found_add(const struct race_access *first, const struct race_access *second)
{
    for (uint32_t i = 0; i < found_count; ++i) {
        bool is_same = found[i].first == first->place && found[i].second == second->place;
        bool is_turned = found[i].first == second->place && found[i].second == first->place;
        if (is_same || is_turned) {
            return false;
        }
    }
    ++race_count;
    if (found_count == RACES_MAX) {
        return false;
    }
    found[found_count++] = (struct found){first->place, second->place, first->number};
    return true;
}

static void side_fill(struct hal_race_side *side, const struct race_access *access)
{
    side->self = context_selves[access->by.context];
    side->cpu = access->by.cpu;
    side->size = access->size;
    side->writes = (access->kind & RACE_WRITES) != 0;
    side->is_atomic = (access->kind & RACE_ATOMIC) != 0;
}

// On a stack of its own: the one that it struck may be an application's, and end anywhere.
static void apart(void (*function)(const void *), const void *argument)
{
    char *top = report_stack + sizeof report_stack;
    __asm__ volatile("mov %%rsp, %%rbx\n\tmov %0, %%rsp\n\tcall *%1\n\tmov %%rbx, %%rsp"
                     : "+S"(top), "+a"(function), "+D"(argument)
                     :
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2",
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

static void race_tell(const void *unused)
{
    (void)unused;
    upcall_race(&race);
}

static void report(void)
{
    stack_take(race.sides[1].stack[0], race.sides[1].stack);
    apart(race_tell, NULL);
}

void race_found(const struct race_access *first, const struct race_access *second)
{
    if (!found_add(first, second)) {
        return;
    }
    race.address =
        (const char *)(first->address > second->address ? first->address : second->address);
    side_fill(&race.sides[0], first);
    side_fill(&race.sides[1], second);
    race.sides[1].stack[0] = second->place;
    race.sides[0].stack[0] = first->place;
    race.sides[0].stack[1] = NULL;
    for (uint32_t i = 0; i < options->race_first_count; ++i) {
        if (options->race_firsts[i] == first->number) {
            for (uint32_t depth = 0; depth < HAL_RACE_DEPTH; ++depth) {
                race.sides[0].stack[depth] = kept[i][depth];
            }
        }
    }
    aside(report);
}

void race_full(void)
{
    static const char text[] = "osv-sim: --races: so much memory is accessed that races are no "
                               "longer looked for\n";
    witness_is_on = false;
    hal_console_write(text, sizeof text - 1);
}

// ---- For reports of locks ---------------------------------------------------------

static const void **stack_wanted;

static void stack_wanted_take(void)
{
    frames_take(stack_wanted[0], stack_wanted);
}

void witness_stack(const void *place, const void *stack[HAL_RACE_DEPTH])
{
    stack[0] = place;
    stack_wanted = stack;
    aside(stack_wanted_take);
}

static void (*teller)(const void *);

static void tell(void)
{
    apart(teller, NULL);
}

void witness_tell(void (*function)(const void *))
{
    teller = function;
    aside(tell);
}
