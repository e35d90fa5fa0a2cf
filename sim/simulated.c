// SPDX-License-Identifier: BSD-3-Clause
// simulated.c: --net sim: what its properties say.
#include "sim/simulated.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal-linux/machine.h"
#include "sim/options.h"

enum { MTU = 1500, MTU_MIN = 68 };

static const char *const forms[] = {
    "a chance from 0 to 1, such as 0.01 or 1/100",
    "a time, such as 20ms, with ns, us, ms or s",
    "a rate in bits per second, such as 10M, at least 1k, at most 10G",
    "a number of bytes, such as 64k, at most 1G",
    "a number of bytes from 68 to 3000",
    "a time and a span, such as 2s+500ms, at most 8 of them",
};

enum form { CHANCE, TIME, RATE, SIZE, PACKET, CUT };

#define PLACE(field) offsetof(struct seed_network, field)

static const struct property {
    const char *name;
    enum form form;
    size_t place;
} properties[] = {
    {"loss", CHANCE, PLACE(loss)},       {"duplicate", CHANCE, PLACE(duplicate)},
    {"corrupt", CHANCE, PLACE(corrupt)}, {"reorder", CHANCE, PLACE(reorder)},
    {"delay", TIME, PLACE(delay)},       {"jitter", TIME, PLACE(jitter)},
    {"rate", RATE, PLACE(rate)},         {"queue", SIZE, PLACE(queue)},
    {"mtu", PACKET, PLACE(mtu)},         {"cut", CUT, PLACE(cuts)},
};

static struct seed_network network;

static bool chance_read(const char *text, uint64_t *chance)
{
    char *end;
    double value = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *below = end + 1;
        const double divisor = strtod(below, &end);
        value = end != below && divisor > 0 ? value / divisor : -1;
    }
    *chance = (uint64_t)(value * (double)(1ul << 32));
    return end != text && *end == 0 && value >= 0 && value <= 1;
}

// "20ms". Up to an hour.
static bool time_read(const char *text, hal_ns *time)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    char *end;
    const double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; ++i) {
        if (end != text && strcmp(end, units[i].name) == 0 && value >= 0 &&
            value * units[i].ns <= 3600e9) {
            *time = (hal_ns)(value * units[i].ns);
            return true;
        }
    }
    return false;
}

// "10M": as networks have it, of thousands.
static bool rate_read(const char *text, uint64_t *rate)
{
    char *end;
    const double value = strtod(text, &end);
    const double unit = strcmp(end, "k") == 0   ? 1e3
                        : strcmp(end, "M") == 0 ? 1e6
                        : strcmp(end, "G") == 0 ? 1e9
                        : *end == 0             ? 1
                                                : 0;
    *rate = value * unit >= 1 && value * unit <= 1e10 ? (uint64_t)(value * unit) : 0;
    return end != text && *rate >= 1000;
}

static bool cut_read(struct seed_network *wanted, char *text)
{
    char *plus = strchr(text, '+');
    struct seed_cut *cut = &wanted->cuts[wanted->cut_count];
    hal_ns span;
    if (plus == NULL || wanted->cut_count == SEED_CUTS_MAX) {
        return false;
    }
    *plus = 0;
    const bool is_right = time_read(text, &cut->from) && time_read(plus + 1, &span);
    *plus = '+';
    cut->until = is_right ? cut->from + span : 0;
    wanted->cut_count += is_right;
    return is_right;
}

static bool value_read(struct seed_network *wanted, const struct property *property, char *text)
{
    uint64_t *number = (uint64_t *)(void *)((char *)wanted + property->place);
    uint64_t size;
    switch (property->form) {
    case CHANCE:
        return chance_read(text, number);
    case TIME:
        return time_read(text, number);
    case RATE:
        return rate_read(text, number);
    case SIZE:
        return size_parse(text, number) && *number <= 1 << 30;
    case PACKET:
        if (!size_parse(text, &size) || size < MTU_MIN || size > SEED_NETWORK_MTU_MAX) {
            return false;
        }
        wanted->mtu = (uint16_t)size;
        return true;
    case CUT:
        return cut_read(wanted, text);
    }
    return false;
}

static void property_take(struct seed_network *wanted, char *word)
{
    char *value = strchr(word, '=');
    if (value != NULL) {
        *value++ = 0;
    }
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; ++i) {
        if (strcmp(word, properties[i].name) != 0) {
            continue;
        }
        if (value == NULL || !value_read(wanted, &properties[i], value)) {
            options_fail(EXIT_USAGE, "--net sim: %s: '%s' is not %s", word,
                         value == NULL ? "" : value, forms[properties[i].form]);
        }
        return;
    }
    options_fail(EXIT_USAGE,
                 "--net sim: '%s' is none of loss, duplicate, corrupt, reorder, delay, jitter, "
                 "rate, queue, mtu and cut",
                 word);
}

bool simulated_is(const char *text)
{
    return text != NULL && (strcmp(text, "sim") == 0 || strncmp(text, "sim,", 4) == 0);
}

void simulated_check(const char *text)
{
    char *list = strdup(text);
    if (list == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    network = (struct seed_network){.mtu = MTU, .delay = 100000, .queue = 256 << 10};
    char *rest = list;
    (void)strsep(&rest, ",");
    while (rest != NULL) {
        property_take(&network, strsep(&rest, ","));
    }
    free(list);
}

void simulated_add(int capture)
{
    network.capture = capture;
    const int error = machine_network_add("eth0", &network);
    if (error != 0) {
        options_fail(EXIT_USAGE, "cannot make the network device: %s", strerror(-error));
    }
}

void simulated_addresses(struct options *options)
{
    if (simulated_is(options->net) && options->address_count == 0) {
        options->addresses[options->address_count++] = "10.0.0.1/24";
        options->addresses[options->address_count++] = "fd00::1/64";
    }
}
