// SPDX-License-Identifier: BSD-3-Clause
// vectors.c: preempted threads keep their vector registers, MXCSR and the x87 control word: more
// threads than CPUs hold a pattern of their own in all registers that the CPU has, for some turns,
// without a call.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { THREADS = 6, ROUNDS = 40, REGISTERS = 32, WIDTH = 64 };

static _Atomic int errors;

static long used_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// All registers are loaded, time passes, all are stored.
#define SPIN "mov %2, %%rcx\n1: dec %%rcx\njnz 1b\n"
#define LOAD(move, r, n) move " " #n "*64(%0), %%" r #n "\n"
#define STORE(move, r, n) move " %%" r #n ", " #n "*64(%1)\n"
#define EACH_16(what, move, r)                                                                     \
    what(move, r, 0) what(move, r, 1) what(move, r, 2) what(move, r, 3) what(move, r, 4)           \
        what(move, r, 5) what(move, r, 6) what(move, r, 7) what(move, r, 8) what(move, r, 9)       \
            what(move, r, 10) what(move, r, 11) what(move, r, 12) what(move, r, 13)                \
                what(move, r, 14) what(move, r, 15)
#define EACH_32(what, move, r)                                                                     \
    EACH_16(what, move, r)                                                                         \
    what(move, r, 16) what(move, r, 17) what(move, r, 18) what(move, r, 19) what(move, r, 20)      \
        what(move, r, 21) what(move, r, 22) what(move, r, 23) what(move, r, 24) what(move, r, 25)  \
            what(move, r, 26) what(move, r, 27) what(move, r, 28) what(move, r, 29)                \
                what(move, r, 30) what(move, r, 31)

typedef uint8_t registers[REGISTERS][WIDTH];

static const long turns = 30000000; // a turn of the CPU's is a few of them

static void hold_sse(const registers in, registers out)
{
    __asm__ volatile(EACH_16(LOAD, "movdqu", "xmm") SPIN EACH_16(STORE, "movdqu", "xmm")
                     :
                     : "r"(in), "r"(out), "r"(turns)
                     : "rcx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
}

__attribute__((target("avx"))) static void hold_avx(const registers in, registers out)
{
    __asm__ volatile(
        EACH_16(LOAD, "vmovdqu", "ymm") SPIN EACH_16(STORE, "vmovdqu", "ymm") "vzeroupper\n"
        :
        : "r"(in), "r"(out), "r"(turns)
        : "rcx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
          "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

__attribute__((target("avx512f"))) static void hold_avx512(const registers in, registers out)
{
    __asm__ volatile(
        EACH_32(LOAD, "vmovdqu64", "zmm") SPIN EACH_32(STORE, "vmovdqu64", "zmm") "vzeroupper\n"
        :
        : "r"(in), "r"(out), "r"(turns)
        : "rcx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
          "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17",
          "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
          "xmm28", "xmm29", "xmm30", "xmm31");
}

// Where in row the values differ, up to width, is an error.
static void compare(const registers in, const registers out, int count, size_t width)
{
    for (int i = 0; i < count; ++i) {
        errors += memcmp(in[i], out[i], width) != 0;
    }
}

static void hold(const registers in)
{
    registers out = {{0}};
    if (__builtin_cpu_supports("avx512f")) {
        hold_avx512(in, out);
        compare(in, out, 32, 64);
    } else if (__builtin_cpu_supports("avx")) {
        hold_avx(in, out);
        compare(in, out, 16, 32);
    } else {
        hold_sse(in, out);
        compare(in, out, 16, 16);
    }
}

static void *holder(void *argument)
{
    long number = (long)argument;
    registers in;
    memset(in, 0, sizeof in);
    for (int i = 0; i < REGISTERS; ++i) {
        memset(in[i], (int)(number * REGISTERS + i + 1), WIDTH);
    }
    uint32_t mxcsr = 0x1f80u | (uint32_t)(number % 4) << 13; // rounding
    uint16_t control = (uint16_t)(0x37f | (number % 4) << 10);
    __asm__ volatile("ldmxcsr %0\nfldcw %1" : : "m"(mxcsr), "m"(control));
    for (int i = 0; i < ROUNDS && used_ms() < 80; ++i) {
        uint32_t mxcsr_now;
        uint16_t control_now;
        hold(in);
        __asm__ volatile("stmxcsr %0\nfnstcw %1" : "=m"(mxcsr_now), "=m"(control_now));
        errors += (mxcsr_now & ~0x3fu) != mxcsr; // but for what has been raised
        errors += control_now != control;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; ++i) {
        pthread_create(&threads[i], NULL, holder, (void *)i);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("registers that were not kept: %d\n", errors);
    return 0;
}
