// SPDX-License-Identifier: BSD-3-Clause
// bpf.c: see bpf.h. Jumps lead forward alone, so that a program ends.
#include "core/lib/bpf.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"

enum bpf_class { LD, LDX, ST, STX, ALU, JMP, RET, MISC, CLASS = 7 };

enum {
    W = 0,
    H = 0x08,
    B = 0x10,
    SIZE = 0x18,
    IMM = 0,
    ABS = 0x20,
    IND = 0x40,
    MEM = 0x60,
    LEN = 0x80,
    MSH = 0xa0,
    MODE = 0xe0,
    ADD = 0,
    SUB = 0x10,
    MUL = 0x20,
    DIV = 0x30,
    OR = 0x40,
    AND = 0x50,
    LSH = 0x60,
    RSH = 0x70,
    NEG = 0x80,
    MOD = 0x90,
    XOR = 0xa0,
    JA = 0,
    JEQ = 0x10,
    JGT = 0x20,
    JGE = 0x30,
    JSET = 0x40,
    OPERATION = 0xf0,
    X = 0x08,     // the other number is in the index register, else it is k
    RET_A = 0x10, // it returns the accumulator, else k
    TXA = 0x80,
    MEMORY = 16,
};

// What lies at negative offsets: what Linux knows of a packet, and its headers.
enum { FACTS = -0x1000, NETWORK = -0x100000, LINK = -0x200000 };

enum fact {
    PROTOCOL = 0,
    WAY = 4,
    INTERFACE = 8,
    MARK = 20, // there are no such marks, as there is no number of a queue, and no hash
    QUEUE = 24,
    HARDWARE = 28,
    HASH = 32,
    CPU = 36,
    XOR_X = 40,
    VLAN_TAG = 44, // tags stay in the bytes
    VLAN_IS_THERE = 48,
    RANDOM = 56,
    VLAN_PROTOCOL = 60,
};

// ---- Checking ------------------------------------------------------------------------

static bool load_is_known(unsigned code)
{
    const unsigned mode = code & MODE, size = code & SIZE;
    return mode == ABS || mode == IND ? size != SIZE
                                      : size == W && (mode == IMM || mode == MEM || mode == LEN);
}

static bool index_load_is_known(unsigned code)
{
    const unsigned mode = code & MODE, size = code & SIZE;
    return mode == MSH ? size == B : size == W && (mode == IMM || mode == MEM || mode == LEN);
}

static bool code_is_known(unsigned code)
{
    const unsigned operation = code & OPERATION;
    switch ((enum bpf_class)(code & CLASS)) {
    case LD:
        return load_is_known(code);
    case LDX:
        return index_load_is_known(code);
    case ST:
    case STX:
        return (code & ~(unsigned)CLASS) == 0;
    case ALU:
        return operation <= XOR && (operation != NEG || (code & X) == 0);
    case JMP:
        return operation <= JSET && (operation != JA || (code & X) == 0);
    case RET:
        return (code & ~(unsigned)CLASS & ~(unsigned)RET_A) == 0;
    case MISC:
        return (code & ~(unsigned)CLASS & ~(unsigned)TXA) == 0;
    }
    return false;
}

static bool fact_is_known(uint32_t which)
{
    static const uint8_t all[] = {PROTOCOL,      WAY,    INTERFACE,    MARK,  QUEUE,
                                  HARDWARE,      HASH,   CPU,          XOR_X, VLAN_TAG,
                                  VLAN_IS_THERE, RANDOM, VLAN_PROTOCOL};
    for (unsigned i = 0; i < sizeof all; ++i) {
        if (all[i] == which) {
            return true;
        }
    }
    return false;
}

static bool is_memory_load(const struct bpf_instruction *one)
{
    const unsigned class = one->code & CLASS;
    return (class == LD || class == LDX) && (one->code & MODE) == MEM;
}

