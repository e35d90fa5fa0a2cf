// SPDX-License-Identifier: BSD-3-Clause
// musl_answer.c: walks the records of a name server's answer, for musl's resolver (RFC 1035, 4.1).
//
// Invariant: nothing is read that is not in the answer, whatever it says of itself.
#include "../network/lookup.h" // musl's

enum {
    HEADER_SIZE = 12,
    CODE_MASK = 15,    // of byte 3
    QUESTION_REST = 4, // behind its name
    RECORD_HEAD = 10,  // the same: type, class, time, size
    RECORDS_MAX = 64,  // as musl has it
    LABEL_MAX = 63,
    POINTER = 0xc0, // 2 bytes, which end a name
    CLASS_INTERNET = 1,
};

static int word_at(const unsigned char *bytes)
{
    return bytes[0] << 8 | bytes[1];
}

// Behind the name that begins at that place. -1: it has no end.
static int name_end(const unsigned char *answer, int size, int at)
{
    while (at < size) {
        const int length = answer[at];
        if (length == 0 || length >= POINTER) {
            return at + (length == 0 ? 1 : 2);
        }
        if (length > LABEL_MAX) {
            return -1;
        }
        at += 1 + length;
    }
    return -1;
}

// Behind the name at that place, where rest bytes follow it. -1: they do not.
static int name_pass(const unsigned char *answer, int size, int at, int rest)
{
    const int end = name_end(answer, size, at);
    return end < 0 || end > size - rest ? -1 : end;
}

// musl's contract: record(context, type, data, its size, answer) for each of the answers until one
// is negative. 0; -1: the answer is damaged, or one was.
int __dns_parse(const unsigned char *answer, int size,
                int (*record)(void *, int, const void *, int, const void *), void *context)
{
    if (size < HEADER_SIZE) {
        return -1;
    }
    if ((answer[3] & CODE_MASK) != 0) {
        return 0;
    }
    const int questions = word_at(answer + 4), records = word_at(answer + 6);
    int at = HEADER_SIZE;
    if (questions + records > RECORDS_MAX) {
        return -1;
    }
    for (int i = 0; i < questions; ++i) {
        at = name_pass(answer, size, at, QUESTION_REST);
        if (at < 0) {
            return -1;
        }
        at += QUESTION_REST;
    }
    for (int i = 0; i < records; ++i) {
        at = name_pass(answer, size, at, RECORD_HEAD);
        if (at < 0) {
            return -1;
        }
        const unsigned char *head = answer + at;
        const int data_size = word_at(head + 8);
        at += RECORD_HEAD;
        if (data_size > size - at) {
            return -1;
        }
        if (word_at(head + 2) == CLASS_INTERNET &&
            record(context, word_at(head), answer + at, data_size, answer) < 0) {
            return -1;
        }
        at += data_size;
    }
    return 0;
}
