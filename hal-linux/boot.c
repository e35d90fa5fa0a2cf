// SPDX-License-Identifier: BSD-3-Clause
// boot.c: start-up and the hosted main thread. Ordinary hosted C.
//
// The main thread makes the machine and then waits for signals: those that mean something to the
// program inside become notices, VCPU_SIGNAL says that the machine halted. It blocks these only:
// every other signal from outside ends the process as it would end any.
#include "hal-linux/boot.h"

#include <elf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#include "hal-linux/clock.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/dev/net.h"
#include "hal-linux/entry.h"
#include "hal-linux/fault.h"
#include "hal-linux/halt.h"
#include "hal-linux/huge.h"
#include "hal-linux/irq.h"
#include "hal-linux/machine.h"
#include "hal-linux/memory.h"
#include "hal-linux/nodes.h"
#include "hal-linux/syscall.h"
#include "hal-linux/thread.h"
#include "hal-linux/vcpu.h"
#include "hal-x86_64/isa/isa.h"
#include "hal/upcall.h"

enum { HWCAP2_FSGSBASE = 2, NS_PER_S = 1000000000 };

extern const char __ehdr_start[], end[]; // the linker's

static struct hal_boot boot;

uint32_t boot_host_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > HAL_CPU_MAX ? HAL_CPU_MAX : (uint32_t)count;
}

// The kernel's own form, because host libc would put its own way back there, which is outside our
// text.
static void handler_install(int signal, void (*handler)(int, siginfo_t *, void *))
{
    const struct {
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {handler, SA_SIGINFO | SA_ONSTACK | SA_RESTART | 0x04000000 /* SA_RESTORER */,
                entry_sigreturn, UINT64_MAX};
    syscall4(SYS_rt_sigaction, signal, (long)&action, 0, sizeof action.mask);
}

static void handlers_install(void)
{
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    handler_install(VCPU_SIGNAL, irq_signal);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
        handler_install(faults[i], fault_signal);
    }
}

// ---- The main thread --------------------------------------------------------------

// The host's clock without a system call. NULL where there is none: under Valgrind.
static int (*vdso_find(void))(int, struct timespec *)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
    void *vdso = header == NULL ? NULL : dlopen("linux-vdso.so.1", RTLD_NOLOAD | RTLD_LAZY);
    if (vdso == NULL) {
        return NULL;
    }
    const Elf64_Phdr *segment = (const Elf64_Phdr *)((const char *)header + header->e_phoff);
    fault_vdso_set((const char *)header, segment[0].p_memsz);
    int (*clock)(int, struct timespec *);
    *(void **)&clock = dlsym(vdso, "__vdso_clock_gettime");
    return clock;
}

