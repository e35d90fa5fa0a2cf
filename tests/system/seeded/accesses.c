// SPDX-License-Identifier: BSD-3-Clause
// accesses.c: what -fsanitize=thread makes calls of, with results that must not change by it:
// atomic operations of each size, copies, spins on words of other threads and of signal handlers, a
// stack that comes page by page, floating-point control words.
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef unsigned __int128 wide;

static void show(const char *what, wide value)
{
    printf("%s %016lx%016lx\n", what, (uint64_t)(value >> 64), (uint64_t)value);
}

#define ATOMICS(name, type)                                                                        \
    static void name(void)                                                                         \
    {                                                                                              \
        static _Atomic type word;                                                                  \
        const type bits = (type)(0x123456789abcdef0u * (wide)0x10001);                             \
        atomic_store_explicit(&word, bits, memory_order_release);                                  \
        show(#name " load", atomic_load_explicit(&word, memory_order_acquire));                    \
        show(#name " exchange", atomic_exchange(&word, bits / 3));                                 \
        show(#name " add", atomic_fetch_add(&word, bits));                                         \
        show(#name " sub", atomic_fetch_sub(&word, bits / 7));                                     \
        show(#name " and", atomic_fetch_and(&word, (type) ~(type)0x55));                           \
        show(#name " or", atomic_fetch_or(&word, (type)0x0f));                                     \
        show(#name " xor", atomic_fetch_xor(&word, bits));                                         \
        show(#name " nand", __atomic_fetch_nand((type *)&word, bits, __ATOMIC_SEQ_CST));           \
        type expected = 1;                                                                         \
        show(#name " not equal", atomic_compare_exchange_strong(&word, &expected, 0));             \
        show(#name " equal", atomic_compare_exchange_strong(&word, &expected, 5));                 \
        show(#name " now", word++);                                                                \
        show(#name " then", word);                                                                 \
    }

ATOMICS(bytes, uint8_t)
ATOMICS(halves, uint16_t)
ATOMICS(words, uint32_t)
ATOMICS(longs, uint64_t)
ATOMICS(wides, wide)

static void run_both(void *(*body)(void *), void *(*other)(void *))
{
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, body, NULL);
    pthread_create(&threads[1], NULL, other, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

// ---- Spins ----------------------------------------------------------------------------

enum { TURNS = 20 };
static atomic_int turn;

// Takes turns with the other, by nothing but atomic loads.
static void *spin_even(void *unused)
{
    for (int i = 0; i < TURNS; i += 2) {
        while (atomic_load_explicit(&turn, memory_order_acquire) != i) {
        }
        atomic_store_explicit(&turn, i + 1, memory_order_release);
    }
    return unused;
}

static void *spin_odd(void *unused)
{
    for (int i = 1; i < TURNS; i += 2) {
        while (atomic_load_explicit(&turn, memory_order_acquire) != i) {
            sched_yield();
        }
        atomic_store_explicit(&turn, i + 1, memory_order_release);
    }
    return unused;
}

static volatile sig_atomic_t is_handled;
static atomic_int is_spinning;

static void on_signal(int signal)
{
    is_handled = signal == SIGUSR1;
}

static void *spin_for_signal(void *unused)
{
    is_spinning = 1;
    while (!is_handled) {
    }
    return unused;
}

static void *send_signal(void *thread)
{
    while (!is_spinning) {
    }
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

static void signal_spin(void)
{
    pthread_t spinner, sender;
    signal(SIGUSR1, on_signal);
    pthread_create(&spinner, NULL, spin_for_signal, NULL);
    pthread_create(&sender, NULL, send_signal, &spinner);
    pthread_join(spinner, NULL);
    pthread_join(sender, NULL);
    printf("handled %d\n", is_handled);
}

// ---- What a call must leave alone --------------------------------------------------------

// Kept by the application in registers that a call saves, or not at all.
static void *round_up(void *unused)
{
    volatile double one = 1, three = 3;
    int wrong = 0;
    fesetround(FE_UPWARD);
    for (int i = 0; i < 2000; ++i) {
        wrong += one / three != 0x1.5555555555556p-2;
    }
    printf("rounded wrongly %d times\n", wrong);
    return unused;
}

static void *round_nearest(void *unused)
{
    volatile double one = 1, three = 3;
    int wrong = 0;
    for (int i = 0; i < 2000; ++i) {
        wrong += one / three != 0x1.5555555555555p-2;
    }
    return wrong == 0 ? unused : NULL;
}

static int deep(volatile char *above, int depth)
{
    volatile char here[3000];
    here[0] = here[sizeof here - 1] = (char)(above[0] + 1);
    return depth == 0 ? here[0] : deep(here, depth - 1) + here[sizeof here - 1];
}

static void *go_deep(void *unused)
{
    volatile char start[1] = {0};
    printf("deep %d\n", deep(start, 500));
    return unused;
}

static void copies(void)
{
    static struct {
        char bytes[100];
    } from, to;
    for (size_t i = 0; i < sizeof from; ++i) {
        from.bytes[i] = (char)('a' + i % 26);
    }
    to = from;
    memmove(to.bytes + 1, to.bytes, sizeof to - 2);
    memcpy(from.bytes, to.bytes + 50, 20);
    memset(from.bytes + 5, 'x', 5);
    printf("%.98s\n%.98s\n", to.bytes, from.bytes);
}

int main(void)
{
    bytes();
    halves();
    words();
    longs();
    wides();
    atomic_thread_fence(memory_order_seq_cst);
    atomic_signal_fence(memory_order_seq_cst);
    run_both(spin_even, spin_odd);
    printf("turns %d\n", turn);
    signal_spin();
    run_both(round_up, round_nearest);
    run_both(go_deep, round_nearest);
    copies();
    return 0;
}
