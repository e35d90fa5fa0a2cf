// SPDX-License-Identifier: BSD-3-Clause
// unwind.c: frame by frame, by call frame information, else along the chain of frame pointers.
//
// A frame pointer leads to the caller's frame pointer, and the return address lies above it (x86_64
// psABI 3.2.2, AAPCS64 6.4.6). Only ip, stack pointer and frame pointer are followed: enough for
// what compilers make of C and C++.
#include "core/linux/unwind.h"

#include "core/elf/program.h"
#include "core/linux/cfi.h"
#include "core/sched/thread.h"

static bool word_read(uintptr_t at, uintptr_t *word)
{
    return at % sizeof *word == 0 && hal_copy_safe(word, (const void *)at, sizeof *word) == 0;
}

static bool step_by_chain(struct machine_place *place)
{
    uintptr_t frame;
    uintptr_t ip;
    if (place->frame < place->sp || !word_read(place->frame, &frame) ||
        !word_read(place->frame + sizeof frame, &ip) || ip == 0) {
        return false;
    }
    *place = (struct machine_place){
        .ip = ip, .link = ip, .sp = place->frame + 2 * sizeof frame, .frame = frame};
    return true;
}

static bool rule_apply(const struct cfi_rule *rule, uintptr_t cfa, uintptr_t same, uintptr_t *value)
{
    *value = same;
    return rule->kind == CFI_SAME ||
           (rule->kind == CFI_AT_OFFSET && word_read(cfa + (uintptr_t)rule->offset, value));
}

// is_exact: ip is where the thread is, not a return address, which may belong to the next function
// already.
static bool step_by_cfi(struct machine_place *place, bool is_exact, bool *is_end)
{
    struct elf_object_info object;
    struct cfi_row row;
    uintptr_t ip = is_exact ? place->ip : place->ip - 1;
    if (!elf_object_of((const void *)ip, &object) || object.eh_frame_header == NULL ||
        !cfi_find(object.eh_frame_header, ip, &row)) {
        return false;
    }
    uintptr_t base = row.cfa_register == MACHINE_DWARF_STACK   ? place->sp
                     : row.cfa_register == MACHINE_DWARF_FRAME ? place->frame
                                                               : 0;
    uintptr_t cfa = base + (uintptr_t)row.cfa_offset;
    uintptr_t frame;
    uintptr_t return_address;
    *is_end = row.return_address.kind == CFI_UNDEFINED;
    if (base == 0 || *is_end || cfa <= place->sp ||
        !rule_apply(&row.frame, cfa, place->frame, &frame) ||
        !rule_apply(&row.return_address, cfa, place->link, &return_address)) {
        return false;
    }
    *place = (struct machine_place){
        .ip = return_address, .link = return_address, .sp = cfa, .frame = frame};
    return return_address != 0;
}

bool unwind_step(struct machine_place *place, bool is_exact)
{
    bool is_end = false;
    return step_by_cfi(place, is_exact, &is_end) || (!is_end && step_by_chain(place));
}

bool unwind_parked(const struct thread *thread, struct machine_place *place)
{
    *place = machine_place_of_context(&thread->context);
    return place->ip != 0;
}
