// SPDX-License-Identifier: BSD-3-Clause
// callframe_x86_64.c: the tables of .eh_frame_hdr and .eh_frame, read as far as three registers
// need it: rip, rsp, rbp. Sources: Linux Standard Base Core 5.0, 10.6; DWARF 4, 6.4 and 2.5; x86-64
// psABI 3.6.2 (numbers of registers).
//
// For each place in code a small program says where the caller's stack pointer was before the call
// (the canonical frame address) and where registers were saved. What is read may be anything: every
// read is hal_copy_safe's, and every loop has a bound.
#include "core/linux/callframe.h"

#include <stddef.h>
#include <stdint.h>

#include "core/elf/program.h"
#include "hal/hal.h"

enum { RBP = 6, RSP = 7, RIP = 16 };
enum { WINDOW = 64, STATES_MAX = 8, VALUES_MAX = 8, STEPS_MAX = 4096, AUGMENTATION_MAX = 8 };

// ---- Reading -------------------------------------------------------------

struct reader {
    uintptr_t at, end;
    uintptr_t window; // bytes[0] was read from here
    size_t window_size;
    bool has_failed;
    unsigned char bytes[WINDOW];
};

static bool memory_read(uintptr_t at, void *to, size_t size)
{
    return hal_copy_safe(to, (const void *)at, size) == 0;
}

static bool window_fill(struct reader *reader)
{
    size_t page_left = HAL_PAGE_SIZE - reader->at % HAL_PAGE_SIZE;
    size_t size = page_left < WINDOW ? page_left : WINDOW;
    reader->window = reader->at;
    reader->window_size = memory_read(reader->at, reader->bytes, size) ? size : 0;
    return reader->window_size != 0;
}

static uint8_t byte_take(struct reader *reader)
{
    bool is_there = reader->at < reader->end &&
                    (reader->at - reader->window < reader->window_size || window_fill(reader));
    if (!is_there) {
        reader->has_failed = true;
        return 0;
    }
    return reader->bytes[reader->at++ - reader->window];
}

static uint64_t number_take(struct reader *reader, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; ++i) {
        number |= (uint64_t)byte_take(reader) << (8 * i);
    }
    return number;
}

static uint64_t leb_take(struct reader *reader, bool is_signed)
{
    uint64_t number = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = byte_take(reader);
        number |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        shift += 7;
    } while ((byte & 0x80) != 0 && shift < 70);
    if (is_signed && (byte & 0x40) != 0 && shift < 64) {
        number |= ~(uint64_t)0 << shift;
    }
    return number;
}

static uint64_t unsigned_take(struct reader *reader)
{
    return leb_take(reader, false);
}

static int64_t signed_take(struct reader *reader)
{
    return (int64_t)leb_take(reader, true);
}

// Bytes of a pointer in that encoding (DW_EH_PE_*); 0: one that is not known here.
static size_t pointer_size(uint8_t encoding)
{
    switch (encoding & 0x0f) {
    case 0x00: // absptr
    case 0x04: // udata8
    case 0x0c: // sdata8
        return 8;
    case 0x03: // udata4
    case 0x0b: // sdata4
        return 4;
    default:
        return 0;
    }
}

// ---- The tables ----------------------------------------------------------

