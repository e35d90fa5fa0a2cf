// SPDX-License-Identifier: BSD-3-Clause
// corefile.c: an ELF core file as Linux writes it (gABI; Linux fs/binfmt_elf.c and
// include/uapi/linux/elfcore.h for the notes).
//
// Header, program headers, notes, then the parts of memory, each from a page on: the program's
// areas, what core keeps for it outside them (malloc's memory and the threads', in the direct map),
// the machine's texts (arguments and environment), and core's own image, so that a debugger can go
// on where a thread waits in core. A page that was never touched, or is zero, is a hole; what
// follows the last touched page of an area is not in the file.
#include "core/linux/corefile.h"

#include <elf.h>
#include <limits.h>

#include "core/elf/program.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/task.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"
#include "core/vm/vm.h"

enum { PART_MAX = 0xfff0, SETTLE_PAGES = 1024, BLOCK = 2 << 20, TEXTS_MAX = 4 << 20 };

enum part_kind { PART_AREA, PART_DIRECT, PART_IMAGE, PART_TEXTS };

struct part {
    enum part_kind kind;
    char *start;
    size_t size;
    unsigned prot;
    uint64_t offset, file_size;
    const char *name; // of the mapped file, or NULL
    uint64_t name_offset;
};

struct corefile {
    struct file *file;
    const struct corefile_death *death;
    void (*settle)(void);
    uint64_t offset; // where put goes on
    int error;       // the first
    struct part *parts;
    size_t part_count, part_room; // count may be more: then there was no room
    uint64_t *mapped;             // a bit for each frame: an area has it
    char *page;
    size_t page_count;
};

static void put_at(struct corefile *core, uint64_t offset, const void *data, size_t size)
{
    size_t done = 0;
    if (core->error == 0) {
        core->error = file_write_at(core->file, offset, data, size, &done);
        if (core->error == 0 && done != size) {
            core->error = -ENOSPC;
        }
    }
}

static void put(struct corefile *core, const void *data, size_t size)
{
    put_at(core, core->offset, data, size);
    core->offset += size;
}

// ---- Notes ---------------------------------------------------------------

static void note_begin(struct corefile *core, uint32_t type, size_t size)
{
    static const char name[8] = "CORE";
    const Elf64_Nhdr header = {.n_namesz = 5, .n_descsz = (uint32_t)size, .n_type = type};
    put(core, &header, sizeof header);
    put(core, name, sizeof name);
}

static void note_end(struct corefile *core)
{
    core->offset = (core->offset + 3) & ~(uint64_t)3;
}

static void note(struct corefile *core, uint32_t type, const void *data, size_t size)
{
    note_begin(core, type, size);
    put(core, data, size);
    note_end(core);
}

struct status { // struct elf_prstatus up to the registers
    int32_t signal, code, error;
    int16_t current_signal;
    uint64_t pending, blocked;
    int32_t id, parent, group, session;
    int64_t times[8];
};

_Static_assert(sizeof(struct status) == 112, "struct elf_prstatus");

static void thread_notes(struct corefile *core, const struct thread *thread,
                         const struct hal_regs *regs)
{
    const struct task *task = thread->user;
    const struct linux_signal_info *info = &core->death->info;
    const uint64_t has_vector = 1;
    char registers[MACHINE_CORE_MAX];
    const struct status status = {.signal = info->signal,
                                  .code = info->code,
                                  .current_signal = (int16_t)info->signal,
                                  .pending = atomic_load(&task->signals.set),
                                  .blocked = atomic_load(&task->blocked),
                                  .id = task->id,
                                  .parent = PROCESS_PARENT_ID,
                                  .group = PROCESS_ID,
                                  .session = PROCESS_ID};
    size_t size = machine_core_general(regs, thread->context.tp, registers);
    note_begin(core, NT_PRSTATUS, sizeof status + size + sizeof has_vector);
    put(core, &status, sizeof status);
    put(core, registers, size);
    put(core, &has_vector, sizeof has_vector);
    note_end(core);
    size = machine_core_vector(regs, registers);
    note(core, NT_FPREGSET, registers, size);
}

