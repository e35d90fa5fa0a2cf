// SPDX-License-Identifier: BSD-3-Clause
// leaving.cc: pthread_exit and cancellation run the destructors of the frames they leave; an exception out of
// std::call_once, and cancellation within pthread_once, leave it to the next caller.
#include <iostream>
#include <mutex>
#include <pthread.h>
#include <semaphore.h>
#include <thread>
#include <unistd.h>

struct Local {
    const char *name;
    ~Local()
    {
        std::cout << "~Local " << name << std::endl;
    }
};

static void deep(int levels)
{
    Local local{"deep"};
    if (levels < 0) {
        return; // for the compiler, which sees no end otherwise
    }
    if (levels == 0) {
        pthread_exit(reinterpret_cast<void *>(5));
    }
    deep(levels - 1);
}

static void *exits_deep(void *argument)
{
    Local local{"exits_deep"};
    deep(2);
    return argument;
}

static void *exits_caught(void *argument)
{
    try {
        Local local{"exits_caught"};
        pthread_exit(reinterpret_cast<void *>(8));
    } catch (...) {
        std::cout << "caught" << std::endl;
        throw;
    }
    return argument;
}

static void *sleeps(void *argument)
{
    Local local{"sleeps"};
    for (;;) {
        usleep(100000000);
    }
    return argument;
}

static std::once_flag once;
static int tries;

static void run(void *(*entry)(void *), bool cancels)
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, nullptr, entry, nullptr);
    if (cancels) {
        usleep(20000);
        pthread_cancel(thread);
    }
    pthread_join(thread, &result);
    std::cout << reinterpret_cast<long>(result) << std::endl;
}

static pthread_once_t control = PTHREAD_ONCE_INIT;
static sem_t begun, never;
static int beginnings, ends;

static void initialise()
{
    if (++beginnings == 1) {
        Local local{"initialise"};
        sem_post(&begun);
        sem_wait(&never);
    }
    ++ends;
}

// All but the first sleep, or come later: both must find it done, by one of them.
static void *initialises(void *)
{
    pthread_once(&control, initialise);
    return reinterpret_cast<void *>(static_cast<long>(ends));
}

static void cancel_once()
{
    pthread_t first, others[3];
    void *result;
    sem_init(&begun, 0, 0);
    sem_init(&never, 0, 0);
    pthread_create(&first, nullptr, initialises, nullptr);
    sem_wait(&begun);
    for (pthread_t &other : others) {
        pthread_create(&other, nullptr, initialises, nullptr);
    }
    pthread_cancel(first);
    pthread_join(first, &result);
    std::cout << "canceled " << (result == PTHREAD_CANCELED) << std::endl;
    for (pthread_t &other : others) {
        pthread_join(other, &result);
        std::cout << "done " << reinterpret_cast<long>(result) << std::endl;
    }
    std::cout << beginnings << " beginnings, " << ends << " ends" << std::endl;
}

int main()
{
    cancel_once();
    run(exits_deep, false);
    run(exits_caught, false);
    run(sleeps, true);
    for (int i = 0; i < 3; ++i) {
        try {
            std::call_once(once, [] {
                if (++tries < 3) {
                    throw tries;
                }
                std::cout << "done" << std::endl;
            });
        } catch (int thrown) {
            std::cout << "threw " << thrown << std::endl;
        }
    }
    std::call_once(once, [] { std::cout << "never" << std::endl; });
    return 0;
}
