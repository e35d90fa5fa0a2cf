// SPDX-License-Identifier: BSD-3-Clause
// frame.c: frames as core sees them: register images copied out and in.
//
// A register image may come from an application (a signal handler edits its own), so what would
// make the processor refuse it, or change more than the application's own state, is put right on
// the way in.
#include "hal-x86_64/isa/frame.h"

#include "hal-x86_64/isa/cpuid.h"
#include "hal-x86_64/isa/isa.h"

enum {
    RED_ZONE = 128,
    VECTOR_MXCSR = 24 / 4, // in 32-bit words of the XSAVE area
    VECTOR_XMM = 160 / 8,  // in 64-bit words: XMM0 to XMM15; before them the x87's
    VECTOR_XMM_END = 416 / 8,
    VECTOR_PRESENT = 512 / 8, // XSTATE_BV
    VECTOR_LAYOUT = 520 / 8,  // XCOMP_BV
    VECTOR_HEADER_END = 576 / 8,
    PRESENT_X87 = 1,
    PRESENT_SSE = 2,
    X87_CONTROL_DEFAULT = 0x37f,
    MXCSR_DEFAULT = 0x1f80,
    MXCSR_VALID = 0xffff,
};

static const uint64_t vector_compact = 1ul << 63;

uint32_t isa_has_fsgsbase;
uint32_t isa_has_xsavec;
uint64_t isa_vector_mask;
uint64_t isa_vector_size;

static uint64_t *vector_of(const struct hal_frame *frame)
{
    return (uint64_t *)(frame + 1);
}

static void words_copy(uint64_t *target, const uint64_t *source, uint64_t size)
{
    for (uint64_t i = 0; i < size / sizeof *target; ++i) {
        target[i] = source[i];
    }
}

struct hal_frame *frame_place(char *entry_stack, uintptr_t sp)
{
    uintptr_t top = (uintptr_t)entry_stack;
    if (sp > top - HAL_ENTRY_STACK && sp <= top) {
        top = sp - RED_ZONE;
    }
    return (struct hal_frame *)((top - sizeof(struct hal_frame) - isa_vector_size) & ~63ul);
}

static void words_clear(uint64_t *words, int start, int end)
{
    for (int i = start; i < end; ++i) {
        words[i] = 0;
    }
}

// XSAVEC writes nothing of a component in its initial state (Intel SDM vol. 1, 13.10): what is
// there is what the stack held. Handlers and debuggers read the x87 and the SSE state without a
// look at the header, and handlers change it so: both are always there, as on Linux.
static void vector_complete(uint64_t *area)
{
    const uint64_t mxcsr = area[VECTOR_MXCSR / 2]; // and its mask: they lie in the x87's part
    if ((area[VECTOR_PRESENT] & PRESENT_X87) == 0) {
        words_clear(area, 0, VECTOR_XMM);
        area[0] = X87_CONTROL_DEFAULT;
    }
    if ((area[VECTOR_PRESENT] & PRESENT_SSE) == 0) {
        words_clear(area, VECTOR_XMM, VECTOR_XMM_END);
        area[VECTOR_MXCSR / 2] = (uint64_t)MXCSR_VALID << 32 | MXCSR_DEFAULT;
    } else {
        area[VECTOR_MXCSR / 2] = mxcsr;
    }
    area[VECTOR_PRESENT] |= PRESENT_X87 | PRESENT_SSE;
}

void hal_frame_get(const struct hal_frame *frame, struct hal_regs *regs)
{
    words_copy(regs->general, frame->general, sizeof regs->general);
    regs->vector_size = isa_vector_size;
    words_copy((uint64_t *)regs->vector, vector_of(frame), isa_vector_size);
    if (isa_has_xsavec) {
        vector_complete((uint64_t *)regs->vector);
    }
}

// An area whose header says that every component is in its initial state.
static void vector_reset(uint64_t *area)
{
    words_clear(area, 0, VECTOR_HEADER_END);
    ((uint32_t *)area)[VECTOR_MXCSR] = MXCSR_DEFAULT;
}

void hal_frame_set(struct hal_frame *frame, const struct hal_regs *regs)
{
    words_copy(frame->general, regs->general, sizeof regs->general);
    frame->kind = FRAME_INTERRUPT; // all of it goes back: see trap.S's way back from a system call
    uint64_t *flags = &frame->general[HAL_REG_FLAGS];
    *flags = (*flags & FRAME_FLAGS_OWN) | FRAME_FLAGS_FIXED;
    uint64_t *area = vector_of(frame);
    if (regs->vector_size != isa_vector_size && regs->vector_size != HAL_REGS_VECTOR_LEGACY) {
        vector_reset(area);
        return;
    }
    words_copy(area, (const uint64_t *)regs->vector, regs->vector_size);
    ((uint32_t *)area)[VECTOR_MXCSR] &= MXCSR_VALID;
    area[VECTOR_PRESENT] &= isa_vector_mask;
    area[VECTOR_LAYOUT] = isa_has_xsavec ? vector_compact | isa_vector_mask : 0;
    words_clear(area, VECTOR_LAYOUT + 1, VECTOR_HEADER_END);
}

uint64_t isa_vector_choose(uint64_t offered)
{
    enum { LEGACY = 0x3, AVX = 0x4, AVX512 = 0xe0 };
    const uint64_t found = LEGACY | (offered & AVX);
    const bool has_avx512 = (offered & (AVX | AVX512)) == (AVX | AVX512);
    return has_avx512 ? found | AVX512 : found;
}

// The state components to save: all that XCR0 enables, but no AMX tiles (8 KiB, and on request
// only).
void isa_init(bool has_fsgsbase)
{
    enum { TILE_STATE = 0x60000, COMPONENT_COUNT = 63, LEAF = 13 };
    uint32_t found[4];
    isa_has_fsgsbase = has_fsgsbase;
    isa_vector_mask = isa_xcr0_read() & ~(uint64_t)TILE_STATE;
    isa_cpuid(LEAF, 1, found);
    isa_has_xsavec = found[0] >> 1 & 1;
    uint64_t end = VECTOR_HEADER_END * 8;
    for (uint32_t i = 2; i < COMPONENT_COUNT; ++i) {
        if (isa_vector_mask >> i & 1) {
            isa_cpuid(LEAF, i, found);
            uint64_t start = !isa_has_xsavec ? found[1] : found[2] & 2 ? (end + 63) & ~63ul : end;
            end = start + found[0] > end ? start + found[0] : end;
        }
    }
    isa_vector_size = (end + 63) & ~63ul;
}
