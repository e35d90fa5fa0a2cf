// SPDX-License-Identifier: BSD-3-Clause
// recording.c: reads and writes recordings. The file is anybody's: each line is looked at.
#include "sim/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/options.h"

enum { VERSION = 1, MESSAGE_SIZE = 160 };

static const char heading[] = "osv-sim recording ";

static char message[MESSAGE_SIZE];

static __attribute__((format(printf, 1, 2))) const char *wrong(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return message;
}

// One more element behind count of them, zeroed. Their room doubles.
static void *append(void **list, size_t *count, size_t size)
{
    if ((*count & (*count - 1)) == 0) {
        void *bigger = realloc(*list, (*count == 0 ? 1 : 2 * *count) * size);
        if (bigger == NULL) {
            options_fail(EXIT_USAGE, "out of memory");
        }
        *list = bigger;
    }
    return memset((char *)*list + size * (*count)++, 0, size);
}

// ---- Lines -----------------------------------------------------------------------

struct reader {
    struct recording *recording;
    size_t word_count, environment_count;
    bool has_end;
};

// Undoes the escapes, in place.
static char *plain(char *text)
{
    char *to = text;
    for (const char *from = text; *from != 0; ++from) {
        bool is_escape = from[0] == '\\' && from[1] != 0;
        from += is_escape;
        *to++ = is_escape && *from == 'n' ? '\n' : *from;
    }
    *to = 0;
    return text;
}

static const char *const kinds[] = {"turn", "wait", "stand"};

// One more for the list of *count.
static bool turn_read(const char *text, enum seed_turn_kind kind, size_t order,
                      struct seed_turn **list, size_t *count)
{
    struct seed_turn turn = {.kind = kind, .order = order};
    int end = 0;
    bool is_right = sscanf(text, "%" SCNu32 " %" SCNu64 " %" SCNu32 " %" SCNx64 "%n", &turn.cpu,
                           &turn.point, &turn.to, &turn.place, &end) == 4 &&
                    text[end] == 0 && turn.cpu < HAL_CPU_MAX &&
                    (kind == SEED_STAND || turn.to < HAL_CPU_MAX);
    if (is_right) {
        *(struct seed_turn *)append((void **)list, count, sizeof turn) = turn;
    }
    return is_right;
}

static bool check_read(struct recording *recording, const char *text)
{
    struct seed_recording *run = &recording->run;
    struct seed_check check;
    int end = 0;
    uint64_t last = run->check_count == 0 ? 0 : run->checks[run->check_count - 1].point;
    bool is_right =
        sscanf(text, "%" SCNu64 " %" SCNx64 "%n", &check.point, &check.hash, &end) == 2 &&
        text[end] == 0 && check.point > last;
    if (is_right) {
        *(struct seed_check *)append((void **)&run->checks, &run->check_count, sizeof check) =
            check;
    }
    return is_right;
}

static bool object_read(struct recording *recording, char *text)
{
    struct recording_object object;
    int end = 0;
    if (sscanf(text, "%" SCNx64 " %n", &object.base, &end) != 1 || text[end] == 0) {
        return false;
    }
    object.path = plain(text + end);
    *(struct recording_object *)append((void **)&recording->objects, &recording->object_count,
                                       sizeof object) = object;
    return true;
}

// Two digits a byte, in place; false: they are not.
static bool bytes_read(char *text, size_t *size)
{
    static const char digits[] = "0123456789abcdef";
    *size = 0;
    if (strcmp(text, "-") == 0) {
        return true;
    }
    for (; text[2 * *size] != 0; ++*size) {
        const char *high = strchr(digits, text[2 * *size]);
        const char *low = strchr(digits, text[2 * *size + 1]);
        if (high == NULL || low == NULL || *low == 0) {
            return false;
        }
        text[*size] = (char)((high - digits) << 4 | (low - digits));
    }
    return *size > 0;
}

