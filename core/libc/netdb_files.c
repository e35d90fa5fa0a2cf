// SPDX-License-Identifier: BSD-3-Clause
// netdb_files.c: /etc/services, /etc/protocols, /etc/networks and /etc/rpc as glibc's "files" reads
// them: one entry by name or number, or all of them one after the other.
//
// A line is a name, a value and other names. Each kind of entry is one way to read the value.
// Invariant: a line that does not fit the caller's buffer is read again by the next call.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/sync/mutex.h"

enum { BUFFER_SIZE = 1024, BUFFER_MAX = 1 << 20, ALIASES_MAX = 64 };
enum { FAILED_INTERNALLY = -1 }; // h_errno: errno says why

struct line {
    char *name, *value, **aliases;
};

// What the three databases differ in. entry: struct servent, protoent or netent.
struct database {
    const char *path;
    bool (*set)(void *entry, const struct line *line); // false: the line is none
    struct mutex guard;                                // of the walk's state, below
    FILE *walk;
    char *buffer; // of the walk that is not _r, and of look-ups that are not
    size_t size;
};

// What is looked for: NULL or -1 for anything.
struct wanted {
    const char *name, *protocol;
    int number;
};

static bool service_set(void *entry, const struct line *line)
{
    struct servent *service = entry;
    char *slash;
    unsigned long port = strtoul(line->value, &slash, 10);
    if (slash == line->value || *slash != '/' || slash[1] == '\0') {
        return false;
    }
    *service = (struct servent){line->name, line->aliases, htons((uint16_t)port), slash + 1};
    return true;
}

static bool protocol_set(void *entry, const struct line *line)
{
    struct protoent *protocol = entry;
    char *end;
    unsigned long number = strtoul(line->value, &end, 10);
    *protocol = (struct protoent){line->name, line->aliases, (int)number};
    return end != line->value && *end == '\0';
}

static bool network_set(void *entry, const struct line *line)
{
    struct netent *network = entry;
    uint32_t number = inet_network(line->value);
    *network = (struct netent){line->name, line->aliases, AF_INET, number};
    return number != UINT32_MAX;
}

struct rpcent { // glibc's, of <rpc/netdb.h>: as a protocol's
    char *r_name, **r_aliases;
    int r_number;
};

_Static_assert(sizeof(struct rpcent) == sizeof(struct protoent), "struct rpcent");

static struct database services = {.path = "/etc/services", .set = service_set};
static struct database protocols = {.path = "/etc/protocols", .set = protocol_set};
static struct database networks = {.path = "/etc/networks", .set = network_set};
static struct database rpcs = {.path = "/etc/rpc", .set = protocol_set};

// The fields of the text, which is in the buffer, with room for the aliases behind it. 0, ERANGE,
// ENOENT: nothing on the line.
static int line_split(char *text, char *buffer_end, struct line *line)
{
    char *rest, *words[ALIASES_MAX];
    size_t count = 0;
    text[strcspn(text, "#\n")] = '\0';
    char *behind = text + strlen(text) + 1;
    line->name = strtok_r(text, " \t", &rest);
    line->value = line->name == NULL ? NULL : strtok_r(NULL, " \t", &rest);
    if (line->value == NULL) {
        return ENOENT;
    }
    while (count < ALIASES_MAX && (words[count] = strtok_r(NULL, " \t", &rest)) != NULL) {
        ++count;
    }
    uintptr_t at = ((uintptr_t)behind + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);
    if (at + (count + 1) * sizeof(char *) > (uintptr_t)buffer_end) {
        return ERANGE;
    }
    line->aliases = (char **)at;
    memcpy(line->aliases, words, count * sizeof *words);
    line->aliases[count] = NULL;
    return 0;
}

// The next entry of the file: 0, ERANGE, or ENOENT at the end.
static int entry_read(const struct database *database, FILE *file, void *entry, char *buffer,
                      size_t size)
{
    for (;;) {
        long start = ftell(file);
        struct line line;
        if (size < 2 || fgets(buffer, size > INT32_MAX ? INT32_MAX : (int)size, file) == NULL) {
            return size < 2 ? ERANGE : ENOENT;
        }
        bool is_whole = strchr(buffer, '\n') != NULL || feof(file);
        int error = is_whole ? line_split(buffer, buffer + size, &line) : ERANGE;
        if (error == ERANGE) {
            fseek(file, start, SEEK_SET);
            return ERANGE;
        }
        if (error == 0 && database->set(entry, &line)) {
            return 0;
        }
    }
}

