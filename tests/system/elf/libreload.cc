// SPDX-License-Identifier: BSD-3-Clause
// libreload.cc: the libraries of reload.cc, one for each macro.
#include <cstdio>
#include <stdexcept>
#include <string>

#ifdef THROWS
extern "C" void reload_throw(int number)
{
    if (number < 0) {
        throw std::runtime_error("less than 0: " + std::to_string(number));
    }
    throw number;
}
#endif

#ifdef CATCHES
extern "C" int reload_catch(void (*function)(int), int number)
{
    try {
        function(number);
    } catch (int thrown) {
        return 10 * thrown;
    }
    return -1;
}
#endif

#ifdef STAYS
struct object {
    int value = 5;
    ~object()
    {
        std::printf("~object %d\n", value);
    }
};

static thread_local object one;

extern "C" int reload_object()
{
    return one.value++;
}
#endif

#ifdef SIZE
static thread_local char block[SIZE] = {3};
static thread_local int calls = 100;

extern "C" int reload_count()
{
    block[SIZE - 1] = (char)(block[SIZE - 1] + block[0]);
    return ++calls + block[SIZE - 1];
}
#endif
