// SPDX-License-Identifier: BSD-3-Clause
// cfi.c: finding a function's frame description and running its program up to a place.
//
// All of it is the application's memory and may be damaged: every read goes through hal_copy_safe,
// every loop is bounded, and what is not understood is "not found".
#include "core/linux/cfi.h"

#include <stddef.h>

#include "core/linux/machine.h"

struct cursor {
    uintptr_t at;
    bool is_bad;
};

struct entry { // of a CIE and an FDE
    uint64_t code_factor, return_register;
    int64_t data_factor;
    uint8_t pointer_encoding;
    bool has_augmentation, is_signal_frame;
    uintptr_t program, program_end; // of the CIE
    uintptr_t start, size;          // of the function
    uintptr_t code, code_end;       // of the FDE
};

enum { STEPS_MAX = 2000, STATES_MAX = 4, SEARCH_MAX = 64 };
enum { ENCODING_RELATIVE = 0x10, ENCODING_DATA_RELATIVE = 0x30, ENCODING_INDIRECT = 0x80 };

static uint64_t take(struct cursor *c, size_t size)
{
    uint64_t value = 0;
    c->is_bad = c->is_bad || hal_copy_safe(&value, (const void *)c->at, size) != 0;
    c->at += size;
    return value;
}

static uint64_t take_unsigned(struct cursor *c) // LEB128
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t byte = take(c, 1);
        value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    c->is_bad = true;
    return 0;
}

static int64_t take_signed(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63;) {
        uint64_t byte = take(c, 1);
        value |= (byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) == 0) {
            return (byte & 0x40) != 0 ? (int64_t)(value | ~(uint64_t)0 << shift) : (int64_t)value;
        }
    }
    c->is_bad = true;
    return 0;
}

static uintptr_t take_pointer(struct cursor *c, uint8_t encoding, uintptr_t data_base)
{
    uintptr_t place = c->at;
    uintptr_t value = 0;
    switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = take(c, 8);
        break;
    case 0x02:
        value = take(c, 2);
        break;
    case 0x03:
        value = take(c, 4);
        break;
    case 0x0a:
        value = (uintptr_t)(int16_t)take(c, 2);
        break;
    case 0x0b:
        value = (uintptr_t)(int32_t)take(c, 4);
        break;
    default:
        c->is_bad = true;
        break;
    }
    uint8_t base = encoding & 0x70;
    c->is_bad = c->is_bad || (encoding & ENCODING_INDIRECT) != 0;
    return value + (base == ENCODING_RELATIVE        ? place
                    : base == ENCODING_DATA_RELATIVE ? data_base
                                                     : 0);
}

// Looks in the sorted table of .eh_frame_hdr. 0: not there.
static uintptr_t table_search(uintptr_t header, uintptr_t ip)
{
    enum { SDATA4_DATA_RELATIVE = 0x3b, ROW_SIZE = 8 };
    struct cursor c = {.at = header};
    uint64_t version = take(&c, 1);
    uint8_t frame_encoding = (uint8_t)take(&c, 1);
    uint8_t count_encoding = (uint8_t)take(&c, 1);
    uint64_t table_encoding = take(&c, 1);
    (void)take_pointer(&c, frame_encoding, header);
    uintptr_t count = take_pointer(&c, count_encoding, header);
    if (c.is_bad || version != 1 || table_encoding != SDATA4_DATA_RELATIVE || count == 0) {
        return 0;
    }
    uintptr_t table = c.at;
    uintptr_t low = 0;
    uintptr_t high = count;
    for (int step = 0; step < SEARCH_MAX && high - low > 1; ++step) {
        uintptr_t middle = low + (high - low) / 2;
        struct cursor row = {.at = table + middle * ROW_SIZE};
        if (take_pointer(&row, SDATA4_DATA_RELATIVE, header) <= ip && !row.is_bad) {
            low = middle;
        } else {
            high = middle;
        }
    }
    struct cursor row = {.at = table + low * ROW_SIZE};
    uintptr_t start = take_pointer(&row, SDATA4_DATA_RELATIVE, header);
    uintptr_t found = take_pointer(&row, SDATA4_DATA_RELATIVE, header);
    return row.is_bad || start > ip ? 0 : found;
}

