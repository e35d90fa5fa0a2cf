// SPDX-License-Identifier: BSD-3-Clause
// device_test.c: hal/common's PCI and virtio against a model of a bus, and against one that lies.
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/pci.h"
#include "hal/common/virtio.h"
#include "hal/common/virtio_mmio.h"
#include "hal/upcall.h"

// ---- The bus: configuration spaces and the memory behind their BARs -----------------

enum { FUNCTIONS_MAX = 16, MEMORY_SIZE = 0x8000, CAPABILITY = 0x40 };

struct function {
    pci_address address;
    uint8_t space[256];
    uint32_t writable[PCI_BARS]; // bits of each base address register
};

static struct function functions[FUNCTIONS_MAX];
static size_t function_count;
static _Alignas(4096) char memory[MEMORY_SIZE];
static const hal_phys memory_start = 0xfe000000;

static struct function *function_at(pci_address address)
{
    for (size_t i = 0; i < function_count; ++i) {
        if (functions[i].address == address) {
            return &functions[i];
        }
    }
    return NULL;
}

uint32_t pci_config_read(pci_address address, uint32_t offset, uint32_t size)
{
    uint32_t value = UINT32_MAX;
    ck_assert(size == 1 || size == 2 || size == 4);
    ck_assert(offset % size == 0 && offset + size <= 256);
    const struct function *function = function_at(address);
    if (function != NULL) {
        value = 0;
        memcpy(&value, function->space + offset, size);
    }
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

void pci_config_write(pci_address address, uint32_t offset, uint32_t size, uint32_t value)
{
    struct function *function = function_at(address);
    ck_assert(offset % size == 0 && offset + size <= 256);
    ck_assert_ptr_nonnull(function);
    if (offset >= PCI_BAR && offset < PCI_BAR + 4 * PCI_BARS) {
        ck_assert_uint_eq(size, 4);
        // Its memory is off while an address that is none stands there.
        ck_assert_uint_eq(function->space[PCI_COMMAND] & PCI_COMMAND_MEMORY, 0);
        uint32_t old;
        memcpy(&old, function->space + offset, 4);
        const uint32_t writable = function->writable[(offset - PCI_BAR) / 4];
        value = (old & ~writable) | (value & writable);
    }
    memcpy(function->space + offset, &value, size);
}

char *machine_device_map(hal_phys start, size_t size)
{
    return start >= memory_start && start + size <= memory_start + MEMORY_SIZE
               ? memory + (start - memory_start)
               : NULL;
}

static uint32_t interrupts_left, interrupts_taken, queue_last;

int machine_interrupt_take(struct hal_dev *dev, uint32_t queue, uint32_t *number)
{
    (void)dev;
    queue_last = queue;
    if (interrupts_left == 0) {
        return -ENOSPC;
    }
    --interrupts_left;
    *number = 100 + interrupts_taken++;
    return 0;
}

void machine_interrupt_message(uint32_t number, uint32_t cpu, struct pci_message *message)
{
    *message = (struct pci_message){.address = 0x1fee00000 + cpu * 0x1000, .data = number};
}

static struct virtio_mmio_place line;
static uint32_t line_number, line_cpu, lines_connected;
static bool has_no_line;

int machine_line_connect(const struct virtio_mmio_place *place, uint32_t number, uint32_t cpu)
{
    line = *place;
    line_number = number;
    line_cpu = cpu;
    ++lines_connected;
    return has_no_line ? -EINVAL : 0;
}

static char console[4096];

void hal_console_write(const char *text, size_t size)
{
    ck_assert_uint_lt(strlen(console) + size, sizeof console);
    strncat(console, text, size);
}

static void put(struct function *function, uint32_t offset, uint32_t size, uint32_t value)
{
    memcpy(function->space + offset, &value, size);
}

static struct function *function_add(pci_address address, uint32_t vendor, uint32_t device)
{
    struct function *function = &functions[function_count++];
    memset(function, 0, sizeof *function);
    function->address = address;
    put(function, PCI_VENDOR, 2, vendor);
    put(function, PCI_DEVICE, 2, device);
    return function;
}

static void bridge_add(pci_address address, uint32_t secondary)
{
    struct function *bridge = function_add(address, 0x1b36, 1);
    put(bridge, PCI_HEADER, 1, 1);
    put(bridge, 0x19, 1, secondary);
}

static void start(void)
{
    function_count = 0;
    interrupts_left = 200;
    interrupts_taken = 0;
    lines_connected = 0;
    console[0] = 0;
    memset(memory, 0, sizeof memory);
}

// ---- The scan ----------------------------------------------------------------------

static pci_address seen[FUNCTIONS_MAX];
static size_t seen_count;

static void see(pci_address address, void *argument)
{
    ck_assert_ptr_eq(argument, seen);
    ck_assert_uint_lt(seen_count, FUNCTIONS_MAX);
    seen[seen_count++] = address;
}

static void scan_finds(const pci_address *expected, size_t count)
{
    seen_count = 0;
    pci_scan(see, seen);
    ck_assert_uint_eq(seen_count, count);
    for (size_t i = 0; i < count; ++i) {
        ck_assert_uint_eq(seen[i], expected[i]);
    }
}

START_TEST(an_empty_bus_is_empty)
{
    scan_finds(NULL, 0);
}
END_TEST

START_TEST(a_scan_goes_through_bridges)
{
    function_add(0x0008, 1, 1);
    bridge_add(0x0010, 3);
    bridge_add(0x0300, 4); // behind the other
    function_add(0x0400, 1, 2);
    function_add(0x0510, 1, 3); // nobody leads there
    scan_finds((const pci_address[]){0x0008, 0x0400}, 2);
}
END_TEST

START_TEST(functions_count_where_the_first_says_so)
{
    struct function *first = function_add(0x0008, 1, 1);
    function_add(0x000b, 1, 2);
    scan_finds((const pci_address[]){0x0008}, 1);
    put(first, PCI_HEADER, 1, 0x80);
    scan_finds((const pci_address[]){0x0008, 0x000b}, 2);
}
END_TEST

START_TEST(bridges_that_lead_in_a_circle_end)
{
    bridge_add(0x0008, 0);
    bridge_add(0x0010, 2);
    bridge_add(0x0018, 2);
    bridge_add(0x0200, 1);
    bridge_add(0x0208, 2);
    function_add(0x0210, 1, 1);
    scan_finds((const pci_address[]){0x0210}, 1);
}
END_TEST

// ---- What a function says of itself --------------------------------------------------

START_TEST(memory_without_an_address_is_seen)
{
    struct function *function = function_add(0, 1, 1);
    ck_assert(!pci_lacks_addresses(0)); // there is none
    put(function, PCI_BAR, 4, 0xfe001004);
    function->writable[0] = 0xfffff000; // 64 bits, whose upper half is zero
    function->writable[1] = 0xffffffff;
    put(function, PCI_BAR + 8, 4, 0xc001); // ports
    function->writable[2] = 0xffffff00;
    ck_assert(!pci_lacks_addresses(0));
    put(function, PCI_BAR, 4, 4);
    ck_assert(pci_lacks_addresses(0));
    put(function, PCI_BAR + 4, 4, 1);
    ck_assert(!pci_lacks_addresses(0));
    function->writable[5] = 0xfffff000;
    ck_assert(pci_lacks_addresses(0));
}
END_TEST

START_TEST(base_addresses_have_32_or_64_bits)
{
    struct function *function = function_add(0, 1, 1);
    struct hal_region region;
    put(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    put(function, PCI_BAR, 4, 0xfe001000);
    function->writable[0] = 0xfffff000;
    put(function, PCI_BAR + 4, 4, 0x00004004 | 8);
    put(function, PCI_BAR + 8, 4, 0x12);
    function->writable[1] = 0xffffc000;
    function->writable[2] = 0xffffffff;
    put(function, PCI_BAR + 12, 4, 0xc001); // ports
    put(function, PCI_BAR + 20, 4, 0x1004); // 64 bits, and no room for the upper half
    ck_assert(pci_bar_read(0, 0, &region));
    ck_assert_uint_eq(region.start, 0xfe001000);
    ck_assert_uint_eq(region.size, 0x1000);
    ck_assert(pci_bar_read(0, 1, &region));
    ck_assert_uint_eq(region.start, 0x1200004000);
    ck_assert_uint_eq(region.size, 0x4000);
    for (uint32_t i = 3; i < 8; ++i) {
        ck_assert(!pci_bar_read(0, i, &region));
    }
    ck_assert_uint_eq(pci_config_read(0, PCI_BAR, 4), 0xfe001000);
    ck_assert_uint_eq(pci_config_read(0, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
    function->writable[0] = 0xff00f000; // no size
    ck_assert(!pci_bar_read(0, 0, &region));
    function->writable[0] = 0xffff0000; // not at a multiple of its size
    ck_assert(!pci_bar_read(0, 0, &region));
}
END_TEST

static struct function *function_with_list(uint32_t first)
{
    struct function *function = function_add(0, 1, 1);
    put(function, PCI_STATUS, 2, 0x10);
    put(function, PCI_CAPABILITIES, 1, first);
    return function;
}

START_TEST(capabilities_are_found_in_turn)
{
    uint32_t at = 0;
    struct function *function = function_with_list(0x40);
    put(function, 0x40, 2, 0x5009);
    put(function, 0x50, 2, 0xf005);
    put(function, 0xf0, 2, 0x0009);
    ck_assert_int_eq(pci_capability_find(0, 9, 0, &at), 0);
    ck_assert_uint_eq(at, 0x40);
    ck_assert_int_eq(pci_capability_find(0, 9, at, &at), 0);
    ck_assert_uint_eq(at, 0xf0);
    ck_assert_int_eq(pci_capability_find(0, 9, at, &at), -ENODEV);
    ck_assert_int_eq(pci_capability_find(0, 7, 0, &at), -ENODEV);
    put(function, PCI_STATUS, 2, 0); // there is no list
    ck_assert_int_eq(pci_capability_find(0, 9, 0, &at), -ENODEV);
}
END_TEST

START_TEST(hostile_lists_are_errors)
{
    uint32_t at;
    struct function *function = function_with_list(0x40);
    put(function, 0x40, 2, 0x4005); // to itself
    ck_assert_int_eq(pci_capability_find(0, 9, 0, &at), -EIO);
    put(function, 0x40, 2, 0x8005); // a circle
    put(function, 0x80, 2, 0x4005);
    ck_assert_int_eq(pci_capability_find(0, 9, 0, &at), -EIO);
    put(function, 0x80, 2, 0x1005); // into the header
    ck_assert_int_eq(pci_capability_find(0, 9, 0, &at), -EIO);
    put(function, PCI_CAPABILITIES, 1, 0x3c);
    ck_assert_int_eq(pci_capability_find(0, 5, 0, &at), -EIO);
}
END_TEST

START_TEST(a_message_table_says_where_it_is)
{
    struct pci_msix msix;
    struct function *function = function_with_list(0x40);
    put(function, 0x40, 4, 0x07ff0011);
    put(function, 0x44, 4, 0x2003);
    ck_assert_int_eq(pci_msix_find(0, &msix), 0);
    ck_assert_uint_eq(msix.count, 2048);
    ck_assert_uint_eq(msix.bar, 3);
    ck_assert_uint_eq(msix.offset, 0x2000);
    put(function, 0x44, 4, 0x2007);
    ck_assert_int_eq(pci_msix_find(0, &msix), -EIO);
    put(function, PCI_CAPABILITIES, 1, 0xf8); // half of it lies outside
    put(function, 0xf8, 4, 0x00010011);
    ck_assert_int_eq(pci_msix_find(0, &msix), -EIO);
}
END_TEST

// ---- virtio ------------------------------------------------------------------------

enum { COMMON = 0, NOTIFY = 0x1000, CONFIG = 0x2000, TABLE = 0x3000, ENTRIES = 3, QUEUES = 4 };

static uint32_t area_put(struct function *function, uint32_t at, uint32_t kind, uint32_t offset,
                         uint32_t length)
{
    const uint32_t next = at + 24;
    put(function, at, 4, PCI_CAPABILITY_VENDOR | next << 8 | 20u << 16 | kind << 24);
    put(function, at + 4, 4, 4); // BAR 4
    put(function, at + 8, 4, offset);
    put(function, at + 12, 4, length);
    put(function, at + 16, 4, 4); // a notification's step
    return next;
}

static struct function *virtio_function(pci_address address, uint32_t kind)
{
    struct function *function = function_add(address, 0x1af4, 0x1040 + kind);
    put(function, PCI_STATUS, 2, 0x10);
    put(function, PCI_CAPABILITIES, 1, CAPABILITY);
    uint32_t at = area_put(function, CAPABILITY, 1, COMMON, 56);
    at = area_put(function, at, 2, NOTIFY, 4 * QUEUES);
    at = area_put(function, at, 4, CONFIG, 10);
    put(function, at, 4, PCI_CAPABILITY_MSIX | (ENTRIES - 1) << 16);
    put(function, at + 4, 4, TABLE | 4);
    put(function, PCI_BAR + 16, 4, 0xfe000000 | 4);
    function->writable[4] = ~(uint32_t)(MEMORY_SIZE - 1);
    function->writable[5] = UINT32_MAX;
    memory[COMMON + 18] = QUEUES;
    *(uint16_t *)(memory + COMMON + 24) = 64; // entries of the selected queue
    *(uint32_t *)(memory + COMMON + 4) = 0x11;
    return function;
}

static struct virtio_found found;

static struct hal_dev *virtio_find_one(void)
{
    found.count = 0;
    virtio_pci_find(&found);
    ck_assert_uint_eq(found.count, 1);
    return found.infos[0].dev;
}

static const uint32_t *entry(uint32_t index)
{
    return (const uint32_t *)(memory + TABLE) + index * 4;
}

START_TEST(a_device_is_found_opened_and_run)
{
    struct function *function = virtio_function(0x0018, 2);
    struct hal_dev *dev = virtio_find_one();
    ck_assert_int_eq(found.infos[0].kind, HAL_BLOCK);
    ck_assert_str_eq(found.infos[0].name, "vda");
    ck_assert_uint_eq(found.infos[0].queue_count, QUEUES);
    ck_assert_uint_eq(function->space[PCI_COMMAND] & 6, 6); // memory and its own accesses
    ck_assert_uint_eq(entry(1)[3], 1);                      // masked
    uint64_t features = 0x1100000001;
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_uint_eq(features, 0x1100000001); // 0x11, in both halves
    ck_assert_int_eq(memory[COMMON + 20], 1 | 2 | 8);
    const struct hal_ring ring = {.desc = 0x123456000, .avail = 0x1000, .used = 0x2000, .size = 64};
    *(uint16_t *)(memory + COMMON + 30) = 2; // the queue's place for notifications
    ck_assert_int_eq(hal_dev_queue(dev, 1, &ring, 3), 0);
    ck_assert_uint_eq(*(uint64_t *)(memory + COMMON + 32), 0x123456000);
    ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 22), 1);
    ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 26), 0);
    ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 28), 1);
    ck_assert_uint_eq(entry(0)[0], 0xfee03000);
    ck_assert_uint_eq(entry(0)[1], 1);
    ck_assert_uint_eq(entry(0)[2], 100);
    ck_assert_uint_eq(entry(0)[3], 0);
    ck_assert_int_eq(hal_dev_go(dev), 0);
    ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 16), 1); // the configuration's
    ck_assert_uint_eq(entry(1)[2], 101);
    ck_assert_int_eq(memory[COMMON + 20], 1 | 2 | 4 | 8);
    hal_dev_kick(dev, 1);
    ck_assert_uint_eq(*(uint16_t *)(memory + NOTIFY + 8), 1);
    hal_dev_stop(dev);
    ck_assert_int_eq(memory[COMMON + 20], 0);
}
END_TEST

