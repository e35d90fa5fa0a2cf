// SPDX-License-Identifier: BSD-3-Clause
// gconv_builtin.c: the steps between INTERNAL and UTF-8, ASCII, UCS-2 and UCS-4.
//
// One loop decodes, another encodes; a charset is a function for one character, inlined into them.
// Invariant: *in is behind the last character whose conversion has reached the end of the route. So
// when a further step takes only some of what was written for it, the same input is converted once
// more into just as much room.
#include <endian.h>
#include <string.h>

#include "core/lib/assert.h"
#include "core/libc/gconv.h"

enum { WIDE = 4 }; // bytes of a character in INTERNAL

struct span {
    const unsigned char *in, *in_end;
    unsigned char *out, *out_end;
};

// Errors of input that cannot be decoded, and of characters that the target does not have.
struct error_rule {
    struct gconv_step *step;
    struct gconv_step_data *data;
    size_t *irreversible; // NULL: no rule, called by gconv_transliterate
};

typedef int loop(struct span *span, const struct error_rule *rule);

// ---- Decoding

static bool is_surrogate(uint32_t wide)
{
    return wide >= 0xd800 && wide < 0xe000;
}

struct character {
    unsigned size; // in bytes, also of what is illegal
    uint32_t wide;
};

// GCONV_OK, or what is wrong with the input.
typedef int decoder(const unsigned char *in, size_t size, struct character *found);

static bool ignores(const struct error_rule *rule)
{
    return rule->irreversible != NULL && (rule->data->flags & GCONV_IGNORE_ERRORS) != 0;
}

// unit: the least bytes of a character. After an error that is ignored the answer is
// GCONV_ILLEGAL_INPUT though all is read, by which iconv's callers learn of it; not so if is_quiet.
static inline __attribute__((always_inline)) int
decode(struct span *span, unsigned unit, decoder *one, bool is_quiet, const struct error_rule *rule)
{
    int status = GCONV_EMPTY_INPUT;
    while (span->in != span->in_end) {
        size_t left = (size_t)(span->in_end - span->in);
        if (left < unit) {
            return GCONV_INCOMPLETE_INPUT;
        }
        if (span->out_end - span->out < WIDE) {
            return GCONV_FULL_OUTPUT;
        }
        struct character found;
        int result = one(span->in, left, &found);
        if (result == GCONV_INCOMPLETE_INPUT) {
            return GCONV_INCOMPLETE_INPUT;
        }
        if (result == GCONV_OK) {
            memcpy(span->out, &found.wide, WIDE);
            span->out += WIDE;
        } else if (ignores(rule)) {
            ++*rule->irreversible;
            status = is_quiet ? status : GCONV_ILLEGAL_INPUT;
        } else {
            return GCONV_ILLEGAL_INPUT;
        }
        span->in += found.size;
    }
    return status;
}

static inline int from_ascii(const unsigned char *in, size_t size, struct character *found)
{
    *found = (struct character){1, in[0]};
    return in[0] < 0x80 ? GCONV_OK : GCONV_ILLEGAL_INPUT;
}

// How many bytes are one and those after it that continue a character, of size at most.
static unsigned continued(const unsigned char *in, size_t size)
{
    unsigned count = 1;
    while (count < size && (in[count] & 0xc0) == 0x80) {
        ++count;
    }
    return count;
}

// The first form of UTF-8, with up to 31 bits. What is illegal is one byte and those after it that
// continue a character.
static inline int from_utf8(const unsigned char *in, size_t size, struct character *found)
{
    enum { CONTINUED_MAX = 5 };
    if (in[0] < 0x80) {
        *found = (struct character){1, in[0]};
        return GCONV_OK;
    }
    if (in[0] < 0xc2 || in[0] > 0xfd) {
        found->size = continued(in, size < CONTINUED_MAX ? size : CONTINUED_MAX);
        return GCONV_ILLEGAL_INPUT;
    }
    unsigned length = (unsigned)__builtin_clz((uint32_t)(uint8_t)~in[0] << 24);
    found->size = continued(in, size < length ? size : length);
    if (found->size < length) {
        return found->size == size ? GCONV_INCOMPLETE_INPUT : GCONV_ILLEGAL_INPUT;
    }
    uint32_t wide = in[0] & (0x7fu >> length);
    for (unsigned i = 1; i < length; ++i) {
        wide = wide << 6 | (in[i] & 0x3f);
    }
    found->wide = wide;
    bool is_too_long = length > 2 && wide >> (5 * length - 4) == 0;
    return is_too_long || is_surrogate(wide) ? GCONV_ILLEGAL_INPUT : GCONV_OK;
}

