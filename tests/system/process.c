// SPDX-License-Identifier: BSD-3-Clause
// process.c: calls about the process and its time: identity, limits, resources, accounts, sleeping
// and being woken, timers, stacks of signals, contexts, terminals that are none, waiting for
// descriptors in odd ways.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "show.h"

static void identity(void)
{
    gid_t groups[64];
    uid_t r, e, s;
    SHOW(getuid() == geteuid());
    SHOW(getresuid(&r, &e, &s));
    printf("  %d\n", r == getuid() && e == r && s == r);
    SHOW(setuid(getuid()));
    SHOW(seteuid(getuid()));
    SHOW(setreuid(getuid(), (uid_t)-1));
    SHOW(setresuid((uid_t)-1, getuid(), (uid_t)-1));
    SHOW(setgid(getgid()));
    SHOW(setegid(getgid()));
    SHOW(setregid((gid_t)-1, getgid()));
    SHOW(setresgid((gid_t)-1, (gid_t)-1, (gid_t)-1));
    static volatile int negative = -1;
    SHOW(getgroups(negative, groups));
    SHOW(getgroups(0, groups) >= 0);
    SHOW(getpgid(getpid()) == getpgrp());
    SHOW(getpgid(-1));
    SHOW_OK(getsid(0));
    SHOW(getsid(-1));
    SHOW(getppid() >= 0);
    SHOW(setpgid(-1, 0));
    SHOW(setpgid(99999999, 0));
    const int own = getpriority(PRIO_PROCESS, 0); // on Linux, whoever started it has a say
    SHOW(getpriority(77, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, own));
    SHOW(nice(0) == own);
    SHOW(wait(NULL));
    SHOW(waitpid(-1, NULL, WNOHANG));
    siginfo_t info;
    SHOW(waitid(P_ALL, 0, &info, WEXITED));
    struct utsname name;
    SHOW(uname(&name));
    printf("  %s, machine %d\n", name.sysname, name.machine[0] != 0);
    SHOW(uname((struct utsname *)8));
    char host[65];
    SHOW(gethostname(host, sizeof host));
    SHOW(strcmp(host, name.nodename));
    SHOW(gethostname(host, 1));
    SHOW(sysconf(_SC_PAGESIZE));
    SHOW(sysconf(_SC_CLK_TCK));
    SHOW(sysconf(_SC_OPEN_MAX) > 0);
    SHOW(sysconf(_SC_NPROCESSORS_ONLN) > 0);
    SHOW(sysconf(9999));
    SHOW(pathconf("/", _PC_NAME_MAX));
    SHOW(pathconf("/none", _PC_NAME_MAX));
    SHOW(fpathconf(0, _PC_PIPE_BUF));
}

static void limits(void)
{
    struct rlimit limit;
    SHOW(getrlimit(RLIMIT_STACK, &limit));
    SHOW(getrlimit(77, &limit));
    SHOW(getrlimit(RLIMIT_NOFILE, (struct rlimit *)8));
    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 20;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(sysconf(_SC_OPEN_MAX));
    int last = 0;
    while (last >= 0 && last < 30) {
        last = dup(1) < 0 ? -1 : last + 1;
    }
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(pipe((int[2]){0, 0}));
    SHOW(dup2(1, 20));
    SHOW(fcntl(1, F_DUPFD, 20));
    SHOW(fcntl(1, F_DUPFD, 10));
    SHOW_OK(tmpfile() == NULL ? -1 : 0);
    SHOW_OK(opendir("/") == NULL ? -1 : 0);
    SHOW(close_range(3, ~0u, 0));
    limit.rlim_cur = limit.rlim_max + 1;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit) == -1 && (errno == EINVAL || limit.rlim_cur == 0));
    struct rlimit old;
    SHOW(prlimit(0, RLIMIT_CORE, NULL, &old));
    SHOW(prlimit(99999999, RLIMIT_CORE, NULL, &old));
    struct rusage usage;
    SHOW(getrusage(RUSAGE_SELF, &usage));
    SHOW(getrusage(RUSAGE_THREAD, &usage));
    SHOW(getrusage(RUSAGE_CHILDREN, &usage));
    printf("  %ld\n", (long)usage.ru_utime.tv_sec);
    SHOW(getrusage(77, &usage));
    SHOW(getrusage(RUSAGE_SELF, (struct rusage *)8));
    struct sysinfo information;
    SHOW(sysinfo(&information));
    printf("  %d %d %d\n", information.totalram > 0, information.procs > 0,
           information.mem_unit > 0);
    SHOW(sysinfo((struct sysinfo *)8));
    struct tms spent;
    SHOW(times(&spent) != (clock_t)-1);
    SHOW(clock() != (clock_t)-1);
    double load[3];
    SHOW(getloadavg(load, 3) >= 0);
}