static bool answer_read(struct recording *recording, char *text)
{
    struct seed_recording *run = &recording->run;
    struct seed_answer answer = {0};
    unsigned how, error;
    int end = 0;
    bool is_right = sscanf(text, "%" SCNu32 " %" SCNu32 " %u %u %n", &answer.operation,
                           &answer.stream, &how, &error, &end) == 4 &&
                    end > 0 && answer.stream <= 2 && how <= 3 && error < 4096 &&
                    bytes_read(text + end, &answer.size);
    if (is_right) {
        answer.is_late = (how & 1) != 0;
        answer.is_cut = (how & 2) != 0;
        answer.error = -(int)error;
        answer.data = text + end;
        *(struct seed_answer *)append((void **)&run->answers, &run->answer_count, sizeof answer) =
            answer;
    }
    return is_right;
}

static bool end_read(struct recording *recording, const char *text)
{
    struct seed_check *last = &recording->run.end;
    int end = 0;
    return sscanf(text, "%15s %u %" SCNu64 " %" SCNx64 "%n", recording->how, &recording->code,
                  &last->point, &last->hash, &end) == 4 &&
           text[end] == 0;
}

static bool number_read(const char *text, int base, uint64_t *number)
{
    char *end;
    *number = strtoul(text, &end, base);
    return end != text && *end == 0;
}

static bool word_add(char ***list, size_t *count, char *word)
{
    *(char **)append((void **)list, count, sizeof word) = word;
    return true;
}

// False: the line is not understood.
static bool line_read(struct reader *reader, char *line)
{
    struct recording *recording = reader->recording;
    struct seed_recording *run = &recording->run;
    char *text = strchr(line, ' ');
    if (text == NULL || reader->has_end) {
        return false;
    }
    *text++ = 0;
    for (int kind = 0; kind < SEED_TURN_KINDS; ++kind) {
        if (strcmp(line, kinds[kind]) == 0) {
            return turn_read(text, (enum seed_turn_kind)kind, run->turn_count, &run->turns,
                             &run->turn_count);
        }
    }
    if (strcmp(line, "meet") == 0) {
        return turn_read(text, SEED_TURN, run->turn_count, &recording->meetings,
                         &recording->meeting_count);
    }
    if (strcmp(line, "check") == 0) {
        return check_read(recording, text);
    }
    if (strcmp(line, "stream") == 0) {
        return answer_read(recording, text);
    }
    if (strcmp(line, "argument") == 0) {
        return word_add(&recording->words, &reader->word_count, plain(text));
    }
    if (strcmp(line, "environment") == 0) {
        return word_add(&recording->environment, &reader->environment_count, plain(text));
    }
    if (strcmp(line, "object") == 0) {
        return object_read(recording, text);
    }
    if (strcmp(line, "processor") == 0 || strcmp(line, "directory") == 0) {
        *(line[0] == 'p' ? &recording->run.processor : &recording->run.directory) = plain(text);
        return true;
    }
    if (strcmp(line, "spins") == 0) {
        recording->run.spins_go = strcmp(text, "go") == 0;
        return recording->run.spins_go || strcmp(text, "stay") == 0;
    }
    if (strcmp(line, "kernel") == 0) {
        return number_read(text, 16, &recording->run.kernel);
    }
    if (strcmp(line, "start") == 0) {
        return number_read(text, 10, &recording->run.start_s);
    }
    reader->has_end = strcmp(line, "end") == 0;
    return reader->has_end && end_read(recording, text);
}

// ---- The file ----------------------------------------------------------------------

