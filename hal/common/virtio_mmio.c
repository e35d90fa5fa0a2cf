// SPDX-License-Identifier: BSD-3-Clause
// virtio_mmio.c: virtio devices whose registers are a piece of memory of their own
// (virtio 1.2, 4.2).
//
// Only version 2, the modern one. Where no device is behind a set of registers its kind is 0.
#include "virtio_mmio.h"

#include "register.h"
#include "string.h"

enum {
    MAGIC = 0x74726976,
    VERSION = 2,
    AT_MAGIC = 0x00,
    AT_VERSION = 0x04,
    AT_KIND = 0x08,
    AT_NOTIFY = 0x50,
    AT_INTERRUPT_STATUS = 0x60,
    AT_INTERRUPT_ACKNOWLEDGE = 0x64,
    AT_CONFIG = 0x100,
    NOTIFY_SIZE = 4,
    SIZE_MAX_MAPPED = 1 << 20,
};

static const struct virtio_place places[VIRTIO_REGISTERS] = {
    [VIRTIO_DEVICE_FEATURES] = {0x10, 4}, [VIRTIO_DEVICE_FEATURES_SELECT] = {0x14, 4},
    [VIRTIO_DRIVER_FEATURES] = {0x20, 4}, [VIRTIO_DRIVER_FEATURES_SELECT] = {0x24, 4},
    [VIRTIO_QUEUE_SELECT] = {0x30, 4},    [VIRTIO_QUEUE_SIZE_MAX] = {0x34, 4},
    [VIRTIO_QUEUE_SIZE] = {0x38, 4},      [VIRTIO_QUEUE_ENABLE] = {0x44, 4},
    [VIRTIO_STATUS] = {0x70, 4},          [VIRTIO_QUEUE_DESC] = {0x80, 4},
    [VIRTIO_QUEUE_AVAIL] = {0x90, 4},     [VIRTIO_QUEUE_USED] = {0xa0, 4},
    [VIRTIO_GENERATION] = {0xfc, 4},
};

// ---- Where they are ------------------------------------------------------------

void virtio_mmio_add(struct virtio_mmio_list *list, const struct virtio_mmio_place *place)
{
    for (size_t i = 0; i < list->count; ++i) {
        if (list->places[i].start == place->start) {
            return;
        }
    }
    if (list->count < VIRTIO_MMIO_MAX) {
        list->places[list->count++] = *place;
    }
}

static uint64_t digit_of(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return (uint64_t)(byte - '0');
    }
    const char low = (char)(byte | 0x20);
    return low >= 'a' && low <= 'f' ? (uint64_t)(low - 'a' + 10) : UINT64_MAX;
}

// A number as C has it, decimal or with 0x. False: there is none, or one beyond 64 bits.
static bool number_take(const char **text, uint64_t *number)
{
    const bool is_hexadecimal = (*text)[0] == '0' && ((*text)[1] | 0x20) == 'x';
    const uint64_t base = is_hexadecimal ? 16 : 10;
    const char *at = *text + (is_hexadecimal ? 2 : 0), *start = at;
    *number = 0;
    for (; digit_of(*at) < base; ++at) {
        if (*number > (UINT64_MAX - digit_of(*at)) / base) {
            return false;
        }
        *number = *number * base + digit_of(*at);
    }
    *text = at;
    return at > start;
}

static bool byte_take(const char **text, char byte)
{
    const bool is_there = **text == byte;
    *text += is_there;
    return is_there;
}

static uint32_t unit_take(const char **text)
{
    static const char units[] = "kmg";
    for (uint32_t i = 0; units[i] != 0; ++i) {
        if ((**text | 0x20) == units[i]) {
            ++*text;
            return 10 * (i + 1);
        }
    }
    return 0;
}

