// SPDX-License-Identifier: BSD-3-Clause
// question.h: memcached's UDP protocol as the programs here serve it: in front of a question and of
// its answer are eight bytes: the question's number, and of how many datagrams this is which.
#ifndef TESTS_SYSTEM_PACKETS_QUESTION_H
#define TESTS_SYSTEM_PACKETS_QUESTION_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { SERVER = 11211, FRAME = 8, ANSWER_MAX = 512 };

// "get KEY": its value is as many times its first letter as the key is long.
static inline size_t value_get(const char *question, size_t size, char *answer)
{
    char key[64] = "", value[64];
    char text[128];
    memcpy(text, question, size < sizeof text - 1 ? size : sizeof text - 1);
    text[size < sizeof text - 1 ? size : sizeof text - 1] = 0;
    if (sscanf(text, "get %63s", key) != 1) {
        return (size_t)sprintf(answer, "ERROR\r\n");
    }
    memset(value, key[0], strlen(key));
    return (size_t)sprintf(answer, "VALUE %s 0 %zu\r\n%.*s\r\nEND\r\n", key, strlen(key),
                           (int)strlen(key), value);
}

// Of a datagram of at least FRAME bytes. How long the answer is.
static inline size_t question_answer(const char *data, size_t size, char answer[ANSWER_MAX])
{
    memcpy(answer, data, FRAME);
    return FRAME + value_get(data + FRAME, size - FRAME, answer + FRAME);
}

#endif