static void accounts(void)
{
    struct passwd *user = getpwuid(0);
    printf("%s %s %s\n", user->pw_name, user->pw_dir, user->pw_shell);
    user = getpwnam("daemon");
    printf("%d %d\n", (int)user->pw_uid, (int)user->pw_gid);
    SHOW_OK(getpwnam("nobody here") == NULL ? -1 : 0);
    struct group *group = getgrgid(0);
    printf("%s %d\n", group->gr_name, group->gr_mem[0] == NULL);
    group = getgrnam("daemon");
    printf("%d\n", (int)group->gr_gid);
    char small[4], large[2000];
    struct passwd entry, *result;
    SHOW(getpwuid_r(0, &entry, small, sizeof small, &result));
    SHOW(getpwuid_r(0, &entry, large, sizeof large, &result));
    SHOW(getpwuid_r(54321, &entry, large, sizeof large, &result));
    printf("  %d\n", result == NULL);
    gid_t groups[10];
    int count = 10;
    SHOW(getgrouplist("root", 0, groups, &count));
}

static volatile int handled;

static void handler(int signal)
{
    (void)signal;
    ++handled;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

// And again and again: the first may come before the call waits.
static void alarm_soon(void)
{
    struct itimerval timer = {.it_value = {.tv_usec = 20000}, .it_interval = {.tv_usec = 20000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

// Whatever the handler says about restarts, these end.
static void sleeps(int flags)
{
    struct timespec span = {5, 0}, rest = {9, 9};
    handle(SIGALRM, flags);
    printf("flags %x\n", flags);
    alarm_soon();
    SHOW(nanosleep(&span, &rest));
    printf("  %d\n", rest.tv_sec == 4);
    alarm_soon();
    SHOW(nanosleep(&span, &span));
    printf("  %d\n", span.tv_sec == 4);
    span.tv_sec = 5;
    alarm_soon();
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &span, &rest));
    alarm_soon();
    clock_gettime(CLOCK_REALTIME, &span);
    span.tv_sec += 5;
    rest.tv_sec = 77;
    SHOW(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &span, &rest));
    printf("  %ld\n", (long)rest.tv_sec);
    alarm_soon();
    SHOW(sleep(5));
    alarm_soon();
    SHOW(usleep(900000));
    alarm_soon();
    SHOW(pause());
    alarm_soon();
    SHOW(poll(NULL, 0, 5000));
    alarm_soon();
    struct timeval wait = {5, 0};
    SHOW(select(0, NULL, NULL, NULL, &wait));
    printf("  %d\n", wait.tv_sec == 4);
    alarm_soon();
    rest = (struct timespec){5, 0};
    SHOW(pselect(0, NULL, NULL, NULL, &rest, NULL));
    SHOW(rest.tv_sec);
    alarm_soon();
    SHOW(ppoll(NULL, 0, &rest, NULL));
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    clock_gettime(CLOCK_REALTIME, &span);
    span.tv_sec += 5;
    alarm_soon();
    SHOW(sem_timedwait(&semaphore, &span));
    clock_gettime(CLOCK_MONOTONIC, &span);
    span.tv_sec += 5;
    alarm_soon();
    SHOW(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &span));
    SHOW(sem_trywait(&semaphore));
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    span = (struct timespec){5, 0};
    alarm_soon();
    SHOW(sigtimedwait(&set, &info, &span));
    SHOW(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL));
    span = (struct timespec){0, 1000};
    SHOW(sigtimedwait(&set, &info, &span));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("handled %d\n", handled > 0);
    handled = 0;
}