// SIZE[K|M|G]@ADDRESS:LINE[:ID]
static bool place_parse(const char *text, struct virtio_mmio_place *place)
{
    uint64_t size, start, line, id;
    if (!number_take(&text, &size)) {
        return false;
    }
    const uint32_t unit = unit_take(&text);
    if (size > UINT32_MAX >> unit || !byte_take(&text, '@') || !number_take(&text, &start) ||
        !byte_take(&text, ':') || !number_take(&text, &line) || line > UINT32_MAX) {
        return false;
    }
    if (byte_take(&text, ':') && !number_take(&text, &id)) {
        return false;
    }
    *place = (struct virtio_mmio_place){
        .start = start, .size = (uint32_t)size << unit, .line = (uint32_t)line};
    return *text == 0;
}

static void text_write(const char *text)
{
    hal_console_write(text, text_size(text));
}

static bool is_place(const char *word, const char **value)
{
    static const char name[] = "virtio_mmio.device=";
    for (size_t i = 0; name[i] != 0; ++i) {
        if (word[i] != name[i]) {
            return false;
        }
    }
    *value = word + sizeof name - 1;
    return true;
}

static bool is_end(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] == 0;
}

void virtio_mmio_words_take(struct virtio_mmio_list *list, const char *const *words,
                            const char **rest, size_t room)
{
    size_t count = 0, end = 0;
    const char *value;
    for (size_t i = 0; words[i] != NULL; ++i) { // the program's own words are nobody else's
        end = is_place(words[i], &value) ? end : i + 1;
    }
    bool is_program = false;
    for (size_t i = 0; words[i] != NULL; ++i) {
        struct virtio_mmio_place place;
        is_program |= is_end(words[i]);
        if (is_place(words[i], &value) && (!is_program || i >= end)) {
            if (place_parse(value, &place)) {
                virtio_mmio_add(list, &place);
            } else {
                text_write("osv: option ");
                text_write(words[i]);
                text_write(": wants SIZE@ADDRESS:LINE; it is left out\n");
            }
        } else if (count < room) {
            rest[count++] = words[i];
        }
    }
    rest[count] = NULL;
}

// ---- Devices -------------------------------------------------------------------

static void device_refuse(const struct virtio_mmio_place *place, const char *why)
{
    static const char digits[] = "0123456789abcdef";
    char number[17];
    size_t at = sizeof number - 1;
    number[at] = 0;
    for (hal_phys left = place->start; left != 0 || number[at] == 0; left >>= 4) {
        number[--at] = digits[left & 15];
    }
    text_write("osv: the virtio device at 0x");
    text_write(number + at);
    text_write(" ");
    text_write(why);
    text_write("; it is left out\n");
}

static void place_visit(struct virtio_found *found, const struct virtio_mmio_place *place)
{
    const uint32_t size = place->size < SIZE_MAX_MAPPED ? place->size : SIZE_MAX_MAPPED;
    volatile char *memory =
        size < AT_CONFIG || place->start % 4 != 0 ? NULL : machine_device_map(place->start, size);
    if (memory == NULL || register_read(memory + AT_MAGIC, 4) != MAGIC) {
        device_refuse(place, "has no registers there");
        return;
    }
    const uint32_t kind = register_read(memory + AT_KIND, 4);
    struct hal_dev *dev = kind == 0 ? NULL : virtio_slot(found);
    if (dev == NULL) {
        return;
    }
    if (register_read(memory + AT_VERSION, 4) != VERSION) {
        device_refuse(place, "speaks an old virtio only (QEMU: "
                             "-global virtio-mmio.force-legacy=false)");
        return;
    }
    dev->places = places;
    dev->registers = memory;
    dev->notify = memory + AT_NOTIFY;
    dev->notify_size = dev->notify_width = NOTIFY_SIZE;
    dev->config = memory + AT_CONFIG;
    dev->config_size = size - AT_CONFIG;
    dev->interrupt_status = memory + AT_INTERRUPT_STATUS;
    dev->interrupt_acknowledge = memory + AT_INTERRUPT_ACKNOWLEDGE;
    dev->line = *place;
    dev->queue_count = virtio_queue_count(dev);
    virtio_add(found, kind);
}

void virtio_mmio_find(struct virtio_found *found, const struct virtio_mmio_list *list)
{
    for (size_t i = 0; i < list->count; ++i) {
        place_visit(found, &list->places[i]);
    }
}