static inline int from_ucs2_little(const unsigned char *in, size_t size, struct character *found)
{
    *found = (struct character){2, in[0] | (uint32_t)in[1] << 8};
    return is_surrogate(found->wide) ? GCONV_ILLEGAL_INPUT : GCONV_OK;
}

static inline int from_ucs2_big(const unsigned char *in, size_t size, struct character *found)
{
    *found = (struct character){2, in[1] | (uint32_t)in[0] << 8};
    return is_surrogate(found->wide) ? GCONV_ILLEGAL_INPUT : GCONV_OK;
}

static int decode_ascii(struct span *span, const struct error_rule *rule)
{
    return decode(span, 1, from_ascii, false, rule);
}

static int decode_utf8(struct span *span, const struct error_rule *rule)
{
    return decode(span, 1, from_utf8, false, rule);
}

static int decode_ucs2_little(struct span *span, const struct error_rule *rule)
{
    return decode(span, 2, from_ucs2_little, false, rule);
}

static int decode_ucs2_big(struct span *span, const struct error_rule *rule)
{
    return decode(span, 2, from_ucs2_big, true, rule);
}

// ---- Encoding

// Bytes written; 0: no room for them; NO_CHARACTER: the charset has no such one; SURROGATE: nothing
// stands in its place; QUIET_SURROGATE: and where errors are ignored it is none.
typedef int encoder(uint32_t wide, unsigned char *out, size_t room);

enum { NO_CHARACTER = -1, SURROGATE = -2, QUIET_SURROGATE = -3 };

// Whether the character only says in what language the text is: then it is dropped.
static bool is_tag(uint32_t wide)
{
    return wide >> 7 == 0xe0000 >> 7;
}

// After a character that cannot be written. GCONV_OK: go on behind it.
static int replace(struct span *span, int problem, const struct error_rule *rule)
{
    if (rule->irreversible == NULL) {
        return GCONV_ILLEGAL_INPUT;
    }
    if (problem == NO_CHARACTER && (rule->data->flags & GCONV_TRANSLITERATE) != 0) {
        int status = gconv_transliterate(rule->step, rule->data, &span->in, span->in_end,
                                         &span->out, rule->irreversible);
        if (status != GCONV_ILLEGAL_INPUT) {
            return status;
        }
    }
    if (ignores(rule)) {
        ++*rule->irreversible;
        span->in += WIDE;
    }
    return GCONV_ILLEGAL_INPUT;
}

static inline __attribute__((always_inline)) int encode(struct span *span, unsigned unit,
                                                        encoder *one, bool drops_tags,
                                                        const struct error_rule *rule)
{
    int status = GCONV_EMPTY_INPUT;
    while (span->in != span->in_end) {
        if (span->in_end - span->in < WIDE) {
            return GCONV_INCOMPLETE_INPUT;
        }
        if ((size_t)(span->out_end - span->out) < unit) {
            return GCONV_FULL_OUTPUT;
        }
        uint32_t wide;
        memcpy(&wide, span->in, WIDE);
        int size = one(wide, span->out, (size_t)(span->out_end - span->out));
        if (size > 0) {
            span->in += WIDE;
            span->out += size;
        } else if (size == 0) {
            return GCONV_FULL_OUTPUT;
        } else if (drops_tags && is_tag(wide)) {
            span->in += WIDE;
        } else {
            const unsigned char *before = span->in;
            int result = replace(span, size, rule);
            if (result == GCONV_FULL_OUTPUT || span->in == before) {
                return result;
            }
            status = size == QUIET_SURROGATE ? status : result;
        }
    }
    return status;
}

static inline int to_ascii(uint32_t wide, unsigned char *out, size_t room)
{
    *out = (unsigned char)wide;
    return wide < 0x80 ? 1 : NO_CHARACTER;
}

