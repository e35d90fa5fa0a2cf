// SPDX-License-Identifier: BSD-3-Clause
// work.c: the application side of the test. Compiled like an application: red zone, AVX2, and
// -fstack-protector-all, so every function checks %fs:0x28.
#include "tests/system/hal_linux/work.h"

#include <immintrin.h>

#include "tests/system/hal_linux/sched.h"
#include "hal-linux/syscall.h"

uint64_t hold_registers(uint64_t rounds, uint64_t seed, uint64_t avx512);
uint64_t hold_red_zone(uint64_t rounds, uint64_t seed, void *sp);

volatile uint32_t work_stop;
uint64_t work_avx512;
static uint64_t answers[WORK_KINDS][WORK_SEEDS];
static uint64_t rounds_of_work;

void __stack_chk_fail(void)
{
    sched_panic("stack guard", (uint64_t)__builtin_return_address(0));
}

static uint64_t work_integer(uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1, sum = 0;
    for (uint64_t i = 0; i < rounds_of_work; ++i) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        unsigned char carry = _addcarry_u64(0, sum, x, (unsigned long long *)&sum);
        _addcarry_u64(carry, sum, i, (unsigned long long *)&sum);
    }
    return sum;
}

// Eight live vectors, in the rounding mode that seed chooses.
__attribute__((target("avx2"))) static uint64_t work_vector(uint64_t seed)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr((before & ~0x6000u) | (unsigned)(seed & 3) << 13);
    __m256d v[8];
    for (int i = 0; i < 8; ++i) {
        v[i] = _mm256_set_pd(1.0 + (double)seed, 2.0 + i, 3.3, 0.7 * i);
    }
    const __m256d third = _mm256_set1_pd(1.0 / 3.0);
    for (uint64_t k = 0; k < rounds_of_work / 8; ++k) {
        for (int i = 0; i < 8; ++i) {
            v[i] = _mm256_add_pd(_mm256_mul_pd(v[i], third), v[(i + 1) & 7]);
            v[i] = _mm256_div_pd(v[i], _mm256_set1_pd(1.7));
        }
    }
    __m256i sum = _mm256_setzero_si256();
    for (int i = 0; i < 8; ++i) {
        sum = _mm256_add_epi64(sum, _mm256_castpd_si256(v[i]));
    }
    _mm_setcsr(before);
    return (uint64_t)(_mm256_extract_epi64(sum, 0) ^ _mm256_extract_epi64(sum, 1) * 3 ^
                      _mm256_extract_epi64(sum, 2) * 5 ^ _mm256_extract_epi64(sum, 3) * 7);
}

// The x87 stack, with its own rounding control.
static uint64_t work_x87(uint64_t seed)
{
    uint16_t before, control;
    __asm__ volatile("fnstcw %0" : "=m"(before));
    control = (uint16_t)((before & ~0xc00) | (seed & 3) << 10);
    __asm__ volatile("fldcw %0" : : "m"(control));
    volatile long double third = 1.0L / 3;
    long double a = 1 + (long double)seed, b = 2.5L, c = 0.1L;
    for (uint64_t i = 0; i < rounds_of_work / 8; ++i) {
        a = a * third + b;
        b = b / 1.3L + c;
        c = c * 0.9L + a * 0.01L;
    }
    __asm__ volatile("fldcw %0" : : "m"(before));
    union {
        long double value;
        uint64_t words[2];
    } bits = {.words = {0, 0}};
    bits.value = a + b * 3 + c * 7;
    return bits.words[0] ^ (bits.words[1] & 0xffff); // the rest is padding
}

// A lazy stack loses every page below the one in use, and the next touch brings it back. Inline, so
// that the return from hal_unmap is not already that touch.
static inline __attribute__((always_inline)) void stack_drop(const struct worker *worker)
{
    char here;
    size_t below = ((uintptr_t)&here - (uintptr_t)worker->stack_bottom) & ~4095ul;
    if (worker->lazy && below > 0) {
        ASSERT(hal_unmap(worker->stack_bottom, below) == 0);
    }
}