// What is not switched out has registers that nobody knows.
static void other_thread_note(struct thread *thread, void *argument)
{
    struct corefile *core = argument;
    struct hal_regs regs;
    if (thread->user != NULL && thread != core->death->thread &&
        atomic_load(&thread->state) == THREAD_PARKED && !thread_is_running(thread)) {
        hal_context_get(&thread->context, &regs);
        thread_notes(core, thread, &regs);
    }
}

static void dead_thread_note(struct corefile *core)
{
    const struct corefile_death *death = core->death;
    struct hal_regs regs;
    if (death->regs == NULL) {
        hal_context_get(&death->thread->context, &regs);
    }
    thread_notes(core, death->thread, death->regs != NULL ? death->regs : &regs);
}

struct process { // struct elf_prpsinfo
    char state, state_name, is_zombie, nice;
    uint64_t flags;
    uint32_t uid, gid;
    int32_t id, parent, group, session;
    char name[16], arguments[80];
};

_Static_assert(sizeof(struct process) == 136, "struct elf_prpsinfo");

static void process_note(struct corefile *core)
{
    const struct process_options *options = process_options();
    struct process process = {.state_name = 'R',
                              .uid = options->uid,
                              .gid = options->gid,
                              .id = PROCESS_ID,
                              .parent = PROCESS_PARENT_ID,
                              .group = PROCESS_ID,
                              .session = PROCESS_ID};
    const char *slash = strrchr(options->executable, '/');
    const char *name = slash == NULL ? options->executable : slash + 1;
    memcpy(process.name, name, strnlen(name, sizeof process.name - 1));
    size_t used = 0;
    for (const char *const *argument = options->arguments; *argument != NULL; ++argument) {
        size_t room = sizeof process.arguments - 1 - used;
        size_t size = strnlen(*argument, room);
        memcpy(process.arguments + used, *argument, size);
        used += size;
        if (used < sizeof process.arguments - 1 && argument[1] != NULL) {
            process.arguments[used++] = ' ';
        }
    }
    note(core, NT_PRPSINFO, &process, sizeof process);
}

// What debuggers place the program by.
static void auxiliary_note(struct corefile *core)
{
    struct elf_start start = {0};
    (void)elf_program_start_get(&start); // none: zeros
    const Elf64_auxv_t vector[] = {
        {AT_PHDR, {(uintptr_t)start.program_headers}},
        {AT_PHENT, {start.program_header_size}},
        {AT_PHNUM, {start.program_header_count}},
        {AT_PAGESZ, {HAL_PAGE_SIZE}},
        {AT_BASE, {0}},
        {AT_ENTRY, {(uintptr_t)start.entry}},
        {AT_UID, {process_options()->uid}},
        {AT_GID, {process_options()->gid}},
        {AT_NULL, {0}},
    };
    note(core, NT_AUXV, vector, sizeof vector);
}

static void files_note(struct corefile *core)
{
    uint64_t count = 0;
    size_t size = 2 * sizeof count;
    for (size_t i = 0; i < core->part_count; ++i) {
        if (core->parts[i].name != NULL) {
            ++count;
            size += 3 * sizeof count + strlen(core->parts[i].name) + 1;
        }
    }
    const uint64_t head[2] = {count, HAL_PAGE_SIZE};
    note_begin(core, NT_FILE, size);
    put(core, head, sizeof head);
    for (size_t i = 0; i < core->part_count; ++i) {
        const struct part *part = &core->parts[i];
        const uint64_t entry[3] = {(uintptr_t)part->start, (uintptr_t)part->start + part->size,
                                   part->name_offset / HAL_PAGE_SIZE};
        if (part->name != NULL) {
            put(core, entry, sizeof entry);
        }
    }
    for (size_t i = 0; i < core->part_count; ++i) {
        if (core->parts[i].name != NULL) {
            put(core, core->parts[i].name, strlen(core->parts[i].name) + 1);
        }
    }
    note_end(core);
}

static void notes_put(struct corefile *core)
{
    dead_thread_note(core); // the first is the one that debuggers select
    process_note(core);
    note(core, NT_SIGINFO, &core->death->info, sizeof core->death->info);
    auxiliary_note(core);
    files_note(core);
    thread_walk(other_thread_note, core);
}

// ---- Parts ---------------------------------------------------------------

