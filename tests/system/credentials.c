// SPDX-License-Identifier: BSD-3-Clause
// credentials.c: ids of user and group, supplementary groups and capabilities, as the superuser and
// after giving that up. With "keep" some capabilities stay; in the folder that is given.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "show.h"

enum { USER = 1000, OTHER = 1001, GROUP = 2000, MEMBER = 2001 };

static int knows_members =
    1; // the machine's own files: the host knows no supplementary groups of ours

static void ids_show(const char *when)
{
    uid_t user[3];
    gid_t group[3];
    SHOW(getresuid(&user[0], &user[1], &user[2]));
    SHOW(getresgid(&group[0], &group[1], &group[2]));
    printf("%s: user %u %u %u files %d, group %u %u %u files %d, %u %u %u %u\n", when, user[0],
           user[1], user[2], setfsuid(-1), group[0], group[1], group[2], setfsgid(-1), getuid(),
           geteuid(), getgid(), getegid());
}

static void status_show(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "Uid:", 4) == 0 || strncmp(line, "Gid:", 4) == 0 ||
            strncmp(line, "Groups:", 7) == 0 || strncmp(line, "CapEff:", 7) == 0) {
            unsigned long sets;
            if (sscanf(line, "CapEff: %lx", &sets) == 1) {
                printf("effective: change users %lu\n", sets >> CAP_SETUID & 1);
            } else {
                printf("%s", line);
            }
        }
    }
    if (status != NULL) {
        fclose(status);
    }
}

// Of each set, whether it has CAP_SETUID, CAP_SETGID and CAP_CHOWN.
static void sets_show(const char *when)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    const uint32_t mask = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_CHOWN;
    SHOW(syscall(SYS_capget, &header, sets));
    printf("%s: effective %x permitted %x inheritable %x\n", when, sets[0].effective & mask,
           sets[0].permitted & mask, sets[0].inheritable & mask);
}

static long sets_set(uint32_t version, int id, uint32_t effective, uint32_t permitted,
                     uint32_t inheritable)
{
    struct __user_cap_header_struct header = {version, id};
    struct __user_cap_data_struct sets[2] = {{effective, permitted, inheritable}, {0, 0, 0}};
    return syscall(SYS_capset, &header, sets);
}

static void groups_try(void)
{
    const gid_t groups[3] = {MEMBER, 7, 8};
    gid_t list[8] = {0};
    SHOW(setgroups(3, groups));
    SHOW(getgroups(0, NULL));
    SHOW(getgroups(2, list));
    SHOW(getgroups(8, list));
    printf("%u %u %u\n", list[0], list[1], list[2]);
    SHOW(syscall(SYS_setgroups, 65537, groups));
    SHOW(syscall(SYS_setgroups, 2, 8));
    SHOW(syscall(SYS_setgroups, -1, groups));
    SHOW(syscall(SYS_getgroups, -1, list));
    SHOW(syscall(SYS_getgroups, 8, 8));
}

static void versions_try(void)
{
    struct __user_cap_header_struct header = {1, 0};
    struct __user_cap_data_struct sets[2];
    SHOW(syscall(SYS_capget, &header, sets));
    printf("version %x\n", header.version);
    header.version = 1;
    SHOW(syscall(SYS_capget, &header, NULL));
    header.pid = -1;
    SHOW(syscall(SYS_capget, &header, sets));
    header.pid = 4000000;
    SHOW(syscall(SYS_capget, &header, sets));
    SHOW(syscall(SYS_capset, &header, sets));
    SHOW(syscall(SYS_capget, 8, sets));
    SHOW(sets_set(1, 0, 0, 0, 0));
}

static void control_try(void)
{
    SHOW(prctl(PR_CAPBSET_READ, CAP_SETUID));
    SHOW(prctl(PR_CAPBSET_READ, 1000));
    SHOW(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
    SHOW(prctl(PR_CAPBSET_DROP, 1000));
    SHOW(prctl(PR_CAPBSET_READ, CAP_CHOWN));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETUID, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SETUID, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, 9, CAP_SETUID, 0, 0));
    SHOW(prctl(PR_SET_KEEPCAPS, 2));
    SHOW(prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_GET_SECUREBITS));
}

