// SPDX-License-Identifier: BSD-3-Clause
// busy.cc: libraries come while other threads throw, walk the list of objects, look addresses up
// and make threads.
#include <atomic>
#include <cstdio>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdexcept>
#include <string>

static std::atomic<bool> is_over;
static std::atomic<int> wrong;
static thread_local std::string text = "x";

static void *thrower(void *)
{
    while (!is_over) {
        try {
            throw std::runtime_error("x");
        } catch (const std::exception &e) {
            wrong += e.what()[0] != 'x';
        }
    }
    return nullptr;
}

static int visit(struct dl_phdr_info *info, size_t, void *count)
{
    *static_cast<int *>(count) += info->dlpi_phnum > 0;
    return 0;
}

static void *walker(void *)
{
    int former = 0;
    while (!is_over) {
        int count = 0;
        Dl_info info;
        dl_iterate_phdr(visit, &count);
        wrong += count < former || dladdr(reinterpret_cast<void *>(&thrower), &info) == 0;
        former = count;
    }
    return nullptr;
}

static void *leaf(void *)
{
    text += "y";
    return reinterpret_cast<void *>(text.size());
}

static void *maker(void *)
{
    while (!is_over) {
        pthread_t thread;
        void *result;
        pthread_create(&thread, nullptr, leaf, nullptr);
        pthread_join(thread, &result);
        wrong += reinterpret_cast<size_t>(result) != 2;
    }
    return nullptr;
}

int main()
{
    static const char *const names[] = {
        "libtls_late.so",   "libdl_versions.so",     "liborder_late.so", "libchoice.so",
        "libcopied.so",     "libexceptions_late.so", "libz.so.1",        "libgone.so",
        "libfixed_none.so", "liborder_a.so",         "libpreload.so",    "libtls_start_none.so",
        "libm.so.6",
    };
    void *(*const jobs[])(void *) = {thrower, walker, maker, thrower};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], nullptr, jobs[i], nullptr);
    }
    for (const char *name : names) {
        std::printf("%s: %d\n", name, dlopen(name, RTLD_NOW) != nullptr);
    }
    is_over = true;
    for (pthread_t thread : threads) {
        pthread_join(thread, nullptr);
    }
    std::printf("wrong: %d\n", wrong.load());
}