static inline int to_utf8(uint32_t wide, unsigned char *out, size_t room)
{
    if (wide < 0x80) {
        *out = (unsigned char)wide;
        return 1;
    }
    if (wide > 0x7fffffff || is_surrogate(wide)) {
        return NO_CHARACTER;
    }
    unsigned length = 2;
    while (length < 6 && wide >> (5 * length + 1) != 0) {
        ++length;
    }
    if (room < length) {
        return 0;
    }
    for (unsigned i = length - 1; i > 0; --i) {
        out[i] = (unsigned char)(0x80 | (wide & 0x3f));
        wide >>= 6;
    }
    out[0] = (unsigned char)(0xff00u >> length | wide);
    return (int)length;
}

static inline int to_ucs2_little(uint32_t wide, unsigned char *out, size_t room)
{
    out[0] = (unsigned char)wide;
    out[1] = (unsigned char)(wide >> 8);
    return wide >= 0x10000 ? NO_CHARACTER : is_surrogate(wide) ? SURROGATE : 2;
}

static inline int to_ucs2_big(uint32_t wide, unsigned char *out, size_t room)
{
    out[0] = (unsigned char)(wide >> 8);
    out[1] = (unsigned char)wide;
    return wide >= 0x10000 ? NO_CHARACTER : is_surrogate(wide) ? QUIET_SURROGATE : 2;
}

static int encode_ascii(struct span *span, const struct error_rule *rule)
{
    return encode(span, 1, to_ascii, true, rule);
}

static int encode_utf8(struct span *span, const struct error_rule *rule)
{
    return encode(span, 1, to_utf8, false, rule);
}

static int encode_ucs2_little(struct span *span, const struct error_rule *rule)
{
    return encode(span, 2, to_ucs2_little, true, rule);
}

static int encode_ucs2_big(struct span *span, const struct error_rule *rule)
{
    return encode(span, 2, to_ucs2_big, true, rule);
}

// ---- UCS-4, which is INTERNAL but for the order of bytes

static int copy(struct span *span, uint32_t (*order)(uint32_t), bool is_checked,
                const struct error_rule *rule)
{
    while (span->in_end - span->in >= WIDE && span->out_end - span->out >= WIDE) {
        uint32_t wide;
        memcpy(&wide, span->in, WIDE);
        wide = order(wide);
        if (!is_checked || wide <= 0x7fffffff) {
            memcpy(span->out, &wide, WIDE);
            span->out += WIDE;
        } else if (ignores(rule)) {
            ++*rule->irreversible;
        } else {
            return GCONV_ILLEGAL_INPUT;
        }
        span->in += WIDE;
    }
    return span->in == span->in_end           ? GCONV_EMPTY_INPUT
           : span->out_end - span->out < WIDE ? GCONV_FULL_OUTPUT
                                              : GCONV_INCOMPLETE_INPUT;
}

static uint32_t order_big(uint32_t wide)
{
    return htobe32(wide);
}

static uint32_t order_little(uint32_t wide)
{
    return htole32(wide);
}

static int encode_ucs4_big(struct span *span, const struct error_rule *rule)
{
    return copy(span, order_big, false, rule);
}

static int encode_ucs4_little(struct span *span, const struct error_rule *rule)
{
    return copy(span, order_little, false, rule);
}

static int decode_ucs4_big(struct span *span, const struct error_rule *rule)
{
    return copy(span, order_big, true, rule);
}

static int decode_ucs4_little(struct span *span, const struct error_rule *rule)
{
    int status = copy(span, order_little, true, rule);
    // Only here glibc looks at the input first when there is too little of both.
    size_t left = (size_t)(span->in_end - span->in);
    return status == GCONV_FULL_OUTPUT && left < WIDE ? GCONV_INCOMPLETE_INPUT : status;
}

// ---- A step

// All further steps with what was written; *taken is where they stopped.
static int next_step(struct gconv_step *step, struct gconv_step_data *data,
                     const unsigned char **taken, const unsigned char *end, size_t *irreversible,
                     int flush, int consume_incomplete)
{
    return step[1].convert(step + 1, data + 1, taken, end, NULL, irreversible, flush,
                           consume_incomplete);
}