static void file_make(const char *name, mode_t mode, gid_t group)
{
    int file = open(name, O_CREAT | O_WRONLY, 0600);
    SHOW(write(file, "x", 1));
    SHOW(fchown(file, 0, group));
    SHOW(fchmod(file, mode));
    close(file);
}

static void open_try(const char *name, int flags)
{
    int file = open(name, flags, 0644);
    printf("%s %#x: ", name, (unsigned)flags);
    SHOW_OK(file);
    struct stat status;
    if (file >= 0 && (flags & O_CREAT) != 0 && fstat(file, &status) == 0) {
        printf("of %u, group %u\n", status.st_uid, status.st_gid);
    }
    close(file);
}

static void files_try(void)
{
    open_try("secret", O_RDONLY);
    open_try("secret", O_RDWR);
    if (knows_members) {
        open_try("members", O_RDONLY);
        open_try("members", O_WRONLY);
    }
    open_try("public", O_RDONLY);
    open_try("public", O_WRONLY);
    open_try("made", O_CREAT | O_RDWR);
    open_try("closed/file", O_RDONLY);
    SHOW(chown("public", USER, -1));
    SHOW(chown("public", -1, MEMBER));
    SHOW(chmod("public", 0777));
    SHOW(unlink("made"));
}

static void steps(void)
{
    SHOW(setresuid(-1, USER, -1));
    ids_show("effective user");
    sets_show("effective user");
    files_try();
    SHOW(setgroups(0, NULL));
    SHOW(setgid(3));
    SHOW(setresuid(-1, 0, -1));
    sets_show("back");
    SHOW(setfsuid(USER));
    ids_show("files' user");
    open_try("secret", O_RDONLY);
    SHOW(setfsuid(0));
    open_try("secret", O_RDONLY);
    SHOW(setreuid(USER, -1));
    ids_show("real user");
    SHOW(setreuid(-1, OTHER));
    ids_show("other effective user");
    SHOW(setreuid(OTHER, USER));
    ids_show("swapped");
    SHOW(setuid(0));
    SHOW(seteuid(0));
    ids_show("stays");
}

// The last of the superuser, who may keep the sets.
static void end_as_user(void)
{
    SHOW(setregid(GROUP, GROUP));
    ids_show("group");
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    SHOW(setuid(USER));
    ids_show("user");
    sets_show("kept");
    SHOW(sets_set(_LINUX_CAPABILITY_VERSION_3, 0, 1u << CAP_SETGID, 1u << CAP_SETGID, 0));
    SHOW(sets_set(_LINUX_CAPABILITY_VERSION_3, 0, 1u << CAP_SETUID, 1u << CAP_SETUID, 0));
    SHOW(sets_set(_LINUX_CAPABILITY_VERSION_3, 0, 0, 1u << CAP_SETGID, 1u << CAP_SETGID));
    SHOW(sets_set(_LINUX_CAPABILITY_VERSION_3, 1, 0, 0, 0));
    SHOW(setgid(OTHER));
    SHOW(sets_set(_LINUX_CAPABILITY_VERSION_3, 0, 1u << CAP_SETGID, 1u << CAP_SETGID, 0));
    SHOW(setgid(OTHER));
    ids_show("with one capability");
    SHOW(setuid(0));
    SHOW(setuid(-1));
    SHOW(setgid(-1));
    struct rlimit limit = {20, 8192};
    SHOW(setrlimit(RLIMIT_CORE, &limit));
    limit.rlim_max = 9000;
    SHOW(setrlimit(RLIMIT_CORE, &limit));
    files_try();
    status_show();
}

// What is said of a new socket, and of what is sent by it.
static void socket_try(void)
{
    int pair[2];
    struct ucred peer;
    socklen_t size = sizeof peer;
    const int on = 1;
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &size);
    printf("  the peer: %d %d, ours %d\n", peer.uid, peer.gid, peer.pid == getpid());
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    send(pair[0], "x", 1, 0);
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof peer)];
    } control;
    char data[1];
    struct iovec part = {data, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    recvmsg(pair[1], &message, 0);
    memcpy(&peer, CMSG_DATA(&control.head), sizeof peer);
    printf("  the sender: %d %d, ours %d\n", peer.uid, peer.gid, peer.pid == getpid());
    for (unsigned id = 1000; id < 1005; ++id) {
        peer.uid = id;
        memcpy(CMSG_DATA(&control.head), &peer, sizeof peer);
        SHOW(sendmsg(pair[0], &message, 0));
    }
    close(pair[0]);
    close(pair[1]);
}