static void wrong_sleeps(void)
{
    struct timespec span = {0, 1000000000};
    SHOW(nanosleep(&span, NULL));
    span = (struct timespec){-1, 0};
    SHOW(nanosleep(&span, NULL));
    SHOW(nanosleep((struct timespec *)8, NULL));
    span = (struct timespec){0, 1};
    SHOW(clock_nanosleep(77, 0, &span, NULL));
    SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &span, NULL));
    SHOW(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &span, NULL));
    struct timeval wait = {-1, 0};
    SHOW(select(0, NULL, NULL, NULL, &wait));
    SHOW(ppoll(NULL, 0, &(struct timespec){0, -1}, NULL));
    static struct pollfd *volatile wrong = (struct pollfd *)8;
    SHOW(poll(wrong, 1, 0));
    SHOW(poll(wrong, 1 << 30, 0));
    struct pollfd items[3] = {{-1, POLLIN, 77}, {9999, POLLIN, 77}, {1, 0, 77}};
    SHOW(poll(items, 3, -1));
    printf("  %x %x %x\n", items[0].revents, items[1].revents, items[2].revents);
    int file = open("file", O_RDWR | O_CREAT, 0600), folder = open("/", O_RDONLY);
    struct pollfd regular[2] = {{file, POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM, 0},
                                {folder, POLLIN, 0}};
    SHOW(poll(regular, 2, -1));
    printf("  %x %x\n", regular[0].revents, regular[1].revents);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(file, &set);
    fd_set writes = set, others = set;
    SHOW(select(file + 1, &set, &writes, &others, NULL));
    close(file), close(folder);
    unlink("file");
}

static void timers(void)
{
    struct itimerval timer = {.it_value = {.tv_sec = 100}}, old;
    handle(SIGALRM, 0);
    SHOW(alarm(50));
    SHOW(alarm(0));
    SHOW(setitimer(ITIMER_REAL, &timer, NULL));
    SHOW(alarm(10) >= 99);
    SHOW(getitimer(ITIMER_REAL, &old));
    printf("  %d %ld\n", old.it_value.tv_sec == 9 || old.it_value.tv_sec == 10,
           (long)old.it_interval.tv_sec);
    timer.it_value.tv_sec = 0;
    SHOW(setitimer(ITIMER_REAL, &timer, &old));
    SHOW(getitimer(ITIMER_REAL, &old));
    printf("  %ld\n", (long)old.it_value.tv_sec);
    timer.it_value.tv_usec = 1000000;
    SHOW(setitimer(ITIMER_REAL, &timer, NULL));
    SHOW(setitimer(77, &timer, NULL));
    SHOW(getitimer(77, &old));
    SHOW(ualarm(100000, 0));
    SHOW(ualarm(0, 0) > 0);
    timer = (struct itimerval){.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}};
    handled = 0;
    SHOW(setitimer(ITIMER_REAL, &timer, NULL));
    while (handled < 5) {
        pause();
    }
    timer = (struct itimerval){0};
    SHOW(setitimer(ITIMER_REAL, &timer, NULL));
}

static char *volatile stack_low, *volatile stack_high;
static volatile int on_stack;

static void on_stack_handler(int signal)
{
    char here;
    stack_t now;
    (void)signal;
    sigaltstack(NULL, &now);
    on_stack = &here >= stack_low && &here < stack_high && (now.ss_flags & SS_ONSTACK) != 0;
    stack_t other = {.ss_sp = stack_low, .ss_size = (size_t)(stack_high - stack_low)};
    SHOW(sigaltstack(&other, NULL));
}

static void signal_stacks(void)
{
    enum { SIZE = 65536 };
    stack_t stack = {.ss_sp = malloc(SIZE), .ss_size = SIZE}, old;
    struct sigaction action = {.sa_handler = on_stack_handler, .sa_flags = SA_ONSTACK};
    stack_low = stack.ss_sp;
    stack_high = stack_low + SIZE;
    SHOW(sigaltstack(NULL, &old));
    printf("  %x\n", old.ss_flags);
    SHOW(sigaltstack(&stack, NULL));
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("  on it %d\n", on_stack);
    action.sa_flags = 0;
    on_stack = 1;
    sigaction(SIGUSR1, &action, NULL);
    stack.ss_flags = 77;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_flags = 0;
    stack.ss_size = 100;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&stack, NULL));
    SHOW(sigaltstack(NULL, &old));
    printf("  %x\n", old.ss_flags);
    SHOW(sigaltstack((stack_t *)8, NULL));
    free(stack_low);
}

