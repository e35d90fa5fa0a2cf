// SPDX-License-Identifier: BSD-3-Clause
// packetring.c: see packetring.h. Pages lie anywhere, so that what is written is cut where they
// end; a place's first word is aligned, and does not lie in two.
#include "core/linux/packetring.h"

#include <netpacket/packet.h>
#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/net/packet_socket.h"
#include "core/vfs/file.h"
#include "core/vfs/pager.h"

enum {
    ALIGNMENT = 16,
    HEADER_SIZE = 32, // of both versions
    NAME_SIZE = sizeof(struct sockaddr_ll),
    LINK_SIZE_MIN = 16, // what is left for a link's header
    PAGES_MAX = 1 << 18,
};

enum place_status { // as Linux numbers them
    PLACE_KERNEL = 0,
    PLACE_USER = 1,
    PLACE_AFTER_DROPS = 4,
    PLACE_LACKS_CHECKSUM = 8,
};

struct packet_ring {
    char **pages;
    uint32_t page_count;
    uint32_t block_size, frame_size, frame_count;
    uint32_t next; // place
    uint32_t version;
    _Atomic uint32_t pager_count;
};

struct header_v1 { // as struct tpacket_hdr of Linux
    uint64_t status;
    uint32_t full_size, size;
    uint16_t link, network;
    uint32_t seconds, microseconds;
};

struct header_v2 { // as struct tpacket2_hdr of Linux
    uint32_t status;
    uint32_t full_size, size;
    uint16_t link, network;
    uint32_t seconds, nanoseconds;
    uint16_t tag, tag_kind;
    uint8_t padding[4];
};

_Static_assert(sizeof(struct header_v1) == HEADER_SIZE && sizeof(struct header_v2) == HEADER_SIZE,
               "as Linux has them");

uint32_t packet_ring_header_size(int version)
{
    return version == PACKET_RING_V1 || version == PACKET_RING_V2 ? HEADER_SIZE : 0;
}

// ---- Memory ------------------------------------------------------------------------

void packet_ring_free(struct packet_ring *ring)
{
    if (ring == NULL) {
        return;
    }
    for (uint32_t i = 0; i < ring->page_count; ++i) {
        frame_free(frame_of(ring->pages[i]), 1);
    }
    heap_free(ring->pages);
    heap_free(ring);
}

static int request_check(const struct packet_ring_request *request, uint32_t reserved)
{
    const uint32_t least = HEADER_SIZE + NAME_SIZE + reserved;
    const uint64_t size = (uint64_t)request->block_size * request->block_count;
    if ((int32_t)request->block_size <= 0 || request->block_size % HAL_PAGE_SIZE != 0 ||
        request->frame_size < least || request->frame_size % ALIGNMENT != 0 ||
        request->frame_size > request->block_size || size > UINT32_MAX) {
        return -EINVAL;
    }
    const uint64_t count =
        (uint64_t)(request->block_size / request->frame_size) * request->block_count;
    return count != request->frame_count ? -EINVAL : size / HAL_PAGE_SIZE > PAGES_MAX ? -ENOMEM : 0;
}

static int pages_take(struct packet_ring *ring, uint32_t count)
{
    hal_phys frame;
    while (ring->page_count < count) {
        if (frame_alloc(1, FRAME_ZERO, &frame) != 0) {
            return -ENOMEM;
        }
        ring->pages[ring->page_count] = frame_address(frame);
        ++ring->page_count;
    }
    return 0;
}

int packet_ring_make(struct packet_ring **made, const struct packet_ring_request *request,
                     int version, uint32_t reserved)
{
    int error = request_check(request, reserved);
    if (error != 0) {
        return error;
    }
    const uint32_t count =
        (uint32_t)((uint64_t)request->block_size * request->block_count / HAL_PAGE_SIZE);
    struct packet_ring *ring = heap_alloc_zeroed(sizeof *ring);
    if (ring == NULL) {
        return -ENOMEM;
    }
    ring->block_size = request->block_size;
    ring->frame_size = request->frame_size;
    ring->frame_count = request->frame_count;
    ring->version = (uint32_t)version;
    ring->pages = heap_alloc(count * sizeof *ring->pages);
    error = ring->pages == NULL ? -ENOMEM : pages_take(ring, count);
    if (error != 0) {
        packet_ring_free(ring);
        return error;
    }
    *made = ring;
    return 0;
}

// Where place begins, in bytes of the whole; none lies in two blocks.
static uint32_t place_offset(const struct packet_ring *ring, uint32_t place)
{
    const uint32_t each = ring->block_size / ring->frame_size;
    return place / each * ring->block_size + place % each * ring->frame_size;
}

static void bytes_write(struct packet_ring *ring, uint32_t offset, const void *from, uint32_t size)
{
    const char *bytes = from;
    while (size > 0) {
        const uint32_t at = offset % HAL_PAGE_SIZE;
        const uint32_t left = HAL_PAGE_SIZE - at;
        const uint32_t part = size < left ? size : left;
        memcpy(ring->pages[offset / HAL_PAGE_SIZE] + at, bytes, part);
        bytes += part;
        offset += part;
        size -= part;
    }
}

