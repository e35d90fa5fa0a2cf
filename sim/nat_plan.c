// SPDX-License-Identifier: BSD-3-Clause
// nat_plan.c: see nat_plan.h.
#include "sim/nat_plan.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 128, BITS_MAX_V4 = 29, BITS_MAX_V6 = 125 };

struct given { // one of --ip; the addresses are of IPv4 or IPv6
    uint8_t address[sizeof(struct in6_addr)], gateway[sizeof(struct in6_addr)];
    unsigned bits;
    bool has_gateway;
};

static bool given_read(struct given *given, int family, const char *text)
{
    char copy[TEXT_SIZE], *end;
    (void)snprintf(copy, sizeof copy, "%s", text);
    char *comma = strchr(copy, ',');
    given->has_gateway = comma != NULL;
    if (comma != NULL) {
        *comma = 0;
    }
    char *slash = strchr(copy, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = 0;
    given->bits = (unsigned)strtoul(slash + 1, &end, 10);
    return *end == 0 && inet_pton(family, copy, given->address) == 1 &&
           (comma == NULL || inet_pton(family, comma + 1, given->gateway) == 1);
}

// The first address from number on that neither of two others has.
static uint32_t number_free(uint32_t number, uint32_t one, uint32_t other)
{
    while (number == one || number == other) {
        ++number;
    }
    return number;
}

static void v4_take(struct nat_plan *plan, const struct given *given)
{
    const uint32_t mask = given->bits == 0 ? 0 : UINT32_MAX << (32 - given->bits);
    memcpy(&plan->machine, given->address, sizeof plan->machine);
    const uint32_t machine = ntohl(plan->machine.s_addr), network = machine & mask;
    uint32_t gateway = number_free(network + 2, machine, machine);
    if (given->has_gateway) {
        memcpy(&plan->gateway, given->gateway, sizeof plan->gateway);
        gateway = ntohl(plan->gateway.s_addr);
    }
    plan->gateway.s_addr = htonl(gateway);
    plan->names.s_addr = htonl(number_free(network + 3, machine, gateway));
    plan->network.s_addr = htonl(network);
    plan->mask.s_addr = htonl(mask);
}

static void v6_take(struct nat_plan *plan, const struct given *given)
{
    struct in6_addr machine;
    memcpy(&machine, given->address, sizeof machine);
    plan->prefix = machine;
    for (unsigned bit = given->bits; bit < 8 * sizeof plan->prefix; ++bit) {
        plan->prefix.s6_addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    }
    plan->prefix_bits = given->bits;
    plan->machine6 = machine;
    plan->gateway6 = plan->names6 = plan->prefix;
    plan->gateway6.s6_addr[15] |= (uint8_t)number_free(2, machine.s6_addr[15], 0);
    if (given->has_gateway) {
        memcpy(&plan->gateway6, given->gateway, sizeof plan->gateway6);
    }
    plan->names6.s6_addr[15] |=
        (uint8_t)number_free(3, machine.s6_addr[15] & 7, plan->gateway6.s6_addr[15] & 7);
}

const char *nat_plan_make(struct nat_plan *plan, const char *const *addresses, size_t count)
{
    struct given given;
    *plan = (struct nat_plan){.prefix_bits = 64};
    (void)given_read(&given, AF_INET, "10.0.2.15/24,10.0.2.2");
    v4_take(plan, &given);
    (void)given_read(&given, AF_INET6, "fd00::15/64,fd00::2");
    v6_take(plan, &given);
    plan->machine6 = in6addr_any;
    for (size_t i = count; i-- > 0;) { // the first one last
        const bool is_v4 = given_read(&given, AF_INET, addresses[i]);
        if (!is_v4 && !given_read(&given, AF_INET6, addresses[i])) {
            continue;
        }
        if (given.bits > (is_v4 ? BITS_MAX_V4 : BITS_MAX_V6)) {
            return addresses[i];
        }
        if (is_v4) {
            v4_take(plan, &given);
        } else {
            v6_take(plan, &given);
        }
    }
    return NULL;
}