// As a network device of several pairs has, once that is agreed upon.
START_TEST(features_decide_how_many_queues_there_are)
{
    virtio_function(0x0018, 1);
    struct hal_dev *dev = virtio_find_one();
    const struct hal_ring ring = {.size = 64};
    uint64_t features = 1;
    memory[COMMON + 18] = QUEUES + 2;
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_uint_eq(found.infos[0].queue_count, QUEUES + 2);
    ck_assert_int_eq(hal_dev_queue(dev, QUEUES + 1, &ring, 0), 0);
    memory[COMMON + 18] = QUEUES;
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_uint_eq(found.infos[0].queue_count, QUEUES);
    ck_assert_int_eq(hal_dev_queue(dev, QUEUES + 1, &ring, 0), -EINVAL);
}
END_TEST

START_TEST(a_queue_that_cannot_be_is_refused)
{
    virtio_function(0x0018, 2);
    struct hal_dev *dev = virtio_find_one();
    uint64_t features = 1;
    const struct hal_ring ring = {.size = 64}, longer = {.size = 128};
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_int_eq(hal_dev_queue(dev, QUEUES, &ring, 0), -EINVAL);
    ck_assert_int_eq(hal_dev_queue(dev, 0, &longer, 0), -EINVAL);
    *(uint16_t *)(memory + COMMON + 30) = QUEUES; // notified outside of the area
    ck_assert_int_eq(hal_dev_queue(dev, 0, &ring, 0), -EINVAL);
    *(uint16_t *)(memory + COMMON + 30) = 0;
    ck_assert_int_eq(hal_dev_queue(dev, 0, &ring, 0), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 0, &ring, 0), -EINVAL); // once
    ck_assert_int_eq(hal_dev_queue(dev, 1, &ring, 0), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 2, &ring, 0), 0);
    ck_assert_int_eq(hal_dev_go(dev), 0); // three messages are all it has
    ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 16), 0);
    // The same interrupts again.
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 0, &ring, 0), 0);
    ck_assert_uint_eq(interrupts_taken, 3);
    hal_dev_stop(dev);
    interrupts_left = 0;
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 3, &ring, 0), -ENOSPC);
}
END_TEST