// The entry of the last function that begins at ip or before, with where it begins; 0: none.
static uintptr_t entry_find(uintptr_t header, uintptr_t ip, uintptr_t *function)
{
    // Version 1; relative to here, 4 bytes; 4 bytes; relative to the header, 4 bytes: as linkers
    // do.
    struct {
        uint8_t version, frame_encoding, count_encoding, table_encoding;
        int32_t frame;
        uint32_t count;
    } head;
    struct {
        int32_t function, entry;
    } row;
    if (!memory_read(header, &head, sizeof head) || head.version != 1 ||
        pointer_size(head.frame_encoding) != 4 || head.count_encoding != 0x03 ||
        head.table_encoding != 0x3b) {
        return 0;
    }
    uint32_t low = 0, high = head.count; // the row is in [low - 1, high)
    uintptr_t entry = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (!memory_read(header + sizeof head + middle * sizeof row, &row, sizeof row)) {
            return 0;
        }
        uintptr_t start = header + (uintptr_t)(intptr_t)row.function;
        if (start <= ip) {
            *function = start;
            entry = header + (uintptr_t)(intptr_t)row.entry;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return entry;
}

struct common { // of a CIE
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t pointers; // their encoding
    bool has_size;    // of what entries have besides
    struct reader program;
};

// A record's reader, behind its length. False: there is none.
static bool record_open(struct reader *reader, uintptr_t at)
{
    *reader = (struct reader){.at = at, .end = at + 4};
    uint64_t length = number_take(reader, 4);
    reader->end = reader->at + length;
    return !reader->has_failed && length != 0 && length < 0xfffffff0;
}

static bool augmentation_read(struct reader *reader, struct common *common,
                              const char text[AUGMENTATION_MAX])
{
    common->has_size = text[0] == 'z';
    uint64_t size = common->has_size ? unsigned_take(reader) : 0;
    uintptr_t end = reader->at + size;
    for (size_t i = 1; common->has_size && text[i] != 0; ++i) {
        if (text[i] == 'R') {
            common->pointers = byte_take(reader);
        } else if (text[i] == 'L') {
            (void)byte_take(reader);
        } else if (text[i] == 'P') {
            size_t pointer = pointer_size(byte_take(reader));
            (void)number_take(reader, pointer);
            reader->has_failed |= pointer == 0;
        } else if (text[i] != 'S') {
            return false;
        }
    }
    reader->at = end;
    return common->has_size || text[0] == 0;
}

static bool common_read(uintptr_t at, struct common *common)
{
    struct reader *reader = &common->program;
    char text[AUGMENTATION_MAX] = {0};
    if (!record_open(reader, at) || number_take(reader, 4) != 0) {
        return false;
    }
    uint8_t version = byte_take(reader);
    size_t length = 0;
    char letter;
    while ((letter = (char)byte_take(reader)) != 0 && length < AUGMENTATION_MAX - 1) {
        text[length++] = letter;
    }
    common->code_factor = unsigned_take(reader);
    common->data_factor = signed_take(reader);
    uint64_t link = version == 1 ? byte_take(reader) : unsigned_take(reader);
    common->pointers = 0;
    return augmentation_read(reader, common, text) && !reader->has_failed && link == RIP;
}

// The entry's program, and what is common to it and others. False: ip is not in it.
static bool entry_read(uintptr_t at, uintptr_t function, uintptr_t ip, struct reader *program,
                       struct common *common)
{
    if (!record_open(program, at)) {
        return false;
    }
    uintptr_t here = program->at;
    if (!common_read(here - number_take(program, 4), common)) {
        return false;
    }
    size_t size = pointer_size(common->pointers);
    (void)number_take(program, size);
    uint64_t range = number_take(program, size);
    if (common->has_size) {
        uint64_t more = unsigned_take(program);
        program->at += more;
    }
    return !program->has_failed && size != 0 && ip - function < range;
}

// ---- Programs ------------------------------------------------------------

enum rule { RULE_SAME, RULE_UNDEFINED, RULE_SAVED, RULE_SAVED_AT, RULE_OTHER };

struct place_rule {
    enum rule rule;
    int64_t offset;            // RULE_SAVED: from the frame address
    uintptr_t expression, end; // RULE_SAVED_AT: says where
};

struct state {
    bool is_expression; // the frame address is what that says, else a register and an offset
    uint64_t base;
    int64_t offset;
    uintptr_t expression, end;
    struct place_rule rbp, rip;
};

struct machine_run {
    struct state now, initial, kept[STATES_MAX];
    uint32_t kept_count;
    uint64_t code_factor;
    int64_t data_factor;
    bool has_failed;
};

static void rule_set(struct machine_run *run, uint64_t column, struct place_rule rule)
{
    if (column == RBP) {
        run->now.rbp = rule;
    } else if (column == RIP) {
        run->now.rip = rule;
    }
}

static void rule_restore(struct machine_run *run, uint64_t column)
{
    rule_set(run, column, column == RBP ? run->initial.rbp : run->initial.rip);
}

static void saved_set(struct machine_run *run, uint64_t column, int64_t factored)
{
    struct place_rule rule = {.rule = RULE_SAVED, .offset = factored * run->data_factor};
    rule_set(run, column, rule);
}

static void base_set(struct machine_run *run, uint64_t column)
{
    run->now.is_expression = false;
    run->now.base = column;
}

static struct place_rule block_take(struct reader *reader)
{
    uint64_t size = unsigned_take(reader);
    struct place_rule rule = {RULE_SAVED_AT, 0, reader->at, reader->at + size};
    reader->at += size;
    return rule;
}

static void states_change(struct machine_run *run, bool keeps)
{
    if (keeps ? run->kept_count == STATES_MAX : run->kept_count == 0) {
        run->has_failed = true;
    } else if (keeps) {
        run->kept[run->kept_count++] = run->now;
    } else {
        run->now = run->kept[--run->kept_count];
    }
}

// Those that say what the frame address is.
static void address_run(struct machine_run *run, struct reader *reader, uint8_t code)
{
    struct place_rule block;
    switch (code) {
    case 0x0c: // def_cfa
    case 0x12: // def_cfa_sf
        base_set(run, unsigned_take(reader));
        run->now.offset =
            code == 0x0c ? (int64_t)unsigned_take(reader) : signed_take(reader) * run->data_factor;
        break;
    case 0x0d: // def_cfa_register
        base_set(run, unsigned_take(reader));
        break;
    case 0x0e: // def_cfa_offset
        run->now.offset = (int64_t)unsigned_take(reader);
        break;
    case 0x13: // def_cfa_offset_sf
        run->now.offset = signed_take(reader) * run->data_factor;
        break;
    case 0x0f: // def_cfa_expression
        block = block_take(reader);
        run->now.is_expression = true;
        run->now.expression = block.expression;
        run->now.end = block.end;
        break;
    default:
        break;
    }
}

// One of DWARF's instructions whose number is in its low six bits. Answers how far it goes on in
// the code.
static uint64_t extended_run(struct machine_run *run, struct reader *reader, uint8_t code)
{
    uint64_t column;
    switch (code) {
    case 0x00: // nop
        break;
    case 0x02: // advance_loc1, 2, 4
    case 0x03:
        return number_take(reader, code - 1u);
    case 0x04:
        return number_take(reader, 4);
    case 0x05: // offset_extended
        column = unsigned_take(reader);
        saved_set(run, column, (int64_t)unsigned_take(reader));
        break;
    case 0x06: // restore_extended
        rule_restore(run, unsigned_take(reader));
        break;
    case 0x07: // undefined
        rule_set(run, unsigned_take(reader), (struct place_rule){.rule = RULE_UNDEFINED});
        break;
    case 0x08: // same_value
        rule_set(run, unsigned_take(reader), (struct place_rule){.rule = RULE_SAME});
        break;
    case 0x09: // register
    case 0x14: // val_offset
    case 0x15: // val_offset_sf
        rule_set(run, unsigned_take(reader), (struct place_rule){.rule = RULE_OTHER});
        (void)unsigned_take(reader);
        break;
    case 0x0a: // remember_state
    case 0x0b: // restore_state
        states_change(run, code == 0x0a);
        break;
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x0f:
    case 0x12:
    case 0x13:
        address_run(run, reader, code);
        break;
    case 0x10: // expression
        column = unsigned_take(reader);
        rule_set(run, column, block_take(reader));
        break;
    case 0x16: // val_expression
        column = unsigned_take(reader);
        (void)block_take(reader);
        rule_set(run, column, (struct place_rule){.rule = RULE_OTHER});
        break;
    case 0x11: // offset_extended_sf
        column = unsigned_take(reader);
        saved_set(run, column, signed_take(reader));
        break;
    case 0x2e: // GNU_args_size
        (void)unsigned_take(reader);
        break;
    default:
        run->has_failed = true;
        break;
    }
    return 0;
}

// Up to the state at offset bytes into the function.
static bool program_run(struct machine_run *run, struct reader *reader, uint64_t offset)
{
    uint64_t location = 0;
    for (int steps = 0; reader->at < reader->end && !run->has_failed; ++steps) {
        uint8_t byte = byte_take(reader);
        uint8_t low = byte & 0x3f;
        uint64_t advance = 0;
        if (reader->has_failed || steps == STEPS_MAX) {
            return false;
        }
        if (byte >> 6 == 1) { // advance_loc
            advance = low;
        } else if (byte >> 6 == 2) { // offset
            saved_set(run, low, (int64_t)unsigned_take(reader));
        } else if (byte >> 6 == 3) { // restore
            rule_restore(run, low);
        } else {
            advance = extended_run(run, reader, low);
        }
        location += advance * run->code_factor;
        if (location > offset) {
            break;
        }
    }
    return !run->has_failed && !reader->has_failed;
}

// ---- Values --------------------------------------------------------------

static bool column_value(const struct machine_place *place, uint64_t column, uint64_t *value)
{
    *value = column == RBP ? place->frame : column == RSP ? place->sp : place->ip;
    return column == RBP || column == RSP || column == RIP;
}

static bool binary_run(uint8_t code, uint64_t *left, uint64_t right)
{
    switch (code) {
    case 0x1a: // and
        *left &= right;
        return true;
    case 0x22: // plus
        *left += right;
        return true;
    case 0x24: // shl
        *left = right < 64 ? *left << right : 0;
        return true;
    case 0x2a: // ge
        *left = (int64_t)*left >= (int64_t)right;
        return true;
    default:
        return false;
    }
}

// What compilers use: a register and an offset, what it points to, and what PLTs need.
static bool expression_run(uintptr_t start, uintptr_t end, const struct machine_place *place,
                           uint64_t *result)
{
    enum { DEREF = 0x06, PLUS_CONSTANT = 0x23, LITERAL = 0x30, REGISTER = 0x70 };
    struct reader reader = {.at = start, .end = end};
    uint64_t values[VALUES_MAX];
    size_t count = 0;
    while (reader.at < reader.end && !reader.has_failed) {
        uint8_t code = byte_take(&reader);
        bool is_good = true;
        if (code >= LITERAL && code < LITERAL + 32 && count < VALUES_MAX) {
            values[count++] = code - LITERAL;
        } else if (code >= REGISTER && code < REGISTER + 32 && count < VALUES_MAX) {
            is_good = column_value(place, code - REGISTER, &values[count]);
            values[count++] += (uint64_t)signed_take(&reader);
        } else if (code == DEREF && count > 0) {
            is_good = memory_read(values[count - 1], &values[count - 1], sizeof values[0]);
        } else if (code == PLUS_CONSTANT && count > 0) {
            values[count - 1] += unsigned_take(&reader);
        } else {
            is_good = count > 1 && binary_run(code, &values[count - 2], values[count - 1]);
            --count;
        }
        if (!is_good) {
            return false;
        }
    }
    *result = count > 0 ? values[count - 1] : 0;
    return count > 0 && !reader.has_failed;
}

static bool frame_address(const struct state *state, const struct machine_place *place,
                          uint64_t *address)
{
    if (state->is_expression) {
        return expression_run(state->expression, state->end, place, address);
    }
    bool is_known = column_value(place, state->base, address);
    *address += (uint64_t)state->offset;
    return is_known && state->base != RIP;
}

static bool rule_value(const struct place_rule *rule, uint64_t address,
                       const struct machine_place *place, uint64_t *value)
{
    if (rule->rule == RULE_SAVED) {
        return memory_read(address + (uint64_t)rule->offset, value, sizeof *value);
    }
    uint64_t at;
    return rule->rule == RULE_SAVED_AT && expression_run(rule->expression, rule->end, place, &at) &&
           memory_read(at, value, sizeof *value);
}

static enum callframe caller_find(const struct state *state, struct machine_place *place)
{
    uint64_t address, ip, frame = place->frame;
    if (state->rip.rule == RULE_UNDEFINED) {
        return CALLFRAME_OUTMOST;
    }
    bool is_kept = state->rbp.rule == RULE_SAME || state->rbp.rule == RULE_UNDEFINED;
    if (!frame_address(state, place, &address) || !rule_value(&state->rip, address, place, &ip) ||
        (!is_kept && !rule_value(&state->rbp, address, place, &frame))) {
        return CALLFRAME_NONE;
    }
    *place = (struct machine_place){.ip = ip, .sp = address, .frame = frame, .is_return = true};
    return CALLFRAME_FOUND;
}

enum callframe callframe_step(struct machine_place *place)
{
    uintptr_t ip = place->ip - place->is_return; // the call lies before where it returns to
    uintptr_t function = 0;
    struct elf_object_info object;
    struct common common;
    struct reader program;
    if (!elf_object_of((const void *)ip, &object) || object.eh_frame_header == NULL) {
        return CALLFRAME_NONE;
    }
    uintptr_t entry = entry_find((uintptr_t)object.eh_frame_header, ip, &function);
    if (entry == 0 || !entry_read(entry, function, ip, &program, &common)) {
        return CALLFRAME_NONE;
    }
    struct machine_run run = {.code_factor = common.code_factor, .data_factor = common.data_factor};
    if (!program_run(&run, &common.program, UINT64_MAX)) {
        return CALLFRAME_NONE;
    }
    run.initial = run.now;
    return program_run(&run, &program, ip - function) ? caller_find(&run.now, place)
                                                      : CALLFRAME_NONE;
}
