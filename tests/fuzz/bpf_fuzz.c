// SPDX-License-Identifier: BSD-3-Clause
// bpf_fuzz.c: any bytes at all as programs of packet filters: what is not refused ends, reads
// nothing but its packet, and says the same of it however many of its bytes lie at hand. Half of
// the programs are made right enough that most of them run.
#include <string.h>

#include "core/lib/bpf.h"
#include "input.h"

enum { COUNT_MAX = 64, RANDOM = -0x1000 + 56, MEMORY = 16 };

enum { LD = 0, ST = 2, STX = 3, JMP = 5, RET = 6, CLASS = 7, MODE = 0xe0, ABS = 0x20, MEM = 0x60 };

static void far_read(const struct bpf_view *view, uint32_t offset, uint8_t *to, uint32_t count)
{
    demand(offset <= view->size && count <= view->size - offset, "what is read is there");
    memcpy(to, (const char *)view->source + offset, count);
}

// Jumps that stay inside, words of memory that there are, and an end.
static void repair(struct bpf_instruction *program, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        struct bpf_instruction *one = &program[i];
        const uint32_t rest = count - i - 1, class = one->code & CLASS;
        one->code &= UINT8_MAX;
        if (class == JMP && rest > 0) {
            one->k = (one->code & 0xf8) == 0 ? one->k % rest : one->k;
            one->if_true = (uint8_t)(one->if_true % rest);
            one->if_false = (uint8_t)(one->if_false % rest);
        }
        const bool is_load = class < ST && (one->code & MODE) == MEM;
        one->k = is_load || class == ST || class == STX ? one->k % MEMORY : one->k;
    }
    program[count - 1].code = RET | (program[count - 1].code & 0x10);
}

static bool is_by_chance(const struct bpf_instruction *program, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        if ((program[i].code & (CLASS | MODE)) == (LD | ABS) && program[i].k == (uint32_t)RANDOM) {
            return true;
        }
    }
    return false;
}

// The input: what the rest is like, how many instructions, where headers begin, and how many bytes
// lie at hand; instructions; the packet.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 6 };
    struct bpf_instruction program[COUNT_MAX];
    uint16_t room[COUNT_MAX];
    if (size < HEAD + sizeof *program) {
        return 0;
    }
    const size_t most = (size - HEAD) / sizeof *program;
    uint32_t count = 1 + data[1] % COUNT_MAX;
    count = count < most ? count : (uint32_t)most;
    memcpy(program, data + HEAD, count * sizeof *program);
    if ((data[0] & 1) != 0) {
        repair(program, count);
    }
    if (bpf_check(program, count, room) != 0) {
        return 0;
    }
    const char *packet = (const char *)data + HEAD + count * sizeof *program;
    struct bpf_view view = {
        .bytes = packet,
        .size = (uint32_t)(size - HEAD - count * sizeof *program),
        .network = data[3] == UINT8_MAX ? BPF_NOWHERE : data[3],
        .link = data[4] == UINT8_MAX ? BPF_NOWHERE : data[4],
        .far_read = far_read,
        .source = packet,
        .protocol = 0x800,
    };
    view.data = data[2] < view.size ? data[2] : view.size;
    view.near_size = view.size;
    const uint32_t wanted = bpf_run(program, &view);
    char *near = malloc(data[5] + 1u); // what is read behind it is found
    view.near_size = data[5] < view.size ? data[5] : view.size;
    memcpy(near, packet, view.near_size);
    view.bytes = near;
    demand(bpf_run(program, &view) == wanted || is_by_chance(program, count),
           "a program says the same again");
    free(near);
    return 0;
}