START_TEST(queues_share_the_last_message)
{
    virtio_function(0x0018, 2);
    struct hal_dev *dev = virtio_find_one();
    uint64_t features = 1;
    const struct hal_ring ring = {.size = 64};
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    for (uint32_t i = 0; i < QUEUES; ++i) {
        ck_assert_int_eq(hal_dev_queue(dev, i, &ring, 0), 0);
        ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 26), i < 2 ? i : 2); // of three
        ck_assert_uint_eq(queue_last, i < 3 ? i : HAL_DEV_ALL);
    }
    ck_assert_uint_eq(entry(1)[2], 101);
    ck_assert_uint_eq(entry(2)[2], 103); // in place of 102, its first queue's own
    ck_assert_int_eq(hal_dev_go(dev), 0);
    ck_assert_uint_eq(*(uint16_t *)(memory + COMMON + 16), 2); // the configuration's, too
    ck_assert_uint_eq(virtio_acknowledge(dev, HAL_DEV_ALL), HAL_DEV_ALL); // nobody can say
    ck_assert_uint_eq(interrupts_taken, 4);
}
END_TEST

START_TEST(a_device_without_messages_has_a_line)
{
    enum { STATUS = 0x4000 };
    struct function *function = virtio_function(0x0018, 5);
    const uint32_t last = CAPABILITY + 3 * 24;
    put(function, last, 4, 0); // no MSI-X
    found.count = 0;
    virtio_pci_find(&found);
    ck_assert_uint_eq(found.count, 0);
    ck_assert_ptr_nonnull(strstr(console, "and no line that firmware has connected; it is left"));
    (void)area_put(function, last, 3, STATUS, 1);
    put(function, last + 1, 1, 0); // the list's end
    put(function, PCI_PIN, 1, 1);
    put(function, PCI_LINE, 1, 11);
    struct hal_dev *dev = virtio_find_one();
    ck_assert_int_eq(found.infos[0].kind, HAL_BALLOON);
    ck_assert_str_eq(found.infos[0].name, "balloon0");
    uint64_t features = 1;
    const struct hal_ring ring = {.size = 64};
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 0, &ring, 2), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 1, &ring, 2), 0);
    ck_assert_int_eq(hal_dev_go(dev), 0);
    ck_assert_uint_eq(lines_connected, 1);
    ck_assert_uint_eq(line.line, 11);
    ck_assert(line.is_level && !line.is_low);
    ck_assert_uint_eq(line_cpu, 2);
    ck_assert_uint_eq(queue_last, HAL_DEV_ALL);
    for (char causes = 0; causes < 4; ++causes) { // by reading
        memory[STATUS] = causes;
        ck_assert_uint_eq(virtio_acknowledge(dev, HAL_DEV_ALL),
                          causes & 2 ? HAL_DEV_ALL : HAL_DEV_QUEUES);
        ck_assert_int_eq(memory[STATUS], causes);
    }
}
END_TEST

