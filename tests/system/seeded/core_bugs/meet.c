// SPDX-License-Identifier: BSD-3-Clause
// meet.c: a few threads meet in one way that core offers, for so many rounds, and check what must
// hold:
//
//     meet WHAT [ROUNDS]
//
// A wrong result ends it with a line; what hangs is seen from outside. Few rounds suit the seeded
// machine, which runs it a thousand times; many, real threads.
#include <errno.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 60 };

static long rounds = ROUNDS;

static void check(int condition, const char *what)
{
    if (!condition) {
        printf("wrong: %s\n", what);
        fflush(stdout);
        _exit(1);
    }
}

// What run_all runs, and how many have come; nobody begins before all are there, each on a CPU of
// its own as far as they go.
static void *(*common_body)(void *);
static _Atomic long arrived, wanted;

static void *begin(void *argument)
{
    cpu_set_t all, one;
    check(sched_getaffinity(0, sizeof all, &all) == 0, "the CPUs");
    CPU_ZERO(&one);
    CPU_SET((size_t)argument % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &one);
    (void)sched_setaffinity(0, sizeof one, &one);
    (void)sched_setaffinity(0, sizeof all, &all);
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < wanted) {
        sched_yield();
    }
    return common_body(argument);
}

static void run_all(void *(*body)(void *), long count)
{
    pthread_t threads[THREADS];
    common_body = body;
    wanted = count;
    for (long i = 0; i < count; ++i) {
        check(pthread_create(&threads[i], NULL, begin, (void *)i) == 0, "a thread starts");
    }
    for (int i = 0; i < count; ++i) {
        void *result = &result;
        check(pthread_join(threads[i], &result) == 0 && result == NULL, "a thread ends");
    }
}

static struct timespec soon(long ns)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ns;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static uint32_t draw(void)
{
    static _Thread_local uint32_t state;
    state = state * 1664525 + 1013904223 + (uint32_t)(uintptr_t)&state;
    return state >> 8;
}

// Off the processor for a moment: now others do not spin for what the caller holds.
static void doze(void)
{
    struct timespec span = {.tv_nsec = 500 + draw() % (1000u << draw() % 6)};
    nanosleep(&span, NULL);
}

// Spends some time in the kernel, between a moment and a while: threads that always take the same
// time for a round fall into step, and meet in one way only.
static void linger(void)
{
    for (uint32_t i = draw() % (1u << draw() % 8); i > 0; --i) {
        sched_getcpu();
    }
    if (draw() % 4 == 0) {
        doze();
    }
}

// What a thread's stack held below the caller's frame is overwritten: whoever still looks there
// sees it.
static __attribute__((noinline)) void stack_clobber(void)
{
    volatile char bytes[1024];
    for (size_t i = 0; i < sizeof bytes; ++i) {
        bytes[i] = 0x55;
    }
}

// ---- A mutex excludes ---------------------------------------------------------------

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int inside;
static long counter;

static void enter_and_leave(void)
{
    check(inside == 0, "one at a time");
    inside = 1;
    ++counter;
    linger();
    check(inside == 1, "one at a time");
    inside = 0;
}

static void *lock(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        pthread_mutex_lock(&mutex);
        enter_and_leave();
        if (draw() % 2 == 0) {
            doze();
        }
        pthread_mutex_unlock(&mutex);
        stack_clobber();
        linger();
    }
    return (void *)((long)argument & 0);
}

static void meet_mutex(void)
{
    run_all(lock, 3);
    check(counter == 3 * rounds, "all were inside");
}

static void *lock_until(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        struct timespec limit = soon(1000 + 3000 * ((i + (long)argument) % 4));
        if (pthread_mutex_timedlock(&mutex, &limit) == 0) {
            enter_and_leave();
            if (draw() % 2 == 0) {
                doze();
            }
            pthread_mutex_unlock(&mutex);
        }
        stack_clobber();
        linger();
    }
    return NULL;
}

