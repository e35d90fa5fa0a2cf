// SPDX-License-Identifier: BSD-3-Clause
// random.c: generators of random numbers: their sequences are what programs rely on.
#include <stdlib.h>
#include <string.h>

#include "same.h"

void random_section(void)
{
    for (int i = 0; i < 50; ++i) {
        NUMBER(rand());
        NUMBER(random());
    }
    unsigned seed = 5;
    for (int i = 0; i < 20; ++i) {
        NUMBER(rand_r(&seed));
    }
    static char states[5][256];
    static const int sizes[] = {8, 32, 64, 128, 256};
    for (int i = 0; i < 5; ++i) {
        char *old = initstate(42 + i, states[i], sizes[i]);
        NUMBER(old != NULL);
        for (int j = 0; j < 40; ++j) {
            NUMBER(random());
        }
    }
    for (int i = 0; i < 5; ++i) {
        NUMBER(setstate(states[i]) != NULL);
        for (int j = 0; j < 5; ++j) {
            NUMBER(random());
        }
    }
    RESULT(initstate(1, states[0], 7) == NULL);
    srandom(7);
    NUMBER(random());
    srand(0);
    NUMBER(rand());
    static char buffer[128];
    struct random_data data;
    memset(&data, 0, sizeof data);
    NUMBER(initstate_r(9, buffer, sizeof buffer, &data));
    int32_t value;
    for (int i = 0; i < 10; ++i) {
        NUMBER(random_r(&data, &value));
        NUMBER(value);
    }
    NUMBER(srandom_r(3, &data));
    random_r(&data, &value);
    NUMBER(value);
    srand48(17);
    for (int i = 0; i < 10; ++i) {
        printf("%.17g %ld %ld\n", drand48(), lrand48(), mrand48());
    }
    unsigned short words[3] = {1, 2, 3};
    printf("%.17g %ld %ld\n", erand48(words), nrand48(words), jrand48(words));
    unsigned short *old = seed48(words);
    printf("%d %d %d\n", old[0], old[1], old[2]);
    unsigned short parameters[7] = {1, 2, 3, 4, 5, 6, 7};
    lcong48(parameters);
    printf("%.17g %ld\n", drand48(), lrand48());
}