START_TEST(configuration_is_read_within_its_bounds)
{
    virtio_function(0x0018, 2);
    struct hal_dev *dev = virtio_find_one();
    uint64_t bytes = 0;
    memcpy(memory + CONFIG, "0123456789", 10);
    hal_dev_config(dev, 2, &bytes, 7);
    ck_assert_mem_eq(&bytes, "2345678\0", 8);
    bytes = UINT64_MAX;
    hal_dev_config(dev, 3, &bytes, 8); // beyond
    ck_assert_uint_eq(bytes, 0);
    hal_dev_config_write(dev, 9, "ab", 2);
    hal_dev_config_write(dev, 5, "xyz", 3);
    ck_assert_mem_eq(memory + CONFIG, "01234xyz89\0", 11);
}
END_TEST

START_TEST(names_count_by_kind)
{
    virtio_function(0x0008, 2);
    virtio_function(0x0010, 4);
    virtio_function(0x0018, 2);
    virtio_function(0x0020, 26);
    virtio_function(0x0028, 16); // a display: nobody wants it
    memcpy(memory + CONFIG, "tag", 3);
    put(function_at(0x0020), CAPABILITY + 48 + 12, 4, 40);
    found.count = 0;
    virtio_pci_find(&found);
    ck_assert_uint_eq(found.count, 4);
    ck_assert_str_eq(found.infos[0].name, "vda");
    ck_assert_str_eq(found.infos[1].name, "rng0");
    ck_assert_str_eq(found.infos[2].name, "vdb");
    ck_assert_str_eq(found.infos[3].name, "tag");
}
END_TEST