// The signals that the main thread waits for. Those that our parent ignores (nohup, a shell's
// background job) stay ignored.
static void signals_collect(sigset_t *set)
{
    const int notices[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGWINCH, SIGCONT, SIGUSR1, SIGUSR2};
    sigemptyset(set);
    sigaddset(set, VCPU_SIGNAL);
    for (size_t i = 0; i < sizeof notices / sizeof notices[0]; ++i) {
        struct sigaction action;
        if (sigaction(notices[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(set, notices[i]);
        }
    }
}

static int signal_to_notice(int signal)
{
    switch (signal) {
    case SIGINT:
        return HAL_NOTICE_INTERRUPT;
    case SIGQUIT:
        return HAL_NOTICE_QUIT;
    case SIGTERM:
        return HAL_NOTICE_TERMINATE;
    case SIGHUP:
        return HAL_NOTICE_HANG_UP;
    case SIGCONT:
        return HAL_NOTICE_CONTINUE;
    case SIGUSR1:
        return HAL_NOTICE_USER_1;
    case SIGUSR2:
        return HAL_NOTICE_USER_2;
    case SIGWINCH:
        return HAL_NOTICE_RESIZE;
    default:
        return -1;
    }
}

// Who asks the program to end, and is not even heard: core loops with interrupts off, say.
enum { PATIENCE = 3, PATIENCE_S = 5 };

struct asked {
    int notice; // -1: nobody waits for an answer
    int signal, count;
    time_t until;
};

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_taken(int notice)
{
    return (atomic_load(&vcpus[0].notices) >> notice & 1) == 0;
}

static void notice_raise(struct asked *asked, int notice, int signal)
{
    bool ends = notice == HAL_NOTICE_INTERRUPT || notice == HAL_NOTICE_TERMINATE ||
                notice == HAL_NOTICE_QUIT || notice == HAL_NOTICE_HANG_UP;
    if (ends) {
        bool again = asked->notice == notice && !is_taken(notice);
        time_t until = again ? asked->until : seconds() + PATIENCE_S;
        *asked = (struct asked){notice, signal, again ? asked->count + 1 : 0, until};
    }
    vcpu_raise_notice((uint32_t)notice);
}

// The person asks again and again, or has waited for long. May be asked at any time.
static bool is_out_of_patience(struct asked *asked)
{
    if (asked->notice >= 0 && is_taken(asked->notice)) {
        asked->notice = -1;
    }
    return asked->notice >= 0 && (asked->count >= PATIENCE || seconds() >= asked->until);
}

// What the main thread waits for: signals of set, and the clock's being set.
struct watched {
    const sigset_t *set;
    struct pollfd files[2]; // the signals; clock_watch
};

static int watched_open(struct watched *watched, const sigset_t *set)
{
    watched->set = set;
    watched->files[0] = (struct pollfd){signalfd(-1, set, SFD_CLOEXEC), POLLIN, 0};
    watched->files[1] = (struct pollfd){clock_watch(), POLLIN, 0};
    return watched->files[0].fd < 0 ? -errno : 0;
}

// Waits, for pause_ns at most. Answers a signal, or -1: none.
static int signal_take(struct watched *watched, uint64_t pause_ns)
{
    const struct timespec pause = {(time_t)(pause_ns / NS_PER_S), (long)(pause_ns % NS_PER_S)};
    const struct timespec none = {0, 0};
    uint64_t expiries;
    if (ppoll(watched->files, 2, pause_ns == UINT64_MAX ? NULL : &pause, NULL) > 0 &&
        watched->files[1].revents != 0 &&
        read(watched->files[1].fd, &expiries, sizeof expiries) < 0 && errno == ECANCELED) {
        vcpu_raise_notice(HAL_NOTICE_CLOCK);
    }
    return sigtimedwait(watched->set, NULL, &none);
}

// Serves signals until the machine halts. After a crash the terminal is as we found it; a program
// that ends by itself leaves it as it likes.
static int signals_serve(struct watched *watched)
{
    struct termios terminal;
    bool has_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
    struct asked asked = {.notice = -1};
    enum hal_halt how;
    int code;
    while (!halt_requested(&how, &code)) {
        uint64_t pause_ns = machine_watch();
        if (asked.notice >= 0 && pause_ns > NS_PER_S) {
            pause_ns = NS_PER_S;
        }
        int signal = signal_take(watched, pause_ns);
        int notice = signal_to_notice(signal);
        if (notice >= 0) {
            notice_raise(&asked, notice, signal);
        }
        if (is_out_of_patience(&asked)) {
            fputs("osv-sim: no answer from the machine; it is switched off\n", stderr);
            how = HAL_CRASH;
            code = 128 + asked.signal;
            break;
        }
    }
    net_drain();
    code = machine_end(how, code);
    if (how == HAL_CRASH && has_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    }
    return code;
}

static int failed(const char *what, int failure)
{
    fprintf(stderr, "osv-sim: %s: %s\n", what, strerror(failure < 0 ? -failure : failure));
    return 1;
}

// True under a debugger or strace.
static bool is_traced(void)
{
    char text[4096];
    FILE *file = fopen("/proc/self/status", "re");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[size] = 0;
    if (file != NULL) {
        fclose(file);
    }
    const char *tracer = strstr(text, "TracerPid:");
    return tracer != NULL && strtol(tracer + strlen("TracerPid:"), NULL, 10) != 0;
}

// The file that runs, for whoever wants its symbols. Nothing of it is read before.
static void image_file_find(void)
{
    static char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        boot.image_file = bytes == MAP_FAILED ? NULL : bytes;
        boot.image_file_size = bytes == MAP_FAILED ? 0 : (size_t)status.st_size;
    }
    if (fd >= 0) {
        close(fd);
    }
    boot.image_path = length > 0 ? path : NULL;
}

// Reports about the process's own threads, which run until it ends. Valgrind takes the list from a
// file: one without a name will do.
static void valgrind_prepare(void)
{
    // glibc keeps the address of the second word of each thread's vector of TLS blocks; Memcheck
    // wants that of the first, and says "possibly lost".
    static const char list[] = "{\n vector of TLS blocks\n Memcheck:Leak\n"
                               " match-leak-kinds: possible\n fun:calloc\n ...\n"
                               " fun:_dl_allocate_tls\n fun:allocate_stack\n"
                               " fun:pthread_create*\n}\n";
    char option[64];
    int fd = memfd_create("osv-suppressions", 0);
    if (fd >= 0 && write(fd, list, sizeof list - 1) == sizeof list - 1) {
        snprintf(option, sizeof option, "--suppressions=/proc/self/fd/%d", fd);
        VALGRIND_CLO_CHANGE(option);
    }
    if (fd >= 0) {
        close(fd);
    }
}

// The text of a setting of the host's, in buffer. NULL: there is no such setting.
static const char *setting_read(const char *path, char *buffer, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, buffer, size - 1);
    if (fd >= 0) {
        close(fd);
    }
    buffer[got < 0 ? 0 : got] = 0;
    return got < 0 ? NULL : buffer;
}