static void meet_timedlock(void)
{
    run_all(lock_until, 3);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

// ---- Items go through a queue of one, by conditions ------------------------------------

static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queued;
static int is_timed;

static void queue_wait(int is_producer)
{
    pthread_cond_t *condition = is_producer ? &not_full : &not_empty;
    if (is_timed) {
        struct timespec limit = soon(3000);
        int error = pthread_cond_timedwait(condition, &mutex, &limit);
        check(error == 0 || error == ETIMEDOUT, "a timed wait ends");
    } else {
        pthread_cond_wait(condition, &mutex);
    }
}

static void *pass_on(void *argument)
{
    int is_producer = (long)argument % 2 == 0;
    for (long i = 0; i < rounds; ++i) {
        pthread_mutex_lock(&mutex);
        while (queued == is_producer) {
            queue_wait(is_producer);
        }
        enter_and_leave();
        queued += is_producer ? 1 : -1;
        pthread_mutex_unlock(&mutex);
        if (i % 4 == 3) {
            pthread_cond_broadcast(is_producer ? &not_empty : &not_full);
        } else {
            pthread_cond_signal(is_producer ? &not_empty : &not_full);
        }
        stack_clobber();
        linger();
    }
    return NULL;
}

static void meet_condition(void)
{
    run_all(pass_on, 4);
    check(queued == 0, "all items arrive");
}

static void meet_timedwait(void)
{
    is_timed = 1;
    meet_condition();
}

// ---- Semaphores ---------------------------------------------------------------------------

static sem_t semaphore;
static int is_patient;

static void *count(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        struct timespec limit = soon(1000 + 2000 * ((i + (long)argument) % 3));
        int is_mine =
            is_patient ? sem_wait(&semaphore) == 0 : sem_timedwait(&semaphore, &limit) == 0;
        if (is_mine) {
            check(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) <= 2, "two at a time");
            linger();
            __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
            sem_post(&semaphore);
        }
        stack_clobber();
        linger();
    }
    return NULL;
}

static void meet_timedsemaphore(void)
{
    int value;
    sem_init(&semaphore, 0, 2);
    run_all(count, 4);
    check(sem_getvalue(&semaphore, &value) == 0 && value == 2, "the semaphore's value");
    check(sem_trywait(&semaphore) == 0 && sem_trywait(&semaphore) == 0, "both are there");
}

static void meet_semaphore(void)
{
    is_patient = 1;
    meet_timedsemaphore();
}

// Each waits for the other's post on its own stack, and goes on at once.
static _Atomic(sem_t *) posted[2];

static void *hand_shake(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        sem_t mine, *other;
        linger();
        sem_init(&mine, 0, 0);
        atomic_store(&posted[(long)argument], &mine);
        while ((other = atomic_exchange(&posted[1 - (long)argument], NULL)) == NULL) {
            sched_yield();
        }
        sem_post(other);
        sem_wait(&mine);
        stack_clobber();
        linger();
    }
    return NULL;
}

static void meet_handshake(void)
{
    run_all(hand_shake, 2);
}

// ---- Readers and writers ----------------------------------------------------------------------

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int pair[2];

static void *read_or_write(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        struct timespec limit = soon(2000);
        int writes = (i + (long)argument) % 2 == 0;
        int is_mine = 1;
        if (is_timed && i % 2 == 0) {
            is_mine = (writes ? pthread_rwlock_timedwrlock(&rwlock, &limit)
                              : pthread_rwlock_timedrdlock(&rwlock, &limit)) == 0;
        } else {
            is_mine =
                (writes ? pthread_rwlock_wrlock(&rwlock) : pthread_rwlock_rdlock(&rwlock)) == 0;
        }
        if (is_mine) {
            check(pair[0] == pair[1], "no writer among others");
            pair[0] += writes;
            linger();
            pair[1] += writes;
            pthread_rwlock_unlock(&rwlock);
        }
        stack_clobber();
        linger();
    }
    return NULL;
}