static bool is_store(const struct bpf_instruction *one)
{
    return (one->code & CLASS) == ST || (one->code & CLASS) == STX;
}

static bool alu_is_right(const struct bpf_instruction *one)
{
    const unsigned operation = one->code & OPERATION;
    if ((one->code & X) != 0) {
        return true;
    }
    return operation == DIV || operation == MOD   ? one->k != 0
           : operation == LSH || operation == RSH ? one->k < 32
                                                  : true;
}

// left: how many follow it.
static bool is_right(const struct bpf_instruction *one, uint32_t left)
{
    if (one->code > UINT8_MAX || !code_is_known(one->code)) {
        return false;
    }
    switch ((enum bpf_class)(one->code & CLASS)) {
    case ALU:
        return alu_is_right(one);
    case JMP:
        return (one->code & OPERATION) == JA ? one->k < left
                                             : one->if_true < left && one->if_false < left;
    case LD:
        if ((one->code & MODE) == ABS && one->k >= (uint32_t)FACTS) {
            return fact_is_known(one->k - (uint32_t)FACTS);
        }
        break;
    default:
        break;
    }
    return (!is_memory_load(one) && !is_store(one)) || one->k < MEMORY;
}

// room[i]: the words of memory that are written on each way to instruction i.
static bool memory_is_written(const struct bpf_instruction *program, uint32_t count, uint16_t *room)
{
    uint16_t written = 0;
    memset(room, 0xff, count * sizeof *room);
    for (uint32_t i = 0; i < count; ++i) {
        const struct bpf_instruction *one = &program[i];
        written &= room[i];
        if (is_store(one)) {
            written |= (uint16_t)(1u << one->k);
        } else if (is_memory_load(one) && (written >> one->k & 1) == 0) {
            return false;
        } else if ((one->code & CLASS) == JMP) {
            const bool is_always = (one->code & OPERATION) == JA;
            room[i + 1 + (is_always ? one->k : one->if_true)] &= written;
            room[i + 1 + (is_always ? one->k : one->if_false)] &= written;
            written = UINT16_MAX;
        }
    }
    return true;
}

int bpf_check(const struct bpf_instruction *program, uint32_t count, uint16_t *room)
{
    if (count == 0 || count > BPF_COUNT_MAX) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < count; ++i) {
        if (!is_right(&program[i], count - i - 1)) {
            return -EINVAL;
        }
    }
    const bool ends = (program[count - 1].code & CLASS) == RET;
    return ends && memory_is_written(program, count, room) ? 0 : -EINVAL;
}

// ---- Running -------------------------------------------------------------------------

struct machine {
    uint32_t a, x;
    uint32_t memory[MEMORY];
    const struct bpf_view *view;
};

// count bytes at the place that a program names, as a number. False: they are not there.
static bool bytes_load(const struct bpf_view *view, int32_t offset, uint32_t count, uint32_t *value)
{
    uint8_t bytes[sizeof *value];
    uint32_t base = view->data;
    int64_t at = offset;
    if (offset < 0) {
        const bool is_network = offset >= NETWORK;
        base = is_network ? view->network : view->link;
        at = (int64_t)offset - (is_network ? NETWORK : LINK);
    }
    at += base;
    if (base == BPF_NOWHERE || offset < LINK || at + count > view->size) {
        return false;
    }
    if (at + count <= view->near_size) {
        memcpy(bytes, view->bytes + at, count);
    } else {
        view->far_read(view, (uint32_t)at, bytes, count);
    }
    *value = 0;
    for (uint32_t i = 0; i < count; ++i) {
        *value = *value << 8 | bytes[i];
    }
    return true;
}