// "zPLRSB": only R and S matter here; what a personality is must be stepped over.
static bool augmentation_read(struct cursor *c, uintptr_t text, struct entry *entry)
{
    struct cursor letters = {.at = text};
    uint64_t letter = take(&letters, 1);
    entry->pointer_encoding = 0;
    entry->has_augmentation = letter == 'z';
    if (letter == 0) {
        return true;
    }
    uintptr_t size = take_unsigned(c);
    uintptr_t end = c->at + size;
    while (entry->has_augmentation && (letter = take(&letters, 1)) != 0 && !letters.is_bad) {
        if (letter == 'R') {
            entry->pointer_encoding = (uint8_t)take(c, 1);
        } else if (letter == 'P') {
            uint8_t encoding = (uint8_t)take(c, 1) & (uint8_t)~ENCODING_INDIRECT;
            (void)take_pointer(c, encoding, 0);
        } else if (letter == 'L') {
            (void)take(c, 1);
        } else if (letter == 'S') {
            entry->is_signal_frame = true;
        }
    }
    c->at = end;
    return entry->has_augmentation && !c->is_bad && !letters.is_bad;
}

static bool cie_read(uintptr_t cie, struct entry *entry)
{
    struct cursor c = {.at = cie};
    uint64_t length = take(&c, 4);
    uintptr_t end = c.at + length;
    uint64_t id = take(&c, 4);
    uint64_t version = take(&c, 1);
    uintptr_t text = c.at;
    while (take(&c, 1) != 0 && !c.is_bad && c.at < text + 16) {
    }
    entry->code_factor = take_unsigned(&c);
    entry->data_factor = take_signed(&c);
    entry->return_register = version == 1 ? take(&c, 1) : take_unsigned(&c);
    if (c.is_bad || id != 0 || length >= 0xfffffff0 || !augmentation_read(&c, text, entry)) {
        return false;
    }
    entry->program = c.at;
    entry->program_end = end;
    return !c.is_bad;
}

static bool fde_read(uintptr_t fde, struct entry *entry)
{
    struct cursor c = {.at = fde};
    uint64_t length = take(&c, 4);
    uintptr_t end = c.at + length;
    uintptr_t place = c.at;
    uint64_t back = take(&c, 4);
    if (c.is_bad || back == 0 || length >= 0xfffffff0 || !cie_read(place - back, entry)) {
        return false;
    }
    entry->start = take_pointer(&c, entry->pointer_encoding, 0);
    entry->size = take_pointer(&c, entry->pointer_encoding & 0x0f, 0);
    if (entry->has_augmentation) {
        uintptr_t size = take_unsigned(&c);
        c.at += size;
    }
    entry->code = c.at;
    entry->code_end = end;
    return !c.is_bad;
}

struct run {
    const struct entry *entry;
    uintptr_t ip;    // run up to here
    uintptr_t place; // of the row that is being built
    struct cfi_row row, initial;
    struct cfi_row states[STATES_MAX];
    int state_count;
    bool is_done, is_bad;
};

static struct cfi_rule *rule_of(struct run *run, struct cfi_row *row, uint64_t reg)
{
    if (reg == run->entry->return_register) {
        return &row->return_address;
    }
    return reg == MACHINE_DWARF_FRAME ? &row->frame : NULL;
}

static void rule_set(struct run *run, uint64_t reg, enum cfi_kind kind, int64_t offset)
{
    struct cfi_rule *rule = rule_of(run, &run->row, reg);
    if (rule != NULL) {
        *rule = (struct cfi_rule){kind, offset};
    }
}

static void rule_restore(struct run *run, uint64_t reg)
{
    struct cfi_rule *rule = rule_of(run, &run->row, reg);
    if (rule != NULL) {
        *rule = *rule_of(run, &run->initial, reg);
    }
}

static void advance(struct run *run, uint64_t delta)
{
    run->place += delta * run->entry->code_factor;
    run->is_done = run->place > run->ip;
}

static void state_keep(struct run *run, bool is_push)
{
    if (is_push && run->state_count < STATES_MAX) {
        run->states[run->state_count++] = run->row;
    } else if (!is_push && run->state_count > 0) {
        run->row = run->states[--run->state_count];
    } else {
        run->is_bad = true;
    }
}

static void expression_skip(struct cursor *c)
{
    uintptr_t size = take_unsigned(c);
    c->at += size;
}

