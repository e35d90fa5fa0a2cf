// SPDX-License-Identifier: BSD-3-Clause
// netlinkwire.h: the messages of netlink(7), rtnetlink(7) and sock_diag(7) as bytes, of which the
// C library's headers say nothing. Names of numbers are those of the manual pages; all is in this
// machine's order but where it says otherwise.
#ifndef CORE_LINUX_NETLINKWIRE_H
#define CORE_LINUX_NETLINKWIRE_H

#include <stdint.h>

// ---- netlink(7) --------------------------------------------------------------------------

enum { NETLINK_ROUTE = 0, NETLINK_SOCK_DIAG = 4 };

struct netlink_name { // struct sockaddr_nl
    uint16_t family, unused;
    uint32_t port, groups;
};

struct netlink_header { // struct nlmsghdr
    uint32_t size;      // with this header
    uint16_t type, flags;
    uint32_t sequence, port;
};

struct netlink_attribute { // struct nlattr, struct rtattr
    uint16_t size;         // with this header
    uint16_t type;
};

enum { NETLINK_ALIGN = 4, NETLINK_TYPE_MASK = 0x3fff /* of an attribute */, NLA_F_NESTED = 0x8000 };

enum netlink_type { NLMSG_ERROR = 2, NLMSG_DONE = 3, NLMSG_MIN_TYPE = 16 };

enum netlink_flag {
    NLM_F_REQUEST = 1,
    NLM_F_MULTI = 2,
    NLM_F_ACK = 4,
    NLM_F_ECHO = 8,
    NLM_F_DUMP_FILTERED = 0x20,
    NLM_F_DUMP = 0x300,    // either bit
    NLM_F_REPLACE = 0x100, // these three: of requests for something new
    NLM_F_EXCL = 0x200,
    NLM_F_CREATE = 0x400,
    NLM_F_CAPPED = 0x100, // these two: of NLMSG_ERROR
    NLM_F_ACK_TLVS = 0x200,
};

enum { NLMSGERR_ATTR_MSG = 1 };

enum netlink_option {
    NETLINK_ADD_MEMBERSHIP = 1,
    NETLINK_DROP_MEMBERSHIP = 2,
    NETLINK_PKTINFO = 3,
    NETLINK_BROADCAST_ERROR = 4,
    NETLINK_NO_ENOBUFS = 5,
    NETLINK_LISTEN_ALL_NSID = 8,
    NETLINK_LIST_MEMBERSHIPS = 9,
    NETLINK_CAP_ACK = 10,
    NETLINK_EXT_ACK = 11,
    NETLINK_GET_STRICT_CHK = 12,
};

// ---- rtnetlink(7) ------------------------------------------------------------------------

enum rtnetlink_type {
    RTM_NEWLINK = 16,
    RTM_DELLINK = 17,
    RTM_GETLINK = 18,
    RTM_SETLINK = 19,
    RTM_NEWADDR = 20,
    RTM_DELADDR = 21,
    RTM_GETADDR = 22,
    RTM_NEWROUTE = 24,
    RTM_DELROUTE = 25,
    RTM_GETROUTE = 26,
    RTM_NEWNEIGH = 28,
    RTM_GETNEIGH = 30,
    RTM_NEWRULE = 32,
    RTM_GETRULE = 34,
    RTM_MAX = 123,
};

enum rtnetlink_group {
    RTNLGRP_LINK = 1,
    RTNLGRP_IPV4_IFADDR = 5,
    RTNLGRP_IPV4_ROUTE = 7,
    RTNLGRP_IPV6_IFADDR = 9,
    RTNLGRP_IPV6_ROUTE = 11,
    RTNLGRP_MAX = 36,
};

struct link_head { // struct ifinfomsg
    uint8_t family, unused;
    uint16_t type; // ARPHRD_*
    int32_t index;
    uint32_t flags, change; // IFF_*
};

enum link_attribute {
    IFLA_ADDRESS = 1,
    IFLA_BROADCAST = 2,
    IFLA_IFNAME = 3,
    IFLA_MTU = 4,
    IFLA_QDISC = 6,
    IFLA_STATS = 7,
    IFLA_TXQLEN = 13,
    IFLA_OPERSTATE = 16,
    IFLA_LINKMODE = 17,
    IFLA_STATS64 = 23,
    IFLA_GROUP = 27,
    IFLA_EXT_MASK = 29,
    IFLA_PROMISCUITY = 30,
    IFLA_NUM_TX_QUEUES = 31,
    IFLA_NUM_RX_QUEUES = 32,
    IFLA_CARRIER = 33,
    IFLA_CARRIER_CHANGES = 35,
    IFLA_PROTO_DOWN = 39,
    IFLA_MIN_MTU = 50,
    IFLA_MAX_MTU = 51,
    IFLA_ALT_IFNAME = 53,
};

enum { LINK_STATE_UNKNOWN = 0, LINK_STATE_DOWN = 2, LINK_STATE_UP = 6 }; // IF_OPER_*

enum { LINK_FIGURES = 24, LINK_FIGURES_SHORT = 23 };
// struct rtnl_link_stats64 and, of 32 bits, rtnl_link_stats
enum link_figure {
    LINK_RECEIVED,
    LINK_SENT,
    LINK_RECEIVED_BYTES,
    LINK_SENT_BYTES,
    LINK_RECEIVED_DROPPED = 6,
    LINK_SENT_DROPPED = 7,
    LINK_RECEIVED_NOHANDLER = 23,
};