static void meet_rwlock(void)
{
    run_all(read_or_write, 4);
}

static void meet_timedrwlock(void)
{
    is_timed = 1;
    run_all(read_or_write, 4);
    check(pthread_rwlock_wrlock(&rwlock) == 0, "it is free");
}

// ---- A lock made of a futex (Drepper, Futexes are tricky)
// -------------------------------------------

static _Atomic int word;

static void futex(int operation, int value)
{
    syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void *lock_word(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        int state = 0;
        if (!atomic_compare_exchange_strong(&word, &state, 1)) {
            while (atomic_exchange(&word, 2) != 0) {
                futex(FUTEX_WAIT, 2);
                stack_clobber();
            }
        }
        enter_and_leave();
        if (atomic_exchange(&word, 0) == 2) {
            futex(FUTEX_WAKE, 1);
        }
        linger();
    }
    return (void *)((long)argument & 0);
}

static void meet_futex(void)
{
    run_all(lock_word, 3);
    check(counter == 3 * rounds, "all were inside");
}

// ---- Pipes, counts, and waiting for several of them
// ----------------------------------------------------

static int pipes[2], event, events[2], set;

static void *pump(void *argument)
{
    char data[64];
    for (long i = 0; i < rounds; ++i) {
        linger();
        if ((long)argument % 2 == 0) {
            check(write(pipes[1], data, sizeof data) == sizeof data, "a write to a pipe");
        } else {
            for (size_t got = 0; got < sizeof data;) {
                ssize_t size = read(pipes[0], data, sizeof data - got);
                check(size > 0, "a read of a pipe");
                got += (size_t)size;
            }
        }
    }
    return NULL;
}

static void meet_pipe(void)
{
    check(pipe(pipes) == 0, "a pipe");
    run_all(pump, 4);
}

static void *count_events(void *argument)
{
    uint64_t value = 1;
    for (long i = 0; i < rounds; ++i) {
        linger();
        if ((long)argument % 2 == 0) {
            check(write(event, &value, sizeof value) == sizeof value, "a write to an eventfd");
        } else {
            check(read(event, &value, sizeof value) == sizeof value && value == 1, "a count");
        }
    }
    return NULL;
}

static void meet_eventfd(void)
{
    event = eventfd(0, EFD_SEMAPHORE);
    run_all(count_events, 4);
}

static void *watch(void *argument)
{
    uint64_t value = 1;
    for (long i = 0; i < 2 * rounds && (long)argument == 0; ++i) {
        struct pollfd polled[2] = {{.fd = events[0], .events = POLLIN},
                                   {.fd = events[1], .events = POLLIN}};
        check(poll(polled, 2, -1) > 0, "something is ready");
        int ready = polled[0].revents != 0 ? events[0] : events[1];
        check(read(ready, &value, sizeof value) == sizeof value, "what is ready can be read");
        stack_clobber();
    }
    for (long i = 0; i < rounds && (long)argument != 0; ++i) {
        check(write(events[(long)argument - 1], &value, sizeof value) == sizeof value, "a write");
    }
    return NULL;
}

static void meet_poll(void)
{
    events[0] = eventfd(0, EFD_SEMAPHORE);
    events[1] = eventfd(0, EFD_SEMAPHORE);
    run_all(watch, 3);
}

static void *watch_set(void *argument)
{
    uint64_t value = 1;
    for (long i = 0; i < 2 * rounds && (long)argument == 0;) {
        struct epoll_event ready;
        check(epoll_wait(set, &ready, 1, -1) == 1, "something is ready");
        i += read(ready.data.fd, &value, sizeof value) == sizeof value;
    }
    for (long i = 0; i < rounds && (long)argument != 0; ++i) {
        check(write(events[(long)argument - 1], &value, sizeof value) == sizeof value, "a write");
    }
    return NULL;
}