#define HUGE_FOLDER "/sys/kernel/mm/transparent_hugepage/"

static void huge_find(bool verbose)
{
    char all[128], large[128];
    const enum huge_host host = huge_host_of(
        setting_read(HUGE_FOLDER "shmem_enabled", all, sizeof all),
        setting_read(HUGE_FOLDER "hugepages-2048kB/shmem_enabled", large, sizeof large));
    huge_host_set(host);
    if (host == HUGE_HOST_NEVER && verbose) {
        fputs("osv-sim: this host gives shared memory no huge pages: 2 MiB come as 512 pages, at"
              " once; its administrator can allow them (echo advise >" HUGE_FOLDER
              "shmem_enabled)\n",
              stderr);
    }
}

static void facts_fill(const struct boot_options *options)
{
    boot.args = options->args;
    boot.env = options->env;
    boot.cpu_count = options->cpu_count;
    boot.nodes = nodes_divide(options->node_count, options->memory_size, options->cpu_count);
    // Where a program may say of which node it wants memory, none comes before.
    boot.eager_max = boot.nodes == NULL ? machine_eager_max() : 0;
    device_shared_place(boot.direct_base, memory_shared_start(options->memory_size));
    boot.devs = device_list(&boot.dev_count);
    boot.image = __ehdr_start;
    boot.image_size = (size_t)(end - __ehdr_start);
    image_file_find();
}

int boot_run(const struct boot_options *options)
{
    static struct vcpu main_block;
    machine_init(options->seed);
    boot.is_checked = RUNNING_ON_VALGRIND;
    if (boot.is_checked) {
        valgrind_prepare();
    }
    huge_find(options->verbose);
    enum memory_text text = options->is_profiled ? MEMORY_TEXT_COPIED
                            : is_traced()        ? MEMORY_TEXT_PRIVATE
                                                 : MEMORY_TEXT_SHARED;
    int failure = memory_init(&boot, options->memory_size, device_shared_size(), text);
    if (failure != 0) {
        return failed("cannot make the machine's memory", failure);
    }
    failure = threads_init(options->cpu_count, options->verbose);
    if (failure != 0) {
        return failed("cannot make the vCPUs", failure);
    }
    facts_fill(options);
    isa_init(!RUNNING_ON_VALGRIND && (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE));
    clock_init(vdso_find());
    sigset_t set;
    struct watched watched;
    signals_collect(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    failure = watched_open(&watched, &set);
    if (failure != 0) {
        return failed("cannot watch for signals", failure);
    }
    halt_main_tid = (int)syscall3(SYS_gettid, 0, 0, 0);
    vcpu_adopt_thread(&main_block);
    handlers_install();
    machine_prepare(&boot);
    failure = machine_start(&boot);
    if (failure != 0) {
        return failed("cannot start a vCPU", failure);
    }
    failure = worker_start();
    if (failure != 0) {
        return failed("cannot start a device thread", failure);
    }
    return signals_serve(&watched);
}