// Files without a name. The last of three streams is what was accepted.
enum { PIPE, NETLINK = 2, INET, LOCAL = 6, NAMELESS = 9 };

static void streams_make(int domain, int files[2])
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)domain};
    socklen_t size = domain == AF_UNIX ? sizeof(sa_family_t) : sizeof(struct sockaddr_in);
    files[0] = socket(domain, SOCK_STREAM, 0);
    files[1] = socket(domain, SOCK_STREAM, 0);
    bind(files[0], (struct sockaddr *)&address, size);
    listen(files[0], 1);
    size = sizeof address;
    getsockname(files[0], (struct sockaddr *)&address, &size);
    SHOW(connect(files[1], (struct sockaddr *)&address, size));
}

static void nameless_make(int files[NAMELESS])
{
    pipe(files + PIPE);
    files[NETLINK] = socket(AF_NETLINK, SOCK_RAW, 0);
    streams_make(AF_INET, files + INET);
    streams_make(AF_UNIX, files + LOCAL);
}

static void nameless_show(const int files[NAMELESS])
{
    struct stat status[NAMELESS];
    int same_count = 0;
    for (int i = 0; i < NAMELESS; ++i) {
        fstat(files[i], &status[i]);
        printf("  file %d: %o of %u %u, changed %d, accessed %d %d\n", i, status[i].st_mode,
               status[i].st_uid, status[i].st_gid, status[i].st_ctime != 0, status[i].st_atime != 0,
               status[i].st_atim.tv_nsec == 5);
        for (int k = 0; k < i; ++k) {
            same_count += status[k].st_ino == status[i].st_ino;
        }
    }
    printf("  with one number: %d\n", same_count); // a pipe's ends
}

static void nameless_change(int file)
{
    const struct timespec times[2] = {{1000, 5}, {0, UTIME_OMIT}};
    const int mode = fchmod(file, 0640), group = fchown(file, -1, MEMBER);
    const int user = fchown(file, USER, -1), time = futimens(file, times);
    printf("  changed: %d %d %d %d\n", mode, group, user, time);
}

// Some are another's than who accepts and changes.
static void nameless_try(void)
{
    int files[NAMELESS];
    nameless_make(files);
    setfsuid(USER);
    setfsgid(GROUP);
    files[INET + 2] = accept(files[INET], NULL, NULL);
    files[LOCAL + 2] = accept(files[LOCAL], NULL, NULL);
    nameless_show(files);
    for (int i = 0; i < NAMELESS; i += 2) {
        nameless_change(files[i]);
    }
    setfsuid(0);
    setfsgid(0);
    nameless_show(files);
    for (int i = 0; i < NAMELESS; ++i) {
        nameless_change(files[i]);
    }
    nameless_show(files);
    for (int i = 0; i < NAMELESS; ++i) {
        close(files[i]);
    }
}

static void sockets(void)
{
    nameless_try();
    socket_try();
    SHOW(setresgid(2000, 2001, 2002));
    SHOW(setresuid(1000, 1001, 1002));
    socket_try();
    setfsuid(1000);
    setfsgid(2000);
    socket_try();
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "", *folder = argc > 2 ? argv[2] : "/tmp";
    setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(way, "sockets") == 0) {
        sockets();
        return 0;
    }
    if (chdir(folder) != 0) {
        perror(folder);
        return 1;
    }
    knows_members = strcmp(folder, ".") != 0;
    SHOW(chmod(".", 0777));
    SHOW(mkdir("closed", 0700));
    ids_show("at first");
    sets_show("at first");
    groups_try();
    versions_try();
    file_make("secret", 0600, 0);
    file_make("members", 0640, MEMBER);
    file_make("public", 0644, 0);
    control_try();
    if (strcmp(way, "keep") == 0) {
        end_as_user();
    } else {
        steps();
    }
    return 0;
}