static int convert(struct gconv_step *step, struct gconv_step_data *data, const unsigned char **in,
                   const unsigned char *in_end, size_t *irreversible, int consume_incomplete)
{
    loop *const *converts = step->data;
    for (;;) {
        size_t local = 0;
        struct error_rule rule = {step, data, &local};
        struct span span = {*in, in_end, data->out, data->out_end};
        const unsigned char *start = *in;
        int status = (*converts)(&span, &rule);
        *in = span.in;
        if ((data->flags & GCONV_IS_LAST) != 0) {
            data->out = span.out;
            *irreversible += local;
            return status;
        }
        if (span.out == data->out) {
            return status;
        }
        const unsigned char *taken = data->out;
        int result = next_step(step, data, &taken, span.out, irreversible, GCONV_CONVERT,
                               consume_incomplete);
        if (taken != span.out) {
            struct span again = {start, in_end, data->out, data->out + (taken - data->out)};
            (void)(*converts)(&again, &rule);
            ASSERT(again.out == taken);
            *in = again.in;
        }
        status = result != GCONV_EMPTY_INPUT   ? result
                 : status == GCONV_FULL_OUTPUT ? GCONV_OK
                                               : status;
        if (status != GCONV_OK) {
            return status;
        }
    }
}

static int step_run(struct gconv_step *step, struct gconv_step_data *data, const unsigned char **in,
                    const unsigned char *in_end, unsigned char **out, size_t *irreversible,
                    int flush, int consume_incomplete)
{
    if (flush != GCONV_CONVERT) { // there is no state here
        bool is_last = (data->flags & GCONV_IS_LAST) != 0;
        return is_last ? GCONV_OK
                       : next_step(step, data, NULL, NULL, irreversible, flush, consume_incomplete);
    }
    if (out == NULL) {
        return convert(step, data, in, in_end, irreversible, consume_incomplete);
    }
    loop *const *converts = step->data;
    struct error_rule rule = {step, data, irreversible};
    struct span span = {*in, in_end, *out, data->out_end};
    int status = (*converts)(&span, &rule);
    *in = span.in;
    *out = span.out;
    return status;
}

#define MODULE(name_from, name_to)                                                                 \
    {                                                                                              \
        .from = name_from, .to = name_to, .cost = 1                                                \
    }

struct gconv_module gconv_builtin_modules[] = {
    MODULE("INTERNAL", "ISO-10646/UCS4/"),  MODULE("ISO-10646/UCS4/", "INTERNAL"),
    MODULE("INTERNAL", "UCS-4LE//"),        MODULE("UCS-4LE//", "INTERNAL"),
    MODULE("INTERNAL", "ISO-10646/UTF8/"),  MODULE("ISO-10646/UTF8/", "INTERNAL"),
    MODULE("INTERNAL", "ISO-10646/UCS2/"),  MODULE("ISO-10646/UCS2/", "INTERNAL"),
    MODULE("INTERNAL", "ANSI_X3.4-1968//"), MODULE("ANSI_X3.4-1968//", "INTERNAL"),
    MODULE("INTERNAL", "UNICODEBIG//"),     MODULE("UNICODEBIG//", "INTERNAL"),
};

const size_t gconv_builtin_count = sizeof gconv_builtin_modules / sizeof gconv_builtin_modules[0];

// In the order of gconv_builtin_modules, each pair from INTERNAL and to it.
static const struct {
    loop *encode, *decode;
    int size_min, size_max;
} charsets[] = {
    {encode_ucs4_big, decode_ucs4_big, 4, 4}, {encode_ucs4_little, decode_ucs4_little, 4, 4},
    {encode_utf8, decode_utf8, 1, 6},         {encode_ucs2_little, decode_ucs2_little, 2, 2},
    {encode_ascii, decode_ascii, 1, 1},       {encode_ucs2_big, decode_ucs2_big, 2, 2},
};

void gconv_builtin_init(struct gconv_step *step)
{
    size_t index = 0;
    while (strcmp(gconv_builtin_modules[index].from, step->from) != 0 ||
           strcmp(gconv_builtin_modules[index].to, step->to) != 0) {
        ++index;
        ASSERT(index < gconv_builtin_count);
    }
    bool is_encoder = index % 2 == 0;
    index /= 2;
    step->convert = step_run;
    step->data = (void *)(is_encoder ? &charsets[index].encode : &charsets[index].decode);
    step->from_min = is_encoder ? WIDE : charsets[index].size_min;
    step->from_max = is_encoder ? WIDE : charsets[index].size_max;
    step->to_min = is_encoder ? charsets[index].size_min : WIDE;
    step->to_max = is_encoder ? charsets[index].size_max : WIDE;
}