static int turn_compare(const void *left, const void *right)
{
    const struct seed_turn *a = left, *b = right;
    if (a->cpu != b->cpu) {
        return a->cpu < b->cpu ? -1 : 1;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return a->point < b->point ? -1 : a->point > b->point;
}

// All of it, with a 0 behind it; NULL: errno says why.
static char *file_read(const char *name, size_t *size)
{
    FILE *file = fopen(name, "re");
    char *text = NULL, part[65536];
    size_t count;
    FILE *all = file == NULL ? NULL : open_memstream(&text, size);
    if (all == NULL) {
        return NULL;
    }
    while ((count = fread(part, 1, sizeof part, file)) > 0) {
        fwrite(part, 1, count, all);
    }
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    fclose(all);
    if (failure != 0) {
        free(text);
        errno = failure;
        return NULL;
    }
    return text;
}

static const char *lines_read(struct reader *reader, char *text, const char *end)
{
    for (size_t number = 1; text < end; ++number) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        if (newline == NULL) {
            return wrong("cut short in line %zu", number);
        }
        *newline = 0;
        if (number == 1) {
            int version = 0;
            sscanf(text + strlen(heading), "%d", &version);
            if (version != VERSION) {
                return wrong("a recording of version %d; this osv-sim reads %d", version, VERSION);
            }
        } else if (!line_read(reader, text)) {
            return wrong("line %zu is not one of a recording", number);
        }
        text = newline + 1;
    }
    const struct recording *recording = reader->recording;
    bool is_whole = reader->has_end && recording->run.processor != NULL &&
                    recording->run.directory != NULL && reader->word_count > 0;
    return is_whole ? NULL : "cut short: the end of the run is not there";
}

const char *recording_read(struct recording *recording, const char *name)
{
    size_t size;
    *recording = (struct recording){.run = {.name = name}};
    recording->text = file_read(name, &size);
    if (recording->text == NULL) {
        return strerror(errno);
    }
    if (strncmp(recording->text, heading, strlen(heading)) != 0) {
        return "not a recording of osv-sim";
    }
    struct reader reader = {.recording = recording};
    const char *failure = lines_read(&reader, recording->text, recording->text + size);
    if (failure == NULL) {
        word_add(&recording->words, &reader.word_count, NULL);
        word_add(&recording->environment, &reader.environment_count, NULL);
        qsort(recording->run.turns, recording->run.turn_count, sizeof(struct seed_turn),
              turn_compare);
    }
    return failure;
}

bool recording_is_preemption(const struct seed_turn *turn)
{
    return turn->kind == SEED_TURN && turn->to != turn->cpu;
}

void recording_free(struct recording *recording)
{
    free(recording->run.turns);
    free(recording->run.checks);
    free(recording->run.answers);
    free(recording->meetings);
    free(recording->words);
    free(recording->environment);
    free(recording->objects);
    free(recording->text);
}

// ---- Writing -----------------------------------------------------------------------

static void text_write(FILE *out, const char *name, const char *text)
{
    fputs(name, out);
    for (; *text != 0; ++text) {
        fputs(*text == '\n' ? "\\n" : *text == '\\' ? "\\\\" : (const char[]){*text, 0}, out);
    }
    fputc('\n', out);
}

static void answer_write(FILE *out, const struct seed_answer *answer)
{
    fprintf(out, "stream %u %u %d %d ", answer->operation, answer->stream,
            answer->is_late + 2 * answer->is_cut, -answer->error);
    for (size_t i = 0; i < answer->size; ++i) {
        fprintf(out, "%02x", (unsigned char)answer->data[i]);
    }
    fputs(answer->size == 0 ? "-\n" : "\n", out);
}

void recording_write(const struct recording *recording, const struct seed_turn *turns, size_t count,
                     FILE *out)
{
    const struct seed_recording *run = &recording->run;
    fprintf(out, "%s%d\nkernel %" PRIx64 "\nstart %" PRIu64 "\nspins %s\n", heading, VERSION,
            run->kernel, run->start_s, run->spins_go ? "go" : "stay");
    text_write(out, "processor ", run->processor);
    text_write(out, "directory ", run->directory);
    for (size_t i = 0; recording->words[i] != NULL; ++i) {
        text_write(out, "argument ", recording->words[i]);
    }
    for (size_t i = 0; recording->environment[i] != NULL; ++i) {
        text_write(out, "environment ", recording->environment[i]);
    }
    for (size_t i = 0; i < run->answer_count; ++i) {
        answer_write(out, &run->answers[i]);
    }
    for (size_t i = 0; i < count; ++i) {
        fprintf(out, "%s %u %" PRIu64 " %u %" PRIx64 "\n", kinds[turns[i].kind], turns[i].cpu,
                turns[i].point, turns[i].to, turns[i].place);
    }
    fputs("end exit 0 0 0\n", out);
}
