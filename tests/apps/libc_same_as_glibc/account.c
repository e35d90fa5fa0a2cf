// SPDX-License-Identifier: BSD-3-Clause
// account.c: lines of users, groups and shadow files, read from texts and streams, and written.
#include <dlfcn.h>
#include <grp.h>
#include <gshadow.h>
#include <netdb.h>
#include <pwd.h>
#include <rpc/netdb.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>

#include "same.h"

static void shadow_show(const struct spwd *user)
{
    if (user == NULL) {
        puts("none");
        return;
    }
    printf("%s %s %ld %ld %ld %ld %ld %ld %lu\n", user->sp_namp, user->sp_pwdp, user->sp_lstchg,
           user->sp_min, user->sp_max, user->sp_warn, user->sp_inact, user->sp_expire,
           user->sp_flag);
}

static void list_show(char **list)
{
    while (*list != NULL) {
        printf(" <%s>", *list++);
    }
    puts("");
}

static FILE *text_open(const char *text)
{
    return fmemopen((char *)text, strlen(text), "r");
}

static void shadows(void)
{
    static const char *const lines[] = {"root:*:19000:0:99999:7:::",
                                        "u:x:::::::",
                                        "u:x:1:2:3",
                                        "u:x:1:2:3:4",
                                        "u:x:1:2:3:4:5:6:7",
                                        "u:x:1:2:3:4:5:6:",
                                        "u:x:a:2:3:4:5:6:7",
                                        "",
                                        "u",
                                        "u:x",
                                        "u:x:1:2:3:4:5:6:7:8",
                                        "#c:x:1:2:3:4:5:6:7",
                                        "u:x:1:2:3:4:5:6:7\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        shadow_show(sgetspent(lines[i]));
        FILE *stream = text_open(lines[i]);
        shadow_show(stream == NULL ? NULL : fgetspent(stream));
    }
    struct spwd user, *result;
    char buffer[20], large[1024];
    NUMBER(sgetspent_r("user-with-a-name:x:1:2:3:4:5:6:7", &user, buffer, sizeof buffer, &result));
    sgetspent_r("u:x:1:2:3:4:5:6:7", &user, buffer, sizeof buffer, &result);
    shadow_show(result);
    putspent(&user, stdout);
    shadow_show(getspnam("nobody-of-this-name"));
    NUMBER(getspnam_r("nobody-of-this-name", &user, large, sizeof large, &result) != 0);
}

static void shadow_groups(void)
{
    FILE *stream = text_open("# comment\n\n  g:!:a,b:c,d,e\nempty:::\nbad\nlast:x:,a,,b,:c");
    const struct sgrp *group;
    while ((group = fgetsgent(stream)) != NULL) {
        printf("%s %s\n", group->sg_namp, group->sg_passwd);
        list_show(group->sg_adm);
        list_show(group->sg_mem);
        NUMBER(putsgent(group, stdout));
    }
    group = sgetsgent("name:pw:one:two,three");
    list_show(group->sg_adm);
    list_show(group->sg_mem);
}

static void users_and_groups(void)
{
    FILE *stream = text_open("root:x:0:0:root,,:/root:/bin/sh\n# c\nbad\nu:p:a:b:c:d:e\n"
                             "long-enough-to-fail:x:1:2:a long field of text:/home:/bin/sh\n"
                             "last:x:4294967295:7:::");
    struct passwd user, *result;
    char buffer[48];
    char large[256];
    int error;
    for (int i = 0; i < 8; ++i) {
        error = fgetpwent_r(stream, &user, buffer, sizeof buffer, &result);
        printf("%d %s %u %u %s %s %s\n", error, error == 0 ? user.pw_name : "-",
               error == 0 ? user.pw_uid : 0, error == 0 ? user.pw_gid : 0,
               error == 0 ? user.pw_gecos : "-", error == 0 ? user.pw_dir : "-",
               error == 0 ? user.pw_shell : "-");
        if (error == ERANGE) {
            NUMBER(fgetpwent_r(stream, &user, large, sizeof large, &result));
            TEXT(user.pw_gecos);
        }
    }
    NUMBER(putpwent(&(struct passwd){"n", "p", 1, 2, "g", "d", "s"}, stdout));
    stream = text_open("g:x:5:a,b , c\nnone:x:6:\nshort:x:7\nbad:x\nlast:x:8:z");
    const struct group *group;
    while ((group = fgetgrent(stream)) != NULL) {
        printf("%s %s %u\n", group->gr_name, group->gr_passwd, group->gr_gid);
        list_show(group->gr_mem);
        NUMBER(putgrent(group, stdout));
    }
    int (*get_line)(uid_t, char *) = dlsym(RTLD_DEFAULT, "getpw"); // linkers warn of it
    NUMBER(get_line(0, large));
    TEXT(large);
    NUMBER(group_member(54321));
    gid_t groups[10];
    int count = 10;
    NUMBER(getgrouplist("root", 0, groups, &count));
    NUMBER(count);
    count = 0;
    NUMBER(getgrouplist("root", 0, groups, &count));
    NUMBER(count);
    NUMBER(getpwnam("daemon")->pw_uid);
    TEXT(getpwuid(1)->pw_name);
    NUMBER(getgrnam("daemon")->gr_gid);
    TEXT(getgrgid(1)->gr_name);
    RESULT(getpwnam("nobody-of-this-name") == NULL);
    RESULT(getgrgid_r(54321, &(struct group){0}, large, sizeof large, &(struct group *){NULL}));
    RESULT(getpwuid_r(0, &user, large, 5, &result));
    setpwent();
    TEXT(getpwent()->pw_name);
    TEXT(getpwent()->pw_name);
    NUMBER(getpwent_r(&user, large, sizeof large, &result));
    TEXT(user.pw_dir);
    endpwent();
    TEXT(getpwent()->pw_name);
    setgrent();
    TEXT(getgrent()->gr_name);
    NUMBER(getgrent_r(&(struct group){0}, large, 4, &(struct group *){NULL}));
    TEXT(getgrent()->gr_name);
}

static void rpcs(void)
{
    const struct rpcent *entry = getrpcbyname("portmapper");
    NUMBER(entry == NULL ? -1 : entry->r_number);
    entry = getrpcbynumber(100003);
    TEXT(entry == NULL ? NULL : entry->r_name);
    setrpcent(0);
    entry = getrpcent();
    TEXT(entry == NULL ? NULL : entry->r_name);
    endrpcent();
    char *host, *user, *domain;
    NUMBER(innetgr("group", "host", "user", "domain"));
    NUMBER(setnetgrent("group"));
    NUMBER(getnetgrent(&host, &user, &domain));
    endnetgrent();
}

void account_section(void)
{
    shadows();
    shadow_groups();
    users_and_groups();
    rpcs();
}
