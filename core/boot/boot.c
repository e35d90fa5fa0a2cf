// SPDX-License-Identifier: BSD-3-Clause
// boot.c: the one list of steps from the machine's first call to the program's first instruction.
//
// Memory first, for everything needs it; then threads; the rest runs on a thread and may block. The
// program gets a thread of its own whose stack is what Linux would give it.
#include "core/boot/network.h"
#include "core/boot/options.h"
#include "core/boot/script.h"
#include "core/boot/selftest.h"
#include "core/dev/balloon.h"
#include "core/dev/block.h"
#include "core/dev/device.h"
#include "core/dev/partition.h"
#include "core/elf/program.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/libc/libc.h"
#include "core/libc/watch.h"
#include "core/linux/coredump.h"
#include "core/linux/perfmap.h"
#include "core/linux/signal.h"
#include "core/linux/stats.h"
#include "core/linux/syscall.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/sync/heap_trim.h"
#include "core/sync/rcu.h"
#include "core/sync/shrinker.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/shortage.h"
#include "core/vfs/usage.h"
#include "core/vfs/vfs.h"
#include "core/vm/collapse.h"
#include "core/vm/vm.h"
#include "hal/upcall.h"

enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

static struct options options;
static const struct hal_boot *machine;

HAL_NORETURN static void give_up(int status, const char *what, const char *why)
{
    console_print("osv: %s: %s\n", what, why);
    hal_halt(HAL_POWER_OFF, status);
}

static const char *error_text(int error)
{
    static char text[40];
    switch (error) {
    case -ENOENT:
        return "no such file or directory";
    case -EACCES:
        return "permission denied";
    case -EISDIR:
        return "is a directory";
    case -ENOTDIR:
        return "a part of the path is not a directory";
    case -ENOEXEC:
        return "not a program that can be run";
    case -ELOOP:
        return "too many levels of links or interpreters";
    case -ENOMEM:
        return "not enough memory; try a larger -m";
    default:
        (void)format(text, sizeof text, "cannot be used (error %d)", -error);
        return text;
    }
}

// For a device of files.
static const char *device_error_text(int error)
{
    switch (error) {
    case -ENXIO:
        return "no virtio-fs device of the machine has that tag";
    case -ENODEV:
        return "the virtio-fs device refuses what is needed: virtio 1.0, a queue of 64 requests";
    case -EPROTO:
        return "the virtio-fs device speaks another version of FUSE: 7.23 or later is needed";
    case -EIO:
        return "the virtio-fs device does not answer as it should; does its virtiofsd run?";
    case -ENOENT:
        return "there is no directory to mount upon";
    case -EBUSY:
        return "is mounted already";
    default:
        return error_text(error);
    }
}

// The directories on the way to a mount are the machine's, as / is: the program's user may not make
// them.
static void mounts_make(void)
{
    vfs_owner_set(0, 0);
    for (size_t i = 0; i < options.mount_count; ++i) {
        const struct option_mount *mount = &options.mounts[i];
        int error = vfs_mount_device(mount->tag, mount->path, mount->is_read_only);
        if (error != 0) {
            char name[OPTION_TEXT_MAX];
            (void)format(name, sizeof name, "virtiofs:%s:%s", mount->tag, mount->path);
            give_up(STATUS_NOT_EXECUTABLE, name, device_error_text(error));
        }
    }
    vfs_owner_set(options.process.uid, options.process.gid);
    int error = options.directory == NULL ? 0 : vfs_change_directory(NULL, options.directory);
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, options.directory, error_text(error));
    }
}

static void streams_open(void)
{
    struct file *streams[3];
    int error = options.streams == NULL ? vfs_console_streams(NULL, streams)
                                        : vfs_standard_streams(options.streams, streams);
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, "standard streams",
                error == -ENODEV ? "no device has the name of --std, or its ports no names"
                                 : error_text(error));
    }
    for (int fd = 0; fd < 3; ++fd) {
        if (streams[fd] != NULL) { // NULL: closed on the host too
            int installed = fd_install_at(fd, streams[fd], false);
            ASSERT(installed == fd);
        }
    }
}

static const struct hal_module *module_find(const char *name)
{
    for (size_t i = 0; i < machine->module_count; ++i) {
        if (strcmp(machine->modules[i].name, name) == 0) {
            return &machine->modules[i];
        }
    }
    return NULL;
}

static const char *image_error_text(int error)
{
    switch (error) {
    case -EINVAL:
        return "is no image in EROFS format";
    case -EOPNOTSUPP:
        return "was made with features that are not known here; make it by mkfs.erofs without -z";
    case -EIO:
        return "is damaged";
    case -ENOENT:
        return "lacks one of the directories /tmp, /dev and /proc";
    case -ENXIO:
        return "there is no such disk; it has to be one of virtio's (QEMU: if=virtio)";
    case -EXDEV:
        return "the partition does not begin at a multiple of 4096 bytes";
    default:
        return error_text(error);
    }
}

static void root_mount_disk(const char *path)
{
    const int error = vfs_init_disk(path);
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, path, image_error_text(error));
    }
}

