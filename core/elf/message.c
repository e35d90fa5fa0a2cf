// SPDX-License-Identifier: BSD-3-Clause
// message.c: the one line that says why a load failed.
//
// The first failure is the cause, so it is the one that stays. The loader's mutex guards the
// pointer.
#include "core/elf/object.h"

#include "core/lib/assert.h"
#include "core/lib/format.h"

static char *message_text;

void elf_message_begin(char message[ELF_MESSAGE_SIZE])
{
    message_text = message;
    message[0] = '\0';
}

char *elf_message_replace(char *message)
{
    char *former = message_text;
    message_text = message;
    return former;
}

int elf_fail(int error, const char *pattern, ...)
{
    ASSERT(message_text != NULL);
    if (message_text[0] == '\0') {
        va_list arguments;
        va_start(arguments, pattern);
        format_list(message_text, ELF_MESSAGE_SIZE, pattern, arguments);
        va_end(arguments);
        // Names come from files, and a message is one line.
        for (char *c = message_text; *c != '\0'; ++c) {
            *c = (unsigned char)*c < ' ' ? '?' : *c;
        }
    }
    return -error;
}
