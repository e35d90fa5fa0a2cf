// SPDX-License-Identifier: BSD-3-Clause
// loan.c: see loan.h. A loan whose last part has gone is on its way in a channel to a thread, as
// packets are: its note is a packet without bytes.
#include "core/net/loan.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "core/lib/list.h"
#include "core/net/channel.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

static struct channel ended;
static _Atomic(struct thread *) runner; // NULL: not yet

static void loan_release(struct packet_buffer *buffer)
{
    struct net_loan *loan = container_of(buffer, struct net_loan, buffer);
    struct thread *thread = atomic_load(&runner); // before the push: the loan is gone behind it
    if ((channel_push(&ended, &loan->note, UINT32_MAX) & CHANNEL_ALONE) != 0) {
        thread_wake(thread);
    }
}

static void loans_run(void *unused)
{
    (void)unused;
    for (;;) {
        struct packet *note = channel_take(&ended);
        if (note == NULL) {
            thread_park();
            continue;
        }
        while (note != NULL) {
            struct packet *next = note->next;
            struct net_loan *loan = container_of(note, struct net_loan, note);
            loan->end(loan);
            note = next;
        }
    }
}

int net_loan_start(void)
{
    static struct mutex lock;
    const struct thread_schedule fair = {.policy = THREAD_FAIR};
    const struct thread_config config = {.name = "loans", .schedule = &fair};
    struct thread *thread;
    int error = 0;
    mutex_lock(&lock);
    if (atomic_load(&runner) == NULL) {
        error = thread_create(&thread, &config, loans_run, NULL);
        if (error == 0) {
            atomic_store(&runner, thread);
            thread_start(thread);
        }
    }
    mutex_unlock(&lock);
    return error;
}

void net_loan_begin(struct net_loan *loan, void (*end)(struct net_loan *loan))
{
    loan->buffer = (struct packet_buffer){.reference_count = 1, .release = loan_release};
    loan->note = (struct packet){.next = NULL};
    loan->is_used = false;
    loan->end = end;
}