// The program reads and writes it, too: all that was written before it is there when it is.
static _Atomic uint32_t *status_of(const struct packet_ring *ring, uint32_t place)
{
    const uint32_t offset = place_offset(ring, place);
    return (_Atomic uint32_t *)(void *)(ring->pages[offset / HAL_PAGE_SIZE] +
                                        offset % HAL_PAGE_SIZE);
}

// ---- Frames ------------------------------------------------------------------------

bool packet_ring_has_some(const struct packet_ring *ring)
{
    const uint32_t before = (ring->next == 0 ? ring->frame_count : ring->next) - 1;
    return atomic_load(status_of(ring, before)) != PLACE_KERNEL;
}

// Without the status.
static void header_write(struct packet_ring *ring, uint32_t offset, const struct header_v2 *header)
{
    const struct header_v1 first = {
        .full_size = header->full_size,
        .size = header->size,
        .link = header->link,
        .network = header->network,
        .seconds = header->seconds,
        .microseconds = header->nanoseconds / 1000,
    };
    const bool is_first = ring->version == PACKET_RING_V1;
    const uint32_t skipped = is_first ? sizeof first.status : sizeof header->status;
    bytes_write(ring, offset + skipped,
                (is_first ? (const char *)&first : (const char *)header) + skipped,
                HEADER_SIZE - skipped);
}

bool packet_ring_put(struct packet_ring *ring, const struct packet_ring_frame *frame)
{
    enum { SECOND = 1000000000 };
    const struct packet_note *note = frame->note;
    const uint32_t place = ring->next;
    const uint32_t offset = place_offset(ring, place);
    const uint32_t link_room = frame->link_size < LINK_SIZE_MIN ? LINK_SIZE_MIN : frame->link_size;
    const uint32_t network =
        (HEADER_SIZE + NAME_SIZE + link_room + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT +
        frame->reserved;
    const uint32_t link = network - frame->link_size;
    const uint32_t room = link < ring->frame_size ? ring->frame_size - link : 0;
    const uint32_t size = frame->size < room ? frame->size : room;
    if (atomic_load(status_of(ring, place)) != PLACE_KERNEL) {
        return false;
    }
    const struct header_v2 header = {
        .full_size = note->full_size,
        .size = size,
        .link = (uint16_t)link,
        .network = (uint16_t)network,
        .seconds = (uint32_t)(note->arrived / SECOND),
        .nanoseconds = (uint32_t)(note->arrived % SECOND),
    };
    header_write(ring, offset, &header);
    bytes_write(ring, offset + HEADER_SIZE, frame->name, NAME_SIZE);
    bytes_write(ring, offset + link, frame->bytes, size);
    ring->next = place + 1 == ring->frame_count ? 0 : place + 1;
    atomic_store(status_of(ring, place),
                 PLACE_USER | (frame->is_after_drops ? (uint32_t)PLACE_AFTER_DROPS : 0) |
                     (note->lacks_checksum ? (uint32_t)PLACE_LACKS_CHECKSUM : 0));
    return true;
}

// ---- Mappings ----------------------------------------------------------------------

static struct packet_ring *ring_of(struct vm_pager *pager)
{
    return file_pager_of(pager)->state;
}

static int pager_find(struct vm_pager *pager, uint64_t offset, size_t size, bool is_made,
                      struct vm_frames *found)
{
    const struct packet_ring *ring = ring_of(pager);
    const uint64_t page = offset / HAL_PAGE_SIZE;
    (void)size, (void)is_made;
    if (page >= ring->page_count) {
        return -EFAULT;
    }
    *found = (struct vm_frames){frame_of(ring->pages[page]), HAL_PAGE_SIZE};
    return 0;
}

static bool pager_owns(struct vm_pager *pager, uint64_t offset, hal_phys page)
{
    const struct packet_ring *ring = ring_of(pager);
    return offset / HAL_PAGE_SIZE < ring->page_count &&
           ring->pages[offset / HAL_PAGE_SIZE] == frame_address(page);
}

static void pager_written(struct vm_pager *pager)
{
    (void)pager;
}

static uint64_t pager_size(struct vm_pager *pager)
{
    return (uint64_t)ring_of(pager)->page_count * HAL_PAGE_SIZE;
}

static void pager_release(struct file_pager *own)
{
    struct packet_ring *ring = own->state;
    atomic_fetch_add(&ring->pager_count, UINT32_MAX);
}

int packet_ring_pager(struct packet_ring *ring, struct file *file, struct vm_pager **pager)
{
    struct file_pager *own;
    const int error = pager_create(file, &own);
    if (error != 0) {
        return error;
    }
    atomic_fetch_add(&ring->pager_count, 1);
    own->state = ring;
    own->release = pager_release;
    own->pager.find = pager_find;
    own->pager.owns = pager_owns;
    own->pager.written = pager_written;
    own->pager.size = pager_size;
    own->pager.object = ring;
    *pager = &own->pager;
    return 0;
}

bool packet_ring_is_mapped(const struct packet_ring *ring)
{
    return atomic_load(&ring->pager_count) != 0;
}