static void spoil(struct function *function, int how)
{
    switch (how) {
    case 0:
        put(function, CAPABILITY + 8, 4, MEMORY_SIZE - 55); // beyond its memory
        break;
    case 1:
        put(function, CAPABILITY + 8, 4, 0xfffffffc);
        break;
    case 2:
        put(function, CAPABILITY + 12, 4, 55); // too small
        break;
    case 3:
        put(function, CAPABILITY + 8, 4, 2); // badly aligned
        break;
    case 4:
        put(function, CAPABILITY + 4, 4, 6); // in no memory
        break;
    case 5:
        put(function, CAPABILITY + 24 + 3, 1, 9); // no notifications
        break;
    case 6:
        put(function, PCI_BAR + 16, 4, 4); // nobody has given it an address
        break;
    case 7:
        put(function, PCI_BAR + 20, 4, 0x10); // where the machine cannot reach
        break;
    case 8:
        put(function, CAPABILITY + 72 + 4, 4, (MEMORY_SIZE - 40) | 4); // half of the table
        break;
    case 9:
        put(function, CAPABILITY + 72, 1, 1); // no table
        break;
    default:
        put(function, CAPABILITY + 1, 1, CAPABILITY); // the list goes round in a circle
        break;
    }
}

START_TEST(a_device_that_lies_is_left_out)
{
    spoil(virtio_function(0x0118, 2), _i);
    bridge_add(0x0008, 1);
    found.count = 0;
    virtio_pci_find(&found);
    ck_assert_uint_eq(found.count, 0);
    ck_assert_ptr_nonnull(strstr(console, "osv: the virtio device at PCI 01:03.0 has no "));
}
END_TEST

