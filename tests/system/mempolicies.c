// SPDX-License-Identifier: BSD-3-Clause
// mempolicies.c: set_mempolicy and its kin, of a machine with one node, as all of ours and most
// others have.
#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, HOME = 450, OTHERS = 2, NOWHERE = 1 << 20 };

typedef unsigned long mask;

static const int modes[] = {
    MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, 5, 99, -1};
static const int flags[] = {0, MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES,
                            MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, 1 << 13};
static const mask masks[] = {0, 1, OTHERS, 1 | OTHERS};

static void show(const char *what, long result)
{
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "0");
}

static void get(const char *what, void *va, unsigned long how)
{
    int mode = -1;
    mask nodes[2] = {77, 77};
    long result = syscall(SYS_get_mempolicy, &mode, nodes, 128, va, how);
    if (result < 0) {
        printf("%s: %s\n", what, strerror(errno));
    } else {
        printf("%s: mode %x, nodes %lx %lx\n", what, (unsigned)mode, nodes[0], nodes[1]);
    }
}

#define EACH(list, i) for (size_t i = 0; i < sizeof(list) / sizeof(list)[0]; ++i)

static void of_thread(void)
{
    EACH(modes, i)
    {
        EACH(flags, j)
        {
            EACH(masks, k)
            {
                if (flags[j] == 1 << 13 && (modes[i] == 5 || masks[k] > 1)) {
                    continue; // younger kernels of Linux differ from older ones
                }
                syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
                printf("mode %d %x of %lx: ", modes[i], (unsigned)flags[j], masks[k]);
                show("set", syscall(SYS_set_mempolicy, modes[i] | flags[j], &masks[k], 64));
                get("  is", NULL, 0);
            }
        }
    }
    mask far[3] = {1, 0, 0};
    show("many bits", syscall(SYS_set_mempolicy, MPOL_BIND, far, 190));
    show("too many bits", syscall(SYS_set_mempolicy, MPOL_BIND, far, 8 * PAGE + 2));
    show("bits -1", syscall(SYS_set_mempolicy, MPOL_BIND, far, 0));
    show("no bit", syscall(SYS_set_mempolicy, MPOL_BIND, far, 1));
    show("one bit", syscall(SYS_set_mempolicy, MPOL_BIND, far, 2));
    show("nowhere", syscall(SYS_set_mempolicy, MPOL_BIND, (void *)1, 64));
    show("no mask", syscall(SYS_set_mempolicy, MPOL_BIND, NULL, 64));
    show("no mask, preferred", syscall(SYS_set_mempolicy, MPOL_PREFERRED, NULL, 0));
}

static void *child(void *argument)
{
    get(argument, NULL, 0);
    return NULL;
}

static void asked(void)
{
    int local = 0;
    mask one = 1, nodes = 0;
    syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, &one, 64);
    pthread_t thread;
    pthread_create(&thread, NULL, child, "a new thread's");
    pthread_join(thread, NULL);
    get("the next node", NULL, MPOL_F_NODE);
    get("allowed", NULL, MPOL_F_MEMS_ALLOWED);
    get("allowed where", NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE);
    get("an address without", &local, 0);
    get("of an address", &local, MPOL_F_ADDR);
    get("node of an address", &local, MPOL_F_ADDR | MPOL_F_NODE);
    get("nowhere", (void *)1, MPOL_F_ADDR);
    get("what", NULL, 8);
    show("no bits", syscall(SYS_get_mempolicy, NULL, &nodes, 0, NULL, 0));
    show("too few of a mask", syscall(SYS_get_mempolicy, NULL, &nodes, 1, NULL, 0));
    show("nothing", syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0));
    show("to nowhere", syscall(SYS_get_mempolicy, (void *)1, NULL, 0, NULL, 0));
    show("mask to nowhere", syscall(SYS_get_mempolicy, NULL, (void *)1, 64, NULL, 0));
    syscall(SYS_set_mempolicy, MPOL_BIND, &one, 64);
    get("the next node of none", NULL, MPOL_F_NODE);
    syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
}