static uint32_t fact(const struct machine *machine, uint32_t which)
{
    const struct bpf_view *view = machine->view;
    uint32_t number = 0;
    switch ((enum fact)which) {
    case PROTOCOL:
        return view->protocol;
    case WAY:
        return view->way;
    case INTERFACE:
        return view->interface;
    case HARDWARE:
        return view->hardware;
    case CPU:
        return view->cpu;
    case XOR_X:
        return machine->a ^ machine->x;
    case RANDOM:
        hal_entropy(&number, sizeof number);
        return number;
    default:
        return 0;
    }
}

// *to: the accumulator, or the index register. False: what is loaded is not there.
static bool load(const struct machine *machine, const struct bpf_instruction *one, uint32_t *to)
{
    const unsigned size = one->code & SIZE;
    const uint32_t count = size == W ? 4 : size == H ? 2 : 1;
    switch (one->code & MODE) {
    case IMM:
        *to = one->k;
        return true;
    case MEM:
        *to = machine->memory[one->k];
        return true;
    case LEN:
        *to = machine->view->size - machine->view->data;
        return true;
    case MSH:
        if (!bytes_load(machine->view, (int32_t)one->k, 1, to)) {
            return false;
        }
        *to = (*to & 15) * 4;
        return true;
    case IND:
        return bytes_load(machine->view, (int32_t)(machine->x + one->k), count, to);
    default:
        if (one->k >= (uint32_t)FACTS) {
            *to = fact(machine, one->k - (uint32_t)FACTS);
            return true;
        }
        return bytes_load(machine->view, (int32_t)one->k, count, to);
    }
}

// False: it divides by 0.
static bool calculate(struct machine *machine, const struct bpf_instruction *one)
{
    const uint32_t by = (one->code & X) != 0 ? machine->x : one->k;
    const unsigned operation = one->code & OPERATION;
    uint32_t *a = &machine->a;
    if ((operation == DIV || operation == MOD) && by == 0) {
        return false;
    }
    switch (operation) {
    case ADD:
        *a += by;
        break;
    case SUB:
        *a -= by;
        break;
    case MUL:
        *a *= by;
        break;
    case DIV:
        *a /= by;
        break;
    case MOD:
        *a %= by;
        break;
    case OR:
        *a |= by;
        break;
    case AND:
        *a &= by;
        break;
    case XOR:
        *a ^= by;
        break;
    case LSH:
        *a <<= by & 31;
        break;
    case RSH:
        *a >>= by & 31;
        break;
    default:
        *a = -*a;
        break;
    }
    return true;
}

// How many instructions are skipped.
static uint32_t jump(const struct machine *machine, const struct bpf_instruction *one)
{
    const uint32_t to = (one->code & X) != 0 ? machine->x : one->k;
    bool is_true;
    switch (one->code & OPERATION) {
    case JA:
        return one->k;
    case JEQ:
        is_true = machine->a == to;
        break;
    case JGT:
        is_true = machine->a > to;
        break;
    case JGE:
        is_true = machine->a >= to;
        break;
    default:
        is_true = (machine->a & to) != 0;
        break;
    }
    return is_true ? one->if_true : one->if_false;
}

uint32_t bpf_run(const struct bpf_instruction *program, const struct bpf_view *view)
{
    struct machine machine = {.view = view};
    for (const struct bpf_instruction *one = program;; ++one) {
        switch ((enum bpf_class)(one->code & CLASS)) {
        case LD:
        case LDX:
            if (!load(&machine, one, (one->code & CLASS) == LD ? &machine.a : &machine.x)) {
                return 0;
            }
            break;
        case ST:
            machine.memory[one->k] = machine.a;
            break;
        case STX:
            machine.memory[one->k] = machine.x;
            break;
        case ALU:
            if (!calculate(&machine, one)) {
                return 0;
            }
            break;
        case JMP:
            one += jump(&machine, one);
            break;
        case RET:
            return (one->code & RET_A) != 0 ? machine.a : one->k;
        case MISC:
            if ((one->code & TXA) != 0) {
                machine.a = machine.x;
            } else {
                machine.x = machine.a;
            }
            break;
        }
    }
}