// Firmware's work is not ours.
START_TEST(a_device_without_an_address_is_left_out)
{
    struct function *function = virtio_function(0x0118, 2);
    for (uint32_t i = 0; i < PCI_BARS; ++i) {
        if ((function->writable[i] & ~15u) != 0) {
            const uint32_t low = pci_config_read(0x0118, PCI_BAR + 4 * i, 4);
            put(function, PCI_BAR + 4 * i, 4, low & 15);
        }
    }
    bridge_add(0x0008, 1);
    found.count = 0;
    virtio_pci_find(&found);
    ck_assert_uint_eq(found.count, 0);
    ck_assert_ptr_nonnull(strstr(console, "01:03.0 has no address for its registers: firmware"));
}
END_TEST

// ---- Registers that are memory of their own --------------------------------------------

static void register_put(uint32_t offset, uint32_t value)
{
    memcpy(memory + offset, &value, sizeof value);
}

static uint32_t register_at(uint32_t offset)
{
    uint32_t value;
    memcpy(&value, memory + offset, sizeof value);
    return value;
}

static struct virtio_mmio_list mmio_new(uint32_t version, uint32_t kind)
{
    register_put(0, 0x74726976);
    register_put(4, version);
    register_put(8, kind);
    register_put(0x10, 0x11); // features, in both halves
    register_put(0x34, 64);
    memcpy(memory + 0x100, "0123456789", 10);
    struct virtio_mmio_list list = {.count = 0};
    virtio_mmio_add(&list, &(struct virtio_mmio_place){
                               .start = memory_start, .size = 512, .line = 7, .is_level = true});
    found.count = 0;
    virtio_mmio_find(&found, &list);
    return list;
}