static void of_mappings(void)
{
    mask one = 1, other = OTHERS;
    char *va = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(va + 6 * PAGE, PAGE);
    show("bind", syscall(SYS_mbind, va + PAGE, 3 * PAGE, MPOL_BIND, &one, 64, 0));
    for (int i = 0; i < 6; ++i) {
        get("page", va + i * PAGE + 5, MPOL_F_ADDR);
    }
    show("other nodes", syscall(SYS_mbind, va, PAGE, MPOL_BIND, &other, 64, 0));
    show("beyond a hole", syscall(SYS_mbind, va, 8 * PAGE, MPOL_INTERLEAVE, &one, 64, 0));
    get("unchanged", va, MPOL_F_ADDR);
    show("within a page", syscall(SYS_mbind, va + 1, PAGE, MPOL_BIND, &one, 64, 0));
    show("part of a page", syscall(SYS_mbind, va, 1, MPOL_INTERLEAVE, &one, 64, 0));
    get("all of it", va, MPOL_F_ADDR);
    show("nothing", syscall(SYS_mbind, va, 0, MPOL_BIND, NULL, 0, 0));
    show("round", syscall(SYS_mbind, va, -2 * PAGE, MPOL_BIND, &one, 64, 0));
    show("wrong flags", syscall(SYS_mbind, va, PAGE, MPOL_BIND, &one, 64, 8));
    show("strictly", syscall(SYS_mbind, va, PAGE, MPOL_BIND, &one, 64, MPOL_MF_STRICT));
    show("moving", syscall(SYS_mbind, va, PAGE, MPOL_BIND, &one, 64, MPOL_MF_MOVE));
    show("home of bound ones", syscall(HOME, va + PAGE, PAGE, 0, 0));
    show("home of none", syscall(HOME, va + 5 * PAGE, PAGE, 0, 0));
    show("interleave", syscall(SYS_mbind, va, PAGE, MPOL_INTERLEAVE, &one, 64, 0));
    show("home of others", syscall(HOME, va, PAGE, 0, 0));
    show("home is where", syscall(HOME, va + PAGE, PAGE, 1, 0));
    show("home with flags", syscall(HOME, va + PAGE, PAGE, 0, 1));
    show("home of nothing", syscall(HOME, va + PAGE, 0, 0, 0));
    show("default", syscall(SYS_mbind, va, 6 * PAGE, MPOL_DEFAULT, NULL, 0, 0));
    get("as at first", va + PAGE, MPOL_F_ADDR);
    syscall(SYS_mbind, va, 2 * PAGE, MPOL_BIND, &one, 64, 0);
    munmap(va, 2 * PAGE);
    mmap(va, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    get("another in its place", va, MPOL_F_ADDR);
    munmap(va, 8 * PAGE);
}

static void statuses(const char *what, long result, const int *status, int count)
{
    show(what, result);
    for (int i = 0; i < count; ++i) {
        printf(" %d", status[i]);
    }
    printf("\n");
}

static void moved(void)
{
    char *va = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    madvise(va, 2 << 20, MADV_NOHUGEPAGE);
    va[0] = 1;
    void *pages[3] = {va + 5, va + (1 << 20), NULL};
    int nodes[3] = {0, 0, 0}, wrong[1] = {9}, less[1] = {-1}, status[3] = {99, 99, 99};
    statuses("where", syscall(SYS_move_pages, 0, 3, pages, NULL, status, 0), status, 3);
    statuses("move", syscall(SYS_move_pages, 0, 3, pages, nodes, status, MPOL_MF_MOVE), status, 3);
    show("to no node", syscall(SYS_move_pages, 0, 1, pages, wrong, status, MPOL_MF_MOVE));
    show("to less", syscall(SYS_move_pages, 0, 1, pages, less, status, MPOL_MF_MOVE));
    show("nobody's", syscall(SYS_move_pages, NOWHERE * 4, 1, pages, NULL, status, 0));
    show("how", syscall(SYS_move_pages, 0, 1, pages, NULL, status, 1));
    show("none", syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0));
    show("from nowhere", syscall(SYS_move_pages, 0, 1, (void *)1, NULL, status, 0));
    show("to nowhere", syscall(SYS_move_pages, 0, 1, pages, NULL, (void *)1, 0));
    mask one = 1, other = OTHERS, none = 0;
    show("all", syscall(SYS_migrate_pages, 0, 64, &one, &one));
    show("nobody", syscall(SYS_migrate_pages, NOWHERE * 4, 64, &one, &one));
    show("to none", syscall(SYS_migrate_pages, 0, 64, &one, &none));
    show("from another", syscall(SYS_migrate_pages, 0, 64, &other, &one));
    show("from where", syscall(SYS_migrate_pages, 0, 64, (void *)1, &one));
    munmap(va, 2 << 20);
}

int main(void)
{
    of_thread();
    asked();
    of_mappings();
    moved();
    return 0;
}
