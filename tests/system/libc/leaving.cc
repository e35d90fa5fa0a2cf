// SPDX-License-Identifier: BSD-3-Clause
// leaving.cc: pthread_exit and cancellation run the destructors of the frames they leave; an exception out of
// std::call_once leaves it to the next caller.
#include <iostream>
#include <mutex>
#include <pthread.h>
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

int main()
{
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