static ucontext_t here, there;
static volatile int steps;

static void other_context(int a, int b)
{
    printf("  %d %d\n", a, b);
    ++steps;
    swapcontext(&there, &here);
    ++steps;
}

static void contexts(void)
{
    static char stack[65536];
    sigjmp_buf place;
    volatile int jumps = 0;
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    there.uc_link = &here;
    makecontext(&there, (void (*)(void))other_context, 2, 5, 6);
    SHOW(swapcontext(&here, &there));
    SHOW(swapcontext(&here, &there));
    printf("  %d\n", steps);
    sigset_t set, now;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    if (sigsetjmp(place, 1) == 0) {
        sigprocmask(SIG_BLOCK, &set, NULL);
        ++jumps;
        siglongjmp(place, 5);
    }
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("  %d, blocked %d\n", jumps, sigismember(&now, SIGUSR2));
}

static void no_terminals(void)
{
    struct termios modes;
    struct winsize size;
    int ends[2], null = open("/dev/null", O_RDWR);
    pipe(ends);
    SHOW(isatty(ends[0]));
    SHOW(tcgetattr(ends[0], &modes));
    SHOW(tcsetattr(null, TCSANOW, &modes));
    SHOW(ioctl(ends[0], TIOCGWINSZ, &size));
    SHOW(isatty(null));
    SHOW(isatty(9999));
    SHOW_OK(ttyname(null) == NULL ? -1 : 0);
    SHOW(tcgetpgrp(null));
    SHOW(tcflush(null, TCIFLUSH));
    SHOW(tcdrain(9999));
    close(ends[0]), close(ends[1]), close(null);
}

static void schedules(void)
{
    struct sched_param parameter = {0};
    int policy = 77;
    pthread_attr_t attributes;
    SHOW(sched_getscheduler(0));
    SHOW(sched_getparam(0, &parameter));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &parameter));
    parameter.sched_priority = 1;
    SHOW(sched_setscheduler(0, SCHED_OTHER, &parameter));
    SHOW(sched_setscheduler(0, 77, &parameter));
    SHOW(sched_setscheduler(-1, SCHED_OTHER, &parameter));
    SHOW(sched_get_priority_max(SCHED_FIFO));
    SHOW(sched_get_priority_min(SCHED_OTHER));
    SHOW(sched_get_priority_max(77));
    SHOW(pthread_getschedparam(pthread_self(), &policy, &parameter));
    printf("  %d %d\n", policy, parameter.sched_priority);
    parameter.sched_priority = 0;
    SHOW(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameter));
    parameter.sched_priority = 5;
    SHOW(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameter));
    SHOW(pthread_setschedparam(pthread_self(), 77, &parameter));
    SHOW(pthread_setschedprio(pthread_self(), 0));
    SHOW(pthread_setschedprio(pthread_self(), 5));
    pthread_attr_init(&attributes);
    SHOW(pthread_attr_getschedpolicy(&attributes, &policy));
    printf("  %d\n", policy);
    SHOW(pthread_attr_setschedpolicy(&attributes, SCHED_FIFO));
    SHOW(pthread_attr_setschedpolicy(&attributes, 77));
    SHOW(pthread_attr_getschedpolicy(&attributes, &policy));
    printf("  %d\n", policy);
    SHOW(pthread_attr_setschedparam(&attributes, &parameter));
    parameter.sched_priority = 100;
    SHOW(pthread_attr_setschedparam(&attributes, &parameter));
    SHOW(pthread_attr_getschedparam(&attributes, &parameter));
    printf("  %d\n", parameter.sched_priority);
    SHOW(pthread_attr_getinheritsched(&attributes, &policy));
    printf("  %d\n", policy);
    SHOW(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED));
    SHOW(pthread_attr_setinheritsched(&attributes, 77));
    SHOW(pthread_attr_getscope(&attributes, &policy));
    SHOW(pthread_attr_setscope(&attributes, PTHREAD_SCOPE_PROCESS));
    SHOW(pthread_attr_setscope(&attributes, 77));
    pthread_attr_destroy(&attributes);
}

int main(void)
{
    identity();
    limits();
    accounts();
    sleeps(0);
    sleeps(SA_RESTART);
    wrong_sleeps();
    timers();
    signal_stacks();
    contexts();
    no_terminals();
    schedules();
    return 0;
}
