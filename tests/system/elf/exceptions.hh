// SPDX-License-Identifier: BSD-3-Clause
// exceptions.hh: what exceptions.cc and its libraries share.
#ifndef TESTS_SYSTEM_ELF_EXCEPTIONS_H
#define TESTS_SYSTEM_ELF_EXCEPTIONS_H

struct problem {
    int number;
    explicit problem(int n) : number(n)
    {
    }
    virtual ~problem() = default;
};

// STB_GNU_UNIQUE: one for all, also for a library that is loaded locally.
template <typename T> inline T &shared_counter()
{
    static T counter;
    return counter;
}

void library_throw(int number);
void library_call(void (*function)());
int *library_counter();

#endif