START_TEST(registers_in_memory_are_a_device)
{
    mmio_new(2, 2);
    ck_assert_uint_eq(found.count, 1);
    struct hal_dev *dev = found.infos[0].dev;
    ck_assert_str_eq(found.infos[0].name, "vda");
    ck_assert_uint_eq(found.infos[0].queue_count, VIRTIO_QUEUES_MAX); // all have room for a ring
    uint64_t features = 0x1100000001, bytes = 0;
    ck_assert_int_eq(hal_dev_open(dev, &features), 0);
    ck_assert_uint_eq(features, 0x1100000001);
    const struct hal_ring ring = {.desc = 0x123456000, .avail = 0x1000, .used = 0x2000, .size = 64};
    ck_assert_int_eq(hal_dev_queue(dev, 3, &ring, 2), 0);
    ck_assert_int_eq(hal_dev_queue(dev, 4, &ring, 1), 0);
    ck_assert_uint_eq(register_at(0x30), 4);
    ck_assert_uint_eq(register_at(0x38), 64);
    ck_assert_uint_eq(register_at(0x44), 1);
    ck_assert_uint_eq(register_at(0x80), 0x23456000);
    ck_assert_uint_eq(register_at(0x84), 1);
    ck_assert_uint_eq(register_at(0x90), 0x1000);
    ck_assert_uint_eq(register_at(0xa0), 0x2000);
    ck_assert_uint_eq(lines_connected, 1); // one line, on the first queue's CPU
    ck_assert_uint_eq(line.line, 7);
    ck_assert(line.is_level && !line.is_low);
    ck_assert_uint_eq(line_number, 100);
    ck_assert_uint_eq(line_cpu, 2);
    ck_assert_uint_eq(queue_last, HAL_DEV_ALL);
    ck_assert_int_eq(hal_dev_go(dev), 0);
    ck_assert_uint_eq(register_at(0x70), 1 | 2 | 4 | 8);
    hal_dev_kick(dev, 3);
    ck_assert_uint_eq(register_at(0x50), 3);
    register_put(0x60, 1);
    ck_assert_uint_eq(virtio_acknowledge(dev, HAL_DEV_ALL), HAL_DEV_QUEUES);
    ck_assert_uint_eq(register_at(0x64), 1);
    register_put(0x60, 3);
    ck_assert_uint_eq(virtio_acknowledge(dev, HAL_DEV_ALL), HAL_DEV_ALL);
    ck_assert_uint_eq(register_at(0x64), 3);
    hal_dev_config(dev, 2, &bytes, 7);
    ck_assert_mem_eq(&bytes, "2345678\0", 8);
    hal_dev_stop(dev);
    ck_assert_uint_eq(register_at(0x70), 0);
    has_no_line = true;
    ck_assert_int_eq(hal_dev_queue(dev, 3, &ring, 2), -EINVAL);
    has_no_line = false;
}
END_TEST

