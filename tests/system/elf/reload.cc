// SPDX-License-Identifier: BSD-3-Clause
// reload.cc: exceptions pass between libraries that come and go: thrown in one, caught in another,
// also after it was unloaded and loaded again; a library stays while a destructor of a thread_local
// object of it is still to run; room for initial-exec comes back, and when it is used up, dlopen
// says so.
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <stdexcept>

template <typename T> static T *find(void *library, const char *name)
{
    return reinterpret_cast<T *>(dlsym(library, name));
}

static void pass(int round)
{
    void *thrower = dlopen("libreload_throw.so", RTLD_LAZY);
    void *catcher = dlopen("libreload_catch.so", RTLD_LAZY);
    auto thrown = find<void(int)>(thrower, "reload_throw");
    auto caught = find<int(void (*)(int), int)>(catcher, "reload_catch");
    std::printf("round %d: %d", round, caught(thrown, round));
    try {
        thrown(-round);
    } catch (const std::runtime_error &error) {
        std::printf(" %s", error.what());
    }
    std::printf(" %d", dlclose(round % 2 == 0 ? thrower : catcher));
    std::printf(" %d\n", dlclose(round % 2 == 0 ? catcher : thrower));
}

static bool is_loaded(const char *name)
{
    void *library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (library != nullptr) {
        dlclose(library);
    }
    return library != nullptr;
}

// Its thread_local object is made, and the library closed before it is destroyed.
static void *stay(void *)
{
    void *library = dlopen("libreload_stays.so", RTLD_NOW);
    std::printf("object: %d\n", find<int()>(library, "reload_object")());
    std::printf("close: %d\n", dlclose(library));
    std::printf("loaded: %d\n", is_loaded("libreload_stays.so"));
    return nullptr;
}

static pthread_barrier_t barrier;
static int (*volatile counter)();

static void *count(void *result)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    *static_cast<int *>(result) = counter() + counter();
    pthread_barrier_wait(&barrier);
    return nullptr;
}

// A running thread finds the initial values in the library's block, each time.
static void static_tls()
{
    for (int round = 0; round < 20; round++) {
        pthread_t thread;
        int result = 0;
        pthread_create(&thread, nullptr, count, &result);
        pthread_barrier_wait(&barrier);
        void *library = dlopen("libreload_initial.so", RTLD_NOW);
        if (library == nullptr) {
            std::printf("%s\n", dlerror());
            return;
        }
        counter = find<int()>(library, "reload_count");
        int own = counter();
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        pthread_join(thread, nullptr);
        if (round % 5 == 0) {
            std::printf("static: %d %d\n", own, result);
        }
        dlclose(library);
    }
    std::printf("large: %d", dlopen("libreload_large.so", RTLD_NOW) != nullptr);
    const char *text = dlerror();
    const char *slash = text == nullptr ? nullptr : std::strrchr(text, '/');
    std::printf(" %s\n", slash == nullptr ? "?" : slash + 1);
}

int main()
{
    for (int round = 1; round <= 6; round++) {
        pass(round);
    }
    pthread_t thread;
    pthread_create(&thread, nullptr, stay, nullptr);
    pthread_join(thread, nullptr);
    pthread_barrier_init(&barrier, nullptr, 2);
    static_tls();
    return 0;
}