static void part_add(struct corefile *core, const struct part *part)
{
    if (core->part_count < core->part_room) {
        core->parts[core->part_count] = *part;
    }
    ++core->part_count;
}

static bool area_add(const struct vm_area_info *area, void *argument)
{
    struct corefile *core = argument;
    struct part part = {.kind = PART_AREA,
                        .start = area->start,
                        .size = (size_t)(area->end - area->start),
                        .prot = area->prot};
    if (area->name[0] == '/') {
        part.name = area->name;
        part.name_offset = area->offset;
    }
    part_add(core, &part);
    return true;
}

// Blocks of the direct map in which frames are taken that no area has.
static void direct_add(struct corefile *core)
{
    struct part part = {.kind = PART_DIRECT, .prot = HAL_READ | HAL_WRITE};
    for (size_t at = 0; at < frame_span(); at += HAL_PAGE_SIZE) {
        char *block = frame_address(frame_first() + (at & ~(size_t)(BLOCK - 1)));
        if (!frame_is_taken(frame_first() + at) ||
            (part.size > 0 && part.start + part.size > block)) {
            continue;
        }
        if (part.size > 0 && part.start + part.size == block) {
            part.size += BLOCK;
            continue;
        }
        if (part.size > 0) {
            part_add(core, &part);
        }
        part.start = block;
        part.size = BLOCK;
    }
    if (part.size > 0) {
        part_add(core, &part);
    }
}

// Extends the span by the texts of a list that lie near it.
static void texts_span(const char *const *texts, uintptr_t *low, uintptr_t *high)
{
    for (; *texts != NULL; ++texts) {
        uintptr_t start = (uintptr_t)*texts;
        uintptr_t end = start + strlen(*texts) + 1;
        uintptr_t new_low = start < *low ? start : *low;
        uintptr_t new_high = end > *high ? end : *high;
        if (new_high - new_low < TEXTS_MAX) {
            *low = new_low;
            *high = new_high;
        }
    }
}

static void texts_add(struct corefile *core)
{
    const struct process_options *options = process_options();
    uintptr_t low = (uintptr_t)options->arguments[0];
    uintptr_t high = low;
    texts_span(options->arguments, &low, &high);
    texts_span(options->environment, &low, &high);
    low &= ~(uintptr_t)(HAL_PAGE_SIZE - 1);
    high = (high + HAL_PAGE_SIZE - 1) & ~(uintptr_t)(HAL_PAGE_SIZE - 1);
    if (high > low) {
        const struct part part = {
            .kind = PART_TEXTS, .start = (char *)low, .size = high - low, .prot = HAL_READ};
        part_add(core, &part);
    }
}

static void parts_find(struct corefile *core)
{
    struct elf_image_part image;
    core->part_count = 0;
    vm_walk(area_add, core);
    direct_add(core);
    texts_add(core);
    for (size_t i = 0; elf_image_part(i, &image); ++i) {
        const struct part part = {
            .kind = PART_IMAGE, .start = image.start, .size = image.size, .prot = image.prot};
        part_add(core, &part);
    }
}

// Twice, for there is no room before it is known how many there are; a few more for what changes
// meanwhile.
static int parts_collect(struct corefile *core)
{
    enum { SPARE = 16 };
    parts_find(core);
    core->part_room = core->part_count + SPARE;
    if (core->part_room > PART_MAX) {
        return -EFBIG;
    }
    core->parts = heap_alloc_zeroed(core->part_room * sizeof *core->parts);
    core->mapped = heap_alloc_zeroed(frame_span() / HAL_PAGE_SIZE / CHAR_BIT + sizeof(uint64_t));
    core->page = heap_alloc(HAL_PAGE_SIZE);
    if (core->parts == NULL || core->mapped == NULL || core->page == NULL) {
        return -ENOMEM;
    }
    parts_find(core);
    core->part_count = core->part_count < core->part_room ? core->part_count : core->part_room;
    return 0;
}

// The bit of a frame in the set of those that areas have.
static uint64_t *mapped_word(const struct corefile *core, hal_phys frame, uint64_t *bit)
{
    size_t index = (frame - frame_first()) / HAL_PAGE_SIZE;
    *bit = (uint64_t)1 << index % 64;
    return &core->mapped[index / 64];
}

