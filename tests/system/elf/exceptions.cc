// SPDX-License-Identifier: BSD-3-Clause
// exceptions.cc: C++ exceptions pass between the program, its libraries, libraries that come late, and the C library's
// frames; types are equal where their names are.
#include "exceptions.hh"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>
#include <string>
#include <typeinfo>

static int compare(const void *a, const void *b)
{
    int x = *static_cast<const int *>(a), y = *static_cast<const int *>(b);
    if (x == 7 || y == 7) {
        throw problem(7);
    }
    return x - y;
}

struct witness {
    const char *name;
    ~witness()
    {
        std::printf("unwound %s\n", name);
    }
};

static void through_c()
{
    witness here = {"through_c"};
    int values[] = {3, 1, 7, 2, 9};
    qsort(values, 5, sizeof(values[0]), compare);
}

static void late()
{
    void *library = dlopen("libexceptions_late.so", RTLD_NOW);
    if (library == nullptr) {
        std::printf("%s\n", dlerror());
        return;
    }
    auto function = reinterpret_cast<void (*)(int)>(dlsym(library, "late_throw"));
    try {
        function(3);
    } catch (const problem &p) {
        std::printf("late %d %s\n", p.number, typeid(p).name());
    }
    auto counter = reinterpret_cast<int *(*)()>(dlsym(library, "late_counter"));
    std::printf("one counter: %d\n", counter() == &shared_counter<int>());
}

static void *thread(void *)
{
    for (int i = 0; i < 100; i++) {
        try {
            library_throw(i);
        } catch (const problem &p) {
            if (p.number != i) {
                std::printf("wrong\n");
            }
        }
    }
    return nullptr;
}

int main()
{
    try {
        library_throw(1);
    } catch (const problem &p) {
        std::printf("caught %d\n", p.number);
    }
    try {
        library_call([] { throw std::string("from the program"); });
    } catch (const std::string &text) {
        std::printf("%s\n", text.c_str());
    }
    try {
        through_c();
    } catch (const problem &p) {
        std::printf("caught %d\n", p.number);
    }
    late();
    std::printf("counter: %d\n", library_counter() == &shared_counter<int>());
    pthread_t threads[4];
    for (auto &one : threads) {
        pthread_create(&one, nullptr, thread, nullptr);
    }
    for (auto &one : threads) {
        pthread_join(one, nullptr);
    }
    std::printf("end\n");
}