static bool name_matches(const char *wanted, const char *name, char *const *aliases)
{
    if (strcmp(wanted, name) == 0) {
        return true;
    }
    while (*aliases != NULL && strcmp(wanted, *aliases) != 0) {
        ++aliases;
    }
    return *aliases != NULL;
}

static bool matches(const struct database *database, const void *entry, const struct wanted *wanted)
{
    const struct servent *service = entry; // all begin with name and aliases
    int number = service->s_port;
    if (database == &protocols || database == &rpcs) {
        number = ((const struct protoent *)entry)->p_proto;
    } else if (database == &networks) {
        number = (int)((const struct netent *)entry)->n_net;
    }
    if (wanted->protocol != NULL && strcmp(wanted->protocol, service->s_proto) != 0) {
        return false;
    }
    return wanted->name != NULL ? name_matches(wanted->name, service->s_name, service->s_aliases)
                                : number == wanted->number;
}

// 0 or an error number, ENOENT where there is no file; *found: entry, or NULL where there is none.
static int find(const struct database *database, const struct wanted *wanted, void *entry,
                char *buffer, size_t size, void **found)
{
    FILE *file = fopen(database->path, "re");
    int error;
    *found = NULL;
    if (file == NULL) {
        return ENOENT;
    }
    while ((error = entry_read(database, file, entry, buffer, size)) == 0 &&
           !matches(database, entry, wanted)) {
    }
    fclose(file);
    *found = error == 0 ? entry : NULL;
    return error == ENOENT ? 0 : error;
}

// The next entry of the database's walk. 0, ENOENT, ERANGE or another error number.
static int walk_next(struct database *database, void *entry, char *buffer, size_t size,
                     void **found)
{
    mutex_lock(&database->guard);
    if (database->walk == NULL) {
        database->walk = fopen(database->path, "re");
    }
    int error =
        database->walk == NULL ? ENOENT : entry_read(database, database->walk, entry, buffer, size);
    mutex_unlock(&database->guard);
    *found = error == 0 ? entry : NULL;
    return error;
}

static void walk_end(struct database *database)
{
    mutex_lock(&database->guard);
    if (database->walk != NULL) {
        fclose(database->walk);
        database->walk = NULL;
    }
    mutex_unlock(&database->guard);
}

// The forms with a result of their own: wanted NULL: the walk's next.
static void *static_find(struct database *database, const struct wanted *wanted, void *entry)
{
    void *found = NULL;
    for (;;) {
        int error = ERANGE;
        if (database->buffer != NULL) {
            error = wanted == NULL
                        ? walk_next(database, entry, database->buffer, database->size, &found)
                        : find(database, wanted, entry, database->buffer, database->size, &found);
        }
        if (error != ERANGE || database->size >= BUFFER_MAX) {
            return found;
        }
        size_t size = database->size == 0 ? BUFFER_SIZE : 2 * database->size;
        char *buffer = libc_realloc(database->buffer, size);
        if (buffer == NULL) {
            return NULL;
        }
        database->buffer = buffer;
        database->size = size;
    }
}