static void root_mount(void)
{
    if (options.root == NULL) {
        vfs_init();
        return;
    }
    if (strncmp(options.root, "/dev/", 5) == 0 || strncmp(options.root, "partuuid:", 9) == 0) {
        root_mount_disk(options.root);
        return;
    }
    if (options.root_tag[0] != 0) {
        const int error = vfs_init_device(options.root_tag, options.is_root_read_only);
        if (error != 0) {
            give_up(STATUS_NOT_EXECUTABLE, options.root,
                    error == -ENOENT ? image_error_text(error) : device_error_text(error));
        }
        return;
    }
    const struct hal_module *module = module_find(options.root);
    if (module == NULL) {
        give_up(STATUS_NOT_EXECUTABLE, options.root, "no module of that name came with the boot");
    }
    const struct hal_region image = {.start = module->start, .size = module->size};
    int error = vfs_init_image(options.root, &image);
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, options.root, image_error_text(error));
    }
}

// Everything that a program needs and that may block.
static void kernel_start(void)
{
    int error = vm_init(machine);
    ASSERT(error == 0);
    error = rcu_start();
    error = error != 0 ? error : shrinker_start();
    if (error == 0 && machine->eager_max == 0) { // a host's pages are the host's to join
        error = collapse_start();
    }
    ASSERT(error == 0); // nothing has used memory yet
    heap_trim_start();
    device_init(machine);
    block_devices_open();
    partitions_find();
    root_mount();
    shrinker_report_set(shortage_report);
    balloon_start(memory_usage_figures);
    elf_image_register(machine);
    error = options.process.stats ? stats_start() : 0;
    ASSERT(error == 0);
    syscall_init(options.process.trace, options.process.stats);
    signal_init();
    libc_init();
    error = libc_watch_start(options.process.leak, options.process.check_heap);
    ASSERT(error == 0);
}

static void network_open(void)
{
    char what[NETWORK_TEXT_SIZE];
    const char *wrong = network_start(&options, what);
    if (wrong != NULL) {
        give_up(2, what, wrong);
    }
}

static void outputs_start(void)
{
    const struct process_output *map = &options.process.perf_map;
    const struct process_output *core = &options.process.core;
    int error = map->name == NULL ? 0 : perfmap_start(map);
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, map->name, error_text(error));
    }
    error = core->name == NULL ? 0 : coredump_start(core);
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, core->name, error_text(error));
    }
}

static int argument_count(const char *const *arguments)
{
    int count = 0;
    while (arguments[count] != NULL) {
        ++count;
    }
    return count;
}

// On the program's own thread and stack.
static void program_run(void *unused)
{
    (void)unused;
    struct process_options *process = &options.process;
    static char message[ELF_MESSAGE_SIZE];
    struct elf_object *program;
    const struct elf_options how = {.library_path = options.library_path,
                                    .preload = options.preload,
                                    .bind_now = options.bind_now,
                                    .trace = options.trace,
                                    .bind_verbose = process->verbose};
    frame_inject_start();
    int error = script_resolve(process);
    if (error != 0) {
        give_up(error == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE, process->executable,
                error_text(error));
    }
    libc_stack_end_set(thread_self()->stack + thread_self()->stack_size);
    error = elf_load(process->executable, &how, &program, message);
    if (error != 0) {
        console_print("osv: %s\n", message[0] != 0 ? message : error_text(error));
        bool is_missing = error == -ENOENT || error == -ELIBACC;
        hal_halt(HAL_POWER_OFF, is_missing ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
    }
    error = libc_run(program, argument_count(process->arguments),
                     (char **)(uintptr_t)process->arguments,
                     (char **)(uintptr_t)process->environment, process->executable);
    give_up(STATUS_NOT_EXECUTABLE, process->executable, error_text(error));
}

static void program_start(void)
{
    const char *program = options.process.executable;
    if (program == NULL) {
        give_up(2, "no program", "give one after the options");
    }
    char *stack = NULL;
    struct task *task;
    struct thread *thread;
    size_t stack_size = 0;
    int error = vm_stack_map(&stack, &stack_size);
    if (error == 0) {
        stack[stack_size - 1] = 0; // the context's first frame goes there
        error = task_create(&task);
    }
    if (error == 0) {
        const char *slash = strrchr(program, '/');
        const struct thread_config config = {
            .name = slash == NULL ? program : slash + 1,
            .stack = stack,
            .stack_size = stack_size,
            .user = task,
            .detached = true,
        };
        error = thread_create(&thread, &config, program_run, NULL);
    }
    if (error != 0) {
        give_up(STATUS_NOT_EXECUTABLE, program, error_text(error));
    }
    task_start(task, thread);
    thread_start(thread);
}

static void first_thread(void *unused)
{
    (void)unused;
    if (options.is_self_test) {
        int error = vm_init(machine);
        ASSERT(error == 0);
        device_init(machine);
        selftest_run(machine, options.is_self_test_to_fail);
    }
    kernel_start();
    mounts_make();
    streams_open();
    outputs_start();
    network_open();
    process_init(&options.process); // the tree above is made as root
    program_start();
}

void upcall_boot(const struct hal_boot *boot)
{
    machine = boot;
    sched_adopt();
    frame_init(boot);
    heap_init(boot->cpu_count);
    options_read(&options, boot->args, boot->env);
    sched_start(boot, first_thread, NULL);
}
