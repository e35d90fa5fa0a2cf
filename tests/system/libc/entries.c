// SPDX-License-Identifier: BSD-3-Clause
// entries.c: users, groups, services, protocols and networks of /etc, all and single ones.
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

static void names_show(char *const *names)
{
    while (*names != NULL) {
        printf(" %s", *names++);
    }
    putchar('\n');
}

static void service_show(const struct servent *entry)
{
    if (entry == NULL) {
        puts("no service");
        return;
    }
    printf("%s %d/%s", entry->s_name, ntohs((uint16_t)entry->s_port), entry->s_proto);
    names_show(entry->s_aliases);
}

static void protocol_show(const struct protoent *entry)
{
    if (entry == NULL) {
        puts("no protocol");
        return;
    }
    printf("%s %d", entry->p_name, entry->p_proto);
    names_show(entry->p_aliases);
}

static void network_show(const struct netent *entry)
{
    if (entry == NULL) {
        puts("no network");
        return;
    }
    printf("%s %x %d", entry->n_name, entry->n_net, entry->n_addrtype);
    names_show(entry->n_aliases);
}

static void users(void)
{
    struct passwd entry, *user;
    struct group group, *found;
    char buffer[4096];
    int error;
    setpwent();
    printf("%d ", getpwent_r(&entry, buffer, 3, &user));
    printf("%d\n", user == NULL);
    while ((error = getpwent_r(&entry, buffer, sizeof buffer, &user)) == 0) {
        printf("%s:%s:%u:%u:%s:%s:%s\n", user->pw_name, user->pw_passwd, user->pw_uid, user->pw_gid,
               user->pw_gecos, user->pw_dir, user->pw_shell);
    }
    printf("%d\n", error);
    endpwent();
    setgrent();
    printf("%d\n", getgrent_r(&group, buffer, 9, &found));
    while ((error = getgrent_r(&group, buffer, sizeof buffer, &found)) == 0) {
        printf("%s:%s:%u", found->gr_name, found->gr_passwd, found->gr_gid);
        names_show(found->gr_mem);
    }
    printf("%d\n", error);
    endgrent();
    printf("%d %d\n", getpwnam("nobody") != NULL, getpwnam("no-such-user") == NULL);
}

int main(void)
{
    struct servent service, *found;
    struct protoent protocol, *kind;
    struct netent network, *net;
    char buffer[512];
    int error, lines = 0, host_error = 0;
    users();
    setservent(1);
    for (struct servent *next; (next = getservent()) != NULL; ++lines) {
        service_show(next);
    }
    printf("%d\n", lines);
    endservent();
    service_show(getservbyname("http", NULL));
    service_show(getservbyname("domain", "udp"));
    service_show(getservbyname("www", "tcp"));
    service_show(getservbyname("none", NULL));
    service_show(getservbyport(htons(22), NULL));
    service_show(getservbyport(htons(53), "udp"));
    service_show(getservbyport(htons(1), "none"));
    error = getservbyname_r("https", "tcp", &service, buffer, sizeof buffer, &found);
    printf("%d ", error);
    service_show(found);
    error = getservbyname_r("https", "tcp", &service, buffer, 5, &found);
    printf("%d ", error);
    service_show(found);
    setservent(0);
    error = getservent_r(&service, buffer, sizeof buffer, &found);
    printf("%d ", error);
    service_show(found);
    endservent();
    for (struct protoent *next; (next = getprotoent()) != NULL;) {
        protocol_show(next);
    }
    endprotoent();
    protocol_show(getprotobyname("tcp"));
    protocol_show(getprotobyname("UDP"));
    protocol_show(getprotobyname("none"));
    protocol_show(getprotobynumber(1));
    protocol_show(getprotobynumber(250));
    error = getprotobynumber_r(17, &protocol, buffer, sizeof buffer, &kind);
    printf("%d ", error);
    protocol_show(kind);
    error = getprotobyname_r("tcp", &protocol, buffer, 4, &kind);
    printf("%d ", error);
    protocol_show(kind);
    for (struct netent *next; (next = getnetent()) != NULL;) {
        network_show(next);
    }
    endnetent();
    error = getnetent_r(&network, buffer, sizeof buffer, &net, &host_error);
    printf("%d ", error);
    network_show(net);
    network_show(getnetbyname("loopback"));
    network_show(getnetbyname("none"));
    return 0;
}