// The walks: set, next, next_r, end. What glibc's set takes, whether to keep the file open, does
// not matter here.
#define WALK(noun, type, database)                                                                 \
    EXPORT(void, set##noun##ent, int stays_open)                                                   \
    {                                                                                              \
        walk_end(&(database));                                                                     \
    }                                                                                              \
    EXPORT(void, end##noun##ent, void)                                                             \
    {                                                                                              \
        walk_end(&(database));                                                                     \
    }                                                                                              \
    static struct type noun##_entry;                                                               \
    EXPORT(struct type *, get##noun##ent, void)                                                    \
    {                                                                                              \
        return static_find(&(database), NULL, &noun##_entry);                                      \
    }

WALK(serv, servent, services)
WALK(proto, protoent, protocols)
WALK(net, netent, networks)
WALK(rpc, rpcent, rpcs)

EXPORT(int, getservent_r, struct servent *entry, char *buffer, size_t size, struct servent **result)
{
    return walk_next(&services, entry, buffer, size, (void **)result);
}

EXPORT(int, getprotoent_r, struct protoent *entry, char *buffer, size_t size,
       struct protoent **result)
{
    return walk_next(&protocols, entry, buffer, size, (void **)result);
}

EXPORT(int, getservbyname_r, const char *name, const char *protocol, struct servent *entry,
       char *buffer, size_t size, struct servent **result)
{
    struct wanted wanted = {name, protocol, -1};
    return find(&services, &wanted, entry, buffer, size, (void **)result);
}

EXPORT(int, getservbyport_r, int port, const char *protocol, struct servent *entry, char *buffer,
       size_t size, struct servent **result)
{
    struct wanted wanted = {NULL, protocol, port};
    return find(&services, &wanted, entry, buffer, size, (void **)result);
}

EXPORT(struct servent *, getservbyname, const char *name, const char *protocol)
{
    struct wanted wanted = {name, protocol, -1};
    return static_find(&services, &wanted, &serv_entry);
}

EXPORT(struct servent *, getservbyport, int port, const char *protocol)
{
    struct wanted wanted = {NULL, protocol, port};
    return static_find(&services, &wanted, &serv_entry);
}

EXPORT(int, getprotobyname_r, const char *name, struct protoent *entry, char *buffer, size_t size,
       struct protoent **result)
{
    struct wanted wanted = {name, NULL, -1};
    return find(&protocols, &wanted, entry, buffer, size, (void **)result);
}

EXPORT(int, getprotobynumber_r, int number, struct protoent *entry, char *buffer, size_t size,
       struct protoent **result)
{
    struct wanted wanted = {NULL, NULL, number};
    return find(&protocols, &wanted, entry, buffer, size, (void **)result);
}

EXPORT(struct protoent *, getprotobyname, const char *name)
{
    struct wanted wanted = {name, NULL, -1};
    return static_find(&protocols, &wanted, &proto_entry);
}

EXPORT(struct protoent *, getprotobynumber, int number)
{
    struct wanted wanted = {NULL, NULL, number};
    return static_find(&protocols, &wanted, &proto_entry);
}

EXPORT(int, getrpcent_r, struct rpcent *entry, char *buffer, size_t size, struct rpcent **result)
{
    return walk_next(&rpcs, entry, buffer, size, (void **)result);
}

EXPORT(int, getrpcbyname_r, const char *name, struct rpcent *entry, char *buffer, size_t size,
       struct rpcent **result)
{
    struct wanted wanted = {name, NULL, -1};
    return find(&rpcs, &wanted, entry, buffer, size, (void **)result);
}

EXPORT(int, getrpcbynumber_r, int number, struct rpcent *entry, char *buffer, size_t size,
       struct rpcent **result)
{
    struct wanted wanted = {NULL, NULL, number};
    return find(&rpcs, &wanted, entry, buffer, size, (void **)result);
}

EXPORT(struct rpcent *, getrpcbyname, const char *name)
{
    struct wanted wanted = {name, NULL, -1};
    return static_find(&rpcs, &wanted, &rpc_entry);
}

EXPORT(struct rpcent *, getrpcbynumber, int number)
{
    struct wanted wanted = {NULL, NULL, number};
    return static_find(&rpcs, &wanted, &rpc_entry);
}

EXPORT(struct netent *, getnetbyname, const char *name)
{
    struct wanted wanted = {name, NULL, -1};
    return static_find(&networks, &wanted, &net_entry);
}

EXPORT(struct netent *, getnetbyaddr, uint32_t number, int type)
{
    struct wanted wanted = {NULL, NULL, (int)number};
    return static_find(&networks, &wanted, &net_entry);
}

// Networks' _r forms tell h_errno too.
static int network_result(int error, const void *found, int *host_error)
{
    if (found == NULL) {
        *host_error = error == ERANGE ? FAILED_INTERNALLY : HOST_NOT_FOUND;
    }
    return error;
}

EXPORT(int, getnetent_r, struct netent *entry, char *buffer, size_t size, struct netent **result,
       int *host_error)
{
    int error = walk_next(&networks, entry, buffer, size, (void **)result);
    return network_result(error, *result, host_error);
}

EXPORT(int, getnetbyname_r, const char *name, struct netent *entry, char *buffer, size_t size,
       struct netent **result, int *host_error)
{
    struct wanted wanted = {name, NULL, -1};
    int error = find(&networks, &wanted, entry, buffer, size, (void **)result);
    return network_result(error, *result, host_error);
}

EXPORT(int, getnetbyaddr_r, uint32_t number, int type, struct netent *entry, char *buffer,
       size_t size, struct netent **result, int *host_error)
{
    struct wanted wanted = {NULL, NULL, (int)number};
    int error = find(&networks, &wanted, entry, buffer, size, (void **)result);
    return network_result(error, *result, host_error);
}