START_TEST(registers_without_a_device_or_too_old_are_left_out)
{
    struct virtio_mmio_list list = mmio_new(2, 0); // nothing is behind them
    ck_assert_uint_eq(found.count, 0);
    ck_assert_str_eq(console, "");
    mmio_new(1, 2);
    ck_assert_uint_eq(found.count, 0);
    ck_assert_str_eq(console, "osv: the virtio device at 0xfe000000 speaks an old virtio only "
                              "(QEMU: -global virtio-mmio.force-legacy=false); it is left out\n");
    console[0] = 0;
    list.places[0].start += 2 * MEMORY_SIZE;
    virtio_mmio_find(&found, &list);
    list.places[0] = (struct virtio_mmio_place){.start = memory_start, .size = 255};
    virtio_mmio_find(&found, &list);
    register_put(0, 1);
    list.places[0].size = 512;
    virtio_mmio_find(&found, &list);
    ck_assert_uint_eq(found.count, 0);
    const char *line_at = console;
    for (int i = 0; i < 3; ++i) {
        line_at = strstr(line_at, "has no registers there; it is left out\n");
        ck_assert_ptr_nonnull(line_at);
        ++line_at;
    }
}
END_TEST

START_TEST(words_say_where_registers_are)
{
    static const char *const words[] = {
        "--root=initrd",
        "virtio_mmio.device=4K@0xfeb00000:5",
        "--",
        "program",
        "virtio_mmio.device=is the program's",
        "x",
        "virtio_mmio.device=512@4273996288:12:3",
        "virtio_mmio.device=512@0xfeb00000:6", // again
        "virtio_mmio.device=4K@0xfeb00000",
        "virtio_mmio.device=5G@1:2",
        "virtio_mmio.device=1@0x10000000000000000:2",
        NULL,
    };
    struct virtio_mmio_list list = {.count = 0};
    const char *rest[9];
    virtio_mmio_words_take(&list, words, rest, 8);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_uint_eq(list.places[0].start, 0xfeb00000);
    ck_assert_uint_eq(list.places[0].size, 4096);
    ck_assert_uint_eq(list.places[0].line, 5);
    ck_assert_uint_eq(list.places[1].start, 4273996288);
    ck_assert_uint_eq(list.places[1].line, 12);
    static const size_t kept[] = {0, 2, 3, 4, 5};
    for (size_t i = 0; i < 5; ++i) {
        ck_assert_ptr_eq(rest[i], words[kept[i]]);
    }
    ck_assert_ptr_null(rest[5]);
    ck_assert_ptr_nonnull(strstr(console, "osv: option virtio_mmio.device=5G@1:2: wants "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device");
    TCase *bus = tcase_create("bus");
    tcase_add_checked_fixture(bus, start, NULL);
    suite_add_tcase(suite, bus);
    tcase_add_test(bus, an_empty_bus_is_empty);
    tcase_add_test(bus, a_scan_goes_through_bridges);
    tcase_add_test(bus, functions_count_where_the_first_says_so);
    tcase_add_test(bus, bridges_that_lead_in_a_circle_end);
    tcase_add_test(bus, base_addresses_have_32_or_64_bits);
    tcase_add_test(bus, memory_without_an_address_is_seen);
    tcase_add_test(bus, capabilities_are_found_in_turn);
    tcase_add_test(bus, hostile_lists_are_errors);
    tcase_add_test(bus, a_message_table_says_where_it_is);
    TCase *device = tcase_create("device");
    tcase_add_checked_fixture(device, start, NULL);
    suite_add_tcase(suite, device);
    tcase_add_test(device, a_device_is_found_opened_and_run);
    tcase_add_test(device, a_queue_that_cannot_be_is_refused);
    tcase_add_test(device, features_decide_how_many_queues_there_are);
    tcase_add_test(device, configuration_is_read_within_its_bounds);
    tcase_add_test(device, names_count_by_kind);
    tcase_add_loop_test(device, a_device_that_lies_is_left_out, 0, 11);
    tcase_add_test(device, a_device_without_an_address_is_left_out);
    tcase_add_test(device, queues_share_the_last_message);
    tcase_add_test(device, a_device_without_messages_has_a_line);
    TCase *mmio = tcase_create("mmio");
    tcase_add_checked_fixture(mmio, start, NULL);
    suite_add_tcase(suite, mmio);
    tcase_add_test(mmio, registers_in_memory_are_a_device);
    tcase_add_test(mmio, registers_without_a_device_or_too_old_are_left_out);
    tcase_add_test(mmio, words_say_where_registers_are);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
