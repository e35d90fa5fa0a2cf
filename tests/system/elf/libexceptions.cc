// SPDX-License-Identifier: BSD-3-Clause
// libexceptions.cc: the libraries of exceptions.cc.
#include "exceptions.hh"

#include <cstdio>

#ifdef LATE
extern "C" void late_throw(int number)
{
    throw problem(number);
}

extern "C" int *late_counter()
{
    return &shared_counter<int>();
}
#else
struct guard {
    ~guard()
    {
        std::printf("unwound the library\n");
    }
};

void library_throw(int number)
{
    throw problem(number);
}

void library_call(void (*function)())
{
    guard here;
    function();
}

int *library_counter()
{
    return &shared_counter<int>();
}
#endif