// Goes down the stack until left bytes are left, and sums on the way back.
__attribute__((noinline)) static uint64_t work_deep(uint64_t seed, const struct worker *worker,
                                                    uint64_t left)
{
    char *bottom = worker->stack_bottom;
    volatile uint64_t frame[37];
    for (int i = 0; i < 37; ++i) {
        frame[i] = seed + (uint64_t)i;
    }
    if (seed % 61 == 0) { // the switch finds no stack to push on
        stack_drop(worker);
        thread_yield();
    }
    uint64_t below =
        (uint64_t)((char *)frame - bottom) > left ? work_deep(seed + 1, worker, left) : 0;
    for (int i = 0; i < 37; ++i) {
        if (frame[i] != seed + (uint64_t)i) {
            sched_panic("deep frame", seed);
        }
    }
    return below + 1;
}

static uint64_t (*const works[WORK_KINDS])(uint64_t) = {work_integer, work_vector, work_x87,
                                                        work_integer};

void work_prepare(uint32_t scale)
{
    rounds_of_work = 40000 / scale;
    work_avx512 = __builtin_cpu_supports("avx512bw") != 0;
    for (uint64_t kind = 0; kind < WORK_KINDS; ++kind) {
        for (uint64_t seed = 0; seed < WORK_SEEDS; ++seed) {
            answers[kind][seed] = works[kind](seed);
        }
    }
}

static void tls_check(const struct worker *worker)
{
    const struct tls *tls;
    uint64_t canary;
    __asm__ volatile("movq %%fs:0, %0\n\tmovq %%fs:0x28, %1" : "=r"(tls), "=r"(canary));
    ASSERT(tls == worker->tls);
    ASSERT(canary == ((uint64_t)tls ^ 0xc0ffee0000000000));
    for (uint64_t i = 0; i < 10; ++i) {
        ASSERT(tls->pattern[i] == (uint64_t)tls * (i + 3));
    }
}

static void red_zone_check(const struct worker *worker, uint64_t seed)
{
    const uint64_t rounds = rounds_of_work / 32, n = 16 * 17 / 2;
    // At the very bottom: one byte more and the guard page would be hit.
    uint64_t sum = hold_red_zone(rounds, seed, worker->stack_bottom + 128);
    ASSERT(sum == rounds * seed * 16 + n * (rounds * (rounds - 1) / 2));
}

static void work_once(struct worker *worker, uint64_t dice)
{
    uint64_t seed = dice >> 32 & (WORK_SEEDS - 1);
    uint64_t kind = dice >> 8 & 7;
    if (kind < WORK_KINDS) {
        if (works[kind](seed) != answers[kind][seed]) {
            sched_panic("wrong answer; kind:", kind);
        }
    } else if (kind == 4) {
        red_zone_check(worker, dice);
    } else if (kind == 5) {
        ASSERT(work_deep(dice, worker, 1600) > 50); // thread_yield needs some too
    } else {
        ASSERT(hold_registers(rounds_of_work, dice, work_avx512) == 0);
    }
}

void work_run(struct worker *worker)
{
    while (!work_stop) {
        worker->random = worker->random * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t dice = worker->random ^ worker->random >> 29;
        tls_check(worker);
        work_once(worker, dice);
        tls_check(worker);
        if ((dice >> 16 & 15) == 0) {
            stack_drop(worker);
        }
        if ((dice >> 20 & 15) == 0) {
            thread_yield();
        }
        if ((dice >> 28 & 7) == 0) {
            hal_cpu_kick((dice >> 40) % cpu_count);
        }
        if ((dice >> 24 & 63) == 0) {
            thread_sleep_until(hal_clock_ns() + (dice & 0xfffff));
        }
        ++worker->rounds;
    }
}
