// SPDX-License-Identifier: BSD-3-Clause
// devices.c: a far end for tests. The part that a worker runs is hosted C.
#include "tests/system/hal_linux/devices.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hal-linux/dev/device.h"
#include "hal-linux/dev/net.h"

static void echo_answer(struct device_chain *chain)
{
    const struct iovec *in = chain->parts, *out = chain->parts + chain->in_count;
    char byte;
    size_t written = 0;
    while (device_gather(in, chain->in_count, written, &byte, 1) == 1 &&
           device_scatter(out, chain->out_count, written, &byte, 1) == 1) {
        ++written;
    }
    device_chain_done(chain, (uint32_t)written);
}

static void echo_late(struct device_chain *chain)
{
    unsigned char delay_ms = 0;
    (void)device_gather(chain->parts, chain->in_count, 0, &delay_ms, 1);
    usleep(delay_ms * 1000u);
    echo_answer(chain);
}

static void echo_serve(struct device_chain *chain)
{
    if (chain->queue == ECHO_BY_WORKER) {
        device_chain_defer(chain, echo_late);
    } else {
        echo_answer(chain);
    }
}

int echo_add(void)
{
    static const struct device_ops ops = {.queue_count = 2, .config_size = 4, .serve = echo_serve};
    static const uint32_t config = ECHO_CONFIG;
    return device_add(HAL_CONSOLE, "echo", &ops, NULL, &config);
}

static int wire_ends[2];

static void *wire_run(void *unused)
{
    char frame[WIRE_FRAME] = {0};
    uint64_t random = 88172645463325252u;
    for (uint32_t i = 0; i < WIRE_FRAMES; ++i) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (random % 16 == 0) {
            usleep(3000);
        } else if (random % 2 == 0) {
            usleep((useconds_t)(random >> 8) % 200);
        }
        memcpy(frame + WIRE_NUMBER_AT, &i, sizeof i);
        (void)!write(wire_ends[1], frame, sizeof frame);
    }
    return unused;
}

int wire_add(void)
{
    static struct net_far far = {.pair_count = 1, .mtu = 1500, .hardware = {2}};
    sigset_t all, before;
    pthread_t thread;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, wire_ends) != 0) {
        return -1;
    }
    far.fds[0] = wire_ends[0];
    if (net_add("wire", &far) != 0) { // which may take a frame
        return -1;
    }
    sigfillset(&all); // what is for the process is the main thread's
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failure = pthread_create(&thread, NULL, wire_run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -failure;
}