// Where the page's content can be read; NULL: it has none, or it is in the file elsewhere.
static const char *page_content(struct corefile *core, const struct part *part, char *va)
{
    hal_phys frame;
    unsigned prot;
    uint64_t bit;
    switch (part->kind) {
    case PART_AREA:
        if (hal_translate(va, &frame, &prot) != 0) {
            return NULL;
        }
        if (frame - frame_first() < frame_span()) {
            *mapped_word(core, frame, &bit) |= bit;
        }
        return frame_address(frame);
    case PART_DIRECT:
        frame = frame_of(va);
        return !frame_is_taken(frame) || (*mapped_word(core, frame, &bit) & bit) != 0 ? NULL : va;
    case PART_IMAGE:
        return va;
    case PART_TEXTS: // the machine's pages: what else is there may go away
        return hal_copy_safe(core->page, va, HAL_PAGE_SIZE) == 0 ? core->page : NULL;
    }
    return NULL;
}

static bool is_zero(const char *page)
{
    const uint64_t *words = (const void *)page;
    uint64_t any = 0;
    for (size_t i = 0; i < HAL_PAGE_SIZE / sizeof *words && any == 0; ++i) {
        any = words[i];
    }
    return any == 0;
}

// Areas come first: what they have is left out of the direct map.
static void part_put(struct corefile *core, struct part *part)
{
    part->offset = core->offset;
    for (size_t at = 0; at < part->size && core->error == 0; at += HAL_PAGE_SIZE) {
        const char *content = page_content(core, part, part->start + at);
        if (content == NULL) {
            continue;
        }
        part->file_size = at + HAL_PAGE_SIZE;
        if (!is_zero(content)) {
            put_at(core, core->offset + at, content, HAL_PAGE_SIZE);
        }
        if (++core->page_count % SETTLE_PAGES == 0) {
            core->settle();
        }
    }
    core->offset += part->file_size;
}

// ---- The file ------------------------------------------------------------

static void headers_put(struct corefile *core, uint64_t notes_start, uint64_t notes_end)
{
    core->offset = 0;
    const Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = elf_machine_number(),
        .e_version = EV_CURRENT,
        .e_phoff = sizeof header,
        .e_ehsize = sizeof header,
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (uint16_t)(core->part_count + 1),
    };
    const Elf64_Phdr notes = {.p_type = PT_NOTE,
                              .p_offset = notes_start,
                              .p_filesz = notes_end - notes_start,
                              .p_align = 4};
    put(core, &header, sizeof header);
    put(core, &notes, sizeof notes);
    for (size_t i = 0; i < core->part_count; ++i) {
        const struct part *part = &core->parts[i];
        const Elf64_Phdr load = {
            .p_type = PT_LOAD,
            .p_flags = ((part->prot & HAL_READ) != 0 ? PF_R : 0u) |
                       ((part->prot & HAL_WRITE) != 0 ? PF_W : 0u) |
                       ((part->prot & HAL_EXEC) != 0 ? PF_X : 0u),
            .p_offset = part->offset,
            .p_vaddr = (uintptr_t)part->start,
            .p_filesz = part->file_size,
            .p_memsz = part->size,
            .p_align = HAL_PAGE_SIZE,
        };
        put(core, &load, sizeof load);
    }
}

int corefile_write(struct file *file, const struct corefile_death *death, void (*settle)(void),
                   uint64_t *size)
{
    struct corefile core = {.file = file, .death = death, .settle = settle};
    core.error = parts_collect(&core);
    if (core.error == 0) {
        uint64_t notes_start = sizeof(Elf64_Ehdr) + (core.part_count + 1) * sizeof(Elf64_Phdr);
        core.offset = notes_start;
        notes_put(&core);
        uint64_t notes_end = core.offset;
        core.offset = (core.offset + HAL_PAGE_SIZE - 1) & ~(uint64_t)(HAL_PAGE_SIZE - 1);
        for (size_t i = 0; i < core.part_count; ++i) {
            part_put(&core, &core.parts[i]);
        }
        *size = core.offset;
        headers_put(&core, notes_start, notes_end);
    }
    if (core.error == 0) {
        core.error = file_truncate(file, *size); // the last page may be a hole
    }
    heap_free(core.parts);
    heap_free(core.mapped);
    heap_free(core.page);
    return core.error;
}