// DW_CFA_*, DWARF 5 table 7.29.
static void instruction_long(struct run *run, struct cursor *c, uint64_t code)
{
    int64_t factor = run->entry->data_factor;
    uint64_t reg;
    switch (code) {
    case 0x00: // nop
        break;
    case 0x01: // set_loc
        run->place = take_pointer(c, run->entry->pointer_encoding, 0);
        run->is_done = run->place > run->ip;
        break;
    case 0x02:
        advance(run, take(c, 1));
        break;
    case 0x03:
        advance(run, take(c, 2));
        break;
    case 0x04:
        advance(run, take(c, 4));
        break;
    case 0x05: // offset_extended
        reg = take_unsigned(c);
        rule_set(run, reg, CFI_AT_OFFSET, (int64_t)take_unsigned(c) * factor);
        break;
    case 0x06: // restore_extended
        rule_restore(run, take_unsigned(c));
        break;
    case 0x07: // undefined
        rule_set(run, take_unsigned(c), CFI_UNDEFINED, 0);
        break;
    case 0x08: // same_value
        rule_set(run, take_unsigned(c), CFI_SAME, 0);
        break;
    case 0x0a: // remember_state
    case 0x0b: // restore_state
        state_keep(run, code == 0x0a);
        break;
    case 0x0c: // def_cfa
        run->row.cfa_register = take_unsigned(c);
        run->row.cfa_offset = (int64_t)take_unsigned(c);
        break;
    case 0x0d: // def_cfa_register
        run->row.cfa_register = take_unsigned(c);
        break;
    case 0x0e: // def_cfa_offset
        run->row.cfa_offset = (int64_t)take_unsigned(c);
        break;
    case 0x10: // expression
    case 0x16: // val_expression
        reg = take_unsigned(c);
        expression_skip(c);
        run->is_bad = rule_of(run, &run->row, reg) != NULL;
        break;
    case 0x11: // offset_extended_sf
        reg = take_unsigned(c);
        rule_set(run, reg, CFI_AT_OFFSET, take_signed(c) * factor);
        break;
    case 0x12: // def_cfa_sf
        run->row.cfa_register = take_unsigned(c);
        run->row.cfa_offset = take_signed(c) * factor;
        break;
    case 0x13: // def_cfa_offset_sf
        run->row.cfa_offset = take_signed(c) * factor;
        break;
    case 0x2d: // AArch64_negate_ra_state
        break;
    case 0x2e: // GNU_args_size
        (void)take_unsigned(c);
        break;
    default: // def_cfa_expression and what is not known
        run->is_bad = true;
        break;
    }
}

static void instruction(struct run *run, struct cursor *c)
{
    uint64_t code = take(c, 1);
    uint64_t operand = code & 0x3f;
    switch (code >> 6) {
    case 1:
        advance(run, operand);
        break;
    case 2:
        rule_set(run, operand, CFI_AT_OFFSET, (int64_t)take_unsigned(c) * run->entry->data_factor);
        break;
    case 3:
        rule_restore(run, operand);
        break;
    default:
        instruction_long(run, c, code);
        break;
    }
    run->is_bad = run->is_bad || c->is_bad;
}

static bool program_run(struct run *run, uintptr_t start, uintptr_t end)
{
    struct cursor c = {.at = start};
    for (int step = 0; step < STEPS_MAX && c.at < end && !run->is_done && !run->is_bad; ++step) {
        struct cfi_row before = run->row;
        instruction(run, &c);
        if (run->is_done) {
            run->row = before;
        }
    }
    return !run->is_bad;
}

bool cfi_find(const void *eh_frame_header, uintptr_t ip, struct cfi_row *row)
{
    struct entry entry = {0};
    uintptr_t fde = table_search((uintptr_t)eh_frame_header, ip);
    if (fde == 0 || !fde_read(fde, &entry) || ip - entry.start >= entry.size) {
        return false;
    }
    struct run run = {.entry = &entry, .ip = ip, .place = entry.start};
    if (!program_run(&run, entry.program, entry.program_end)) {
        return false;
    }
    run.initial = run.row;
    if (!program_run(&run, entry.code, entry.code_end)) {
        return false;
    }
    *row = run.row;
    row->is_signal_frame = entry.is_signal_frame;
    return true;
}