struct address_head { // struct ifaddrmsg
    uint8_t family, bits, flags, scope;
    uint32_t index;
};

enum address_attribute {
    IFA_ADDRESS = 1,
    IFA_LOCAL = 2,
    IFA_LABEL = 3,
    IFA_BROADCAST = 4,
    IFA_CACHEINFO = 6,
    IFA_FLAGS = 8,
};

enum { IFA_F_DEPRECATED = 0x20, IFA_F_PERMANENT = 0x80 };
enum { LIFETIME_FOREVER = UINT32_MAX };

struct address_times {         // struct ifa_cacheinfo
    uint32_t preferred, valid; // seconds
    uint32_t made, changed;    // hundredths of one
};

struct route_head { // struct rtmsg
    uint8_t family, target_bits, source_bits, service;
    uint8_t table, protocol, scope, type;
    uint32_t flags;
};

enum route_attribute {
    RTA_DST = 1,
    RTA_SRC = 2,
    RTA_OIF = 4,
    RTA_GATEWAY = 5,
    RTA_PRIORITY = 6,
    RTA_PREFSRC = 7,
    RTA_MULTIPATH = 9,
    RTA_CACHEINFO = 12,
    RTA_TABLE = 15,
    RTA_PREF = 20,
    RTA_UID = 25,
};

enum { RT_TABLE_MAIN = 254, RT_TABLE_LOCAL = 255 };
enum { RT_SCOPE_UNIVERSE = 0, RT_SCOPE_LINK = 253, RT_SCOPE_HOST = 254 };
enum { RTN_UNICAST = 1, RTN_LOCAL = 2, RTN_BROADCAST = 3 };
enum { RTM_F_CLONED = 0x200 };
enum { ROUTE_IS_LOCAL = (int)0x80000000 }; // RTCF_LOCAL
enum { ROUTE_TIMES_SIZE = 32 };            // struct rta_cacheinfo

struct neighbour_head { // struct ndmsg
    uint8_t family, unused, unused2[2];
    int32_t index;
    uint16_t state;
    uint8_t flags, type;
};

enum { NDA_DST = 1, NDA_LLADDR = 2, NDA_PROBES = 4 };
enum {
    NUD_INCOMPLETE = 1,
    NUD_REACHABLE = 2,
    NUD_STALE = 4,
    NUD_DELAY = 8,
    NUD_PROBE = 16,
};

struct rule_head { // struct fib_rule_hdr
    uint8_t family, target_bits, source_bits, service;
    uint8_t table, unused[2], action;
    uint32_t flags;
};

enum { FRA_PRIORITY = 6, FRA_SUPPRESS_PREFIXLEN = 14, FRA_TABLE = 15, FRA_PROTOCOL = 21 };
enum { FR_ACT_TO_TBL = 1, RT_TABLE_DEFAULT = 253 };

// ---- sock_diag(7) ------------------------------------------------------------------------

enum { SOCK_DIAG_BY_FAMILY = 20 };

struct diag_ends { // struct inet_diag_sockid; ports and addresses in the network's order
    uint16_t local_port, remote_port;
    uint8_t local[16], remote[16];
    uint32_t index, cookie[2];
};

struct diag_request { // struct inet_diag_req_v2
    uint8_t family, protocol, extensions, unused;
    uint32_t states; // bit n: state n
    struct diag_ends id;
};

struct diag_head { // struct inet_diag_msg
    uint8_t family, state, timer, retries;
    struct diag_ends id;
    uint32_t expires, received, sent, uid, inode;
};

_Static_assert(sizeof(struct diag_request) == 56 && sizeof(struct diag_head) == 72, "inet_diag");

struct unix_request { // struct unix_diag_req
    uint8_t family, protocol;
    uint16_t unused;
    uint32_t states; // bit n: state n
    uint32_t inode;  // of a request for one
    uint32_t shows;  // bit n: the n-th of those attributes that are asked for
    uint32_t cookie[2];
};

struct unix_head { // struct unix_diag_msg
    uint8_t family, type, state, unused;
    uint32_t inode, cookie[2];
};

_Static_assert(sizeof(struct unix_request) == 24 && sizeof(struct unix_head) == 16, "unix_diag");

enum unix_attribute {
    UNIX_DIAG_NAME,
    UNIX_DIAG_VFS,
    UNIX_DIAG_PEER,
    UNIX_DIAG_ICONS,
    UNIX_DIAG_RQLEN,
    UNIX_DIAG_MEMINFO,
    UNIX_DIAG_SHUTDOWN,
    UNIX_DIAG_UID,
};

enum unix_shows {
    UDIAG_SHOW_NAME = 1,
    UDIAG_SHOW_VFS = 2,
    UDIAG_SHOW_PEER = 4,
    UDIAG_SHOW_ICONS = 8,
    UDIAG_SHOW_RQLEN = 16,
    UDIAG_SHOW_MEMINFO = 32,
    UDIAG_SHOW_UID = 64,
};

enum diag_attribute { // extensions are wanted by bit n - 1
    INET_DIAG_INFO = 2,
    INET_DIAG_CONG = 4,
    INET_DIAG_TOS = 5,
    INET_DIAG_SHUTDOWN = 8,
    INET_DIAG_SKV6ONLY = 11,
};

#endif