static void set_make(void)
{
    set = epoll_create1(0);
    for (int i = 0; i < 2; ++i) {
        events[i] = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
        struct epoll_event item = {.events = EPOLLIN, .data.fd = events[i]};
        check(epoll_ctl(set, EPOLL_CTL_ADD, events[i], &item) == 0, "an epoll");
    }
}

static void meet_epoll(void)
{
    set_make();
    run_all(watch_set, 3);
}

// ---- Bytes come while one begins to watch, and a third looks -------------------------------

enum { BYTES = 3 };

static pthread_barrier_t round_barrier;
static int kind; // SOCK_STREAM or SOCK_DGRAM
static int sending, receiving;

static void pair_make(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    const int named = socket(AF_INET, kind, 0), on = 1;
    check(bind(named, (struct sockaddr *)&address, size) == 0, "a port");
    check(kind == SOCK_DGRAM || listen(named, 1) == 0, "a listener");
    getsockname(named, (struct sockaddr *)&address, &size);
    sending = socket(AF_INET, kind, 0);
    check(connect(sending, (struct sockaddr *)&address, size) == 0, "a way there");
    setsockopt(sending, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    receiving = kind == SOCK_DGRAM ? dup(named) : accept(named, NULL, NULL);
    check(receiving >= 0, "the other end");
    close(named);
}

static void bytes_await(void)
{
    char bytes[BYTES];
    for (ssize_t count = 0; count < BYTES;) {
        struct pollfd polled = {.fd = receiving, .events = POLLIN};
        check(poll(&polled, 1, -1) == 1, "something is ready");
        const ssize_t more = recv(receiving, bytes, sizeof bytes, MSG_DONTWAIT);
        check(more > 0, "what is ready can be read");
        count += more;
    }
}

static void bytes_send(void)
{
    for (int i = 0; i < BYTES; ++i) {
        check(send(sending, "x", 1, 0) == 1, "a byte is sent");
    }
}

static void bytes_peek(void)
{
    char byte;
    for (int i = 0; i < BYTES; ++i) {
        const ssize_t size = recv(receiving, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        check(size == 1 || (size == -1 && errno == EAGAIN), "a look");
    }
}

static void *send_and_watch(void *argument)
{
    static void (*const parts[])(void) = {bytes_await, bytes_send, bytes_peek};
    const long index = (long)argument;
    for (long i = 0; i < rounds; ++i) {
        if (index == 0) {
            pair_make(); // nobody has watched it yet
        }
        pthread_barrier_wait(&round_barrier);
        parts[index]();
        pthread_barrier_wait(&round_barrier);
        if (index == 0) {
            close(sending);
            close(receiving);
        }
    }
    return NULL;
}

static void meet_sockets(int which)
{
    kind = which;
    pthread_barrier_init(&round_barrier, NULL, 3);
    run_all(send_and_watch, 3);
}

static void meet_stream(void)
{
    meet_sockets(SOCK_STREAM);
}

static void meet_datagram(void)
{
    meet_sockets(SOCK_DGRAM);
}

// ---- Threads come and go
// -------------------------------------------------------------------------------------

static void *short_life(void *argument)
{
    return argument;
}

static void *make_and_join(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        linger();
        pthread_t thread;
        void *result = NULL;
        check(pthread_create(&thread, NULL, short_life, (void *)(i + 1)) == 0, "a thread starts");
        check(pthread_join(thread, &result) == 0 && result == (void *)(i + 1), "a thread's result");
    }
    return (void *)((long)argument & 0);
}

static void meet_join(void)
{
    run_all(make_and_join, 3);
}

static pthread_barrier_t barrier;

// ---- Time
// ---------------------------------------------------------------------------------------------------------

static long now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

// Wake-ups come just when the sleeper gives up; its next sleep must not notice.
static void *sleep_or_wake(void *argument)
{
    for (long i = 0; i < rounds; ++i) {
        struct timespec span = {.tv_nsec = 20000}, limit = soon(15000 + 3000 * (i % 4));
        if ((long)argument == 0) {
            (void)sem_timedwait(&semaphore, &limit);
            long before = now_ns(CLOCK_MONOTONIC);
            check(nanosleep(&span, NULL) == 0, "a sleep");
            check(now_ns(CLOCK_MONOTONIC) - before >= span.tv_nsec, "how long a sleep is");
        } else {
            sem_post(&semaphore);
            nanosleep(&span, NULL);
        }
    }
    return NULL;
}

static void meet_timers(void)
{
    sem_init(&semaphore, 0, 0);
    run_all(sleep_or_wake, 2);
}

static void *use_time(void *argument)
{
    static clockid_t clocks[2];
    pthread_getcpuclockid(pthread_self(), &clocks[(long)argument]);
    pthread_barrier_wait(&barrier);
    long before = 0;
    for (long i = 0; i < 4 * rounds; ++i) {
        long used = now_ns(clocks[1 - (long)argument]);
        check(used >= before, "used time grows");
        before = used;
        sched_yield();
    }
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void meet_cputime(void)
{
    pthread_barrier_init(&barrier, NULL, 2);
    run_all(use_time, 2);
}

// ---- Memory
// ------------------------------------------------------------------------------------------------------------

static _Atomic(char *) mailbox[3];

static void *exchange(void *argument)
{
    for (long i = 0; i < 4 * rounds; ++i) {
        linger();
        const size_t size = 30000; // four blocks are a chain
        char mark = (char)((long)argument + 1);
        char *block = malloc(size);
        check(block != NULL, "a block");
        memset(block, mark, 64);
        block[size - 1] = mark;
        sched_getcpu();
        check(block[0] == mark && block[63] == mark && block[size - 1] == mark,
              "a block is its owner's");
        free(atomic_exchange(&mailbox[((long)argument + i) % 3], block));
    }
    return NULL;
}

static void meet_malloc(void)
{
    run_all(exchange, 3);
}

static void *hoard(void *argument)
{
    enum { BLOCKS = 18 }; // more than a CPU keeps: chains of four
    char *blocks[BLOCKS];
    for (long i = 0; i < rounds; ++i) {
        linger();
        for (long j = 0; j < BLOCKS; ++j) {
            blocks[j] = malloc(30000);
            check(blocks[j] != NULL, "a block");
            memset(blocks[j], (int)(16 * (long)argument + j), 64);
        }
        for (long j = 0; j < BLOCKS; ++j) {
            check(blocks[j][0] == (char)(16 * (long)argument + j) && blocks[j][63] == blocks[j][0],
                  "a block is its owner's");
            free(blocks[j]);
        }
    }
    return NULL;
}

static void meet_chains(void)
{
    run_all(hoard, 3);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*meet)(void);
    } ways[] = {
        {"mutex", meet_mutex},
        {"timedlock", meet_timedlock},
        {"condition", meet_condition},
        {"timedwait", meet_timedwait},
        {"semaphore", meet_semaphore},
        {"timedsemaphore", meet_timedsemaphore},
        {"handshake", meet_handshake},
        {"rwlock", meet_rwlock},
        {"timedrwlock", meet_timedrwlock},
        {"futex", meet_futex},
        {"pipe", meet_pipe},
        {"eventfd", meet_eventfd},
        {"poll", meet_poll},
        {"epoll", meet_epoll},
        {"stream", meet_stream},
        {"datagram", meet_datagram},
        {"join", meet_join},
        {"timers", meet_timers},
        {"cputime", meet_cputime},
        {"malloc", meet_malloc},
        {"chains", meet_chains},
    };
    rounds = argc > 2 ? atol(argv[2]) : ROUNDS;
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof ways[0]; ++i) {
        if (strcmp(ways[i].name, argv[1]) == 0) {
            ways[i].meet();
            puts("done");
            return 0;
        }
    }
    fprintf(stderr, "usage: meet WHAT [ROUNDS]; WHAT is one of");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; ++i) {
        fprintf(stderr, " %s", ways[i].name);
    }
    fprintf(stderr, "\n");
    return 2;
}
