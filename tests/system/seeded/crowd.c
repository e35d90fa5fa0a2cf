// SPDX-License-Identifier: BSD-3-Clause
// crowd.c: threads that meet in the same files, in each of the ways that change one, and check what
// must hold. A wrong result ends it with a line; what hangs, and races, are seen from outside.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 12, RECORD = 100, PAGE = 4096 };

static char folder[] = "/tmp/crowd-XXXXXX";

static void check(int condition, const char *what)
{
    if (!condition) {
        printf("wrong: %s (%s)\n", what, strerror(errno));
        fflush(stdout);
        _exit(1);
    }
}

static void run_all(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; ++i) {
        check(pthread_create(&threads[i], NULL, body, (void *)i) == 0, "a thread starts");
    }
    for (int i = 0; i < THREADS; ++i) {
        check(pthread_join(threads[i], NULL) == 0, "a thread ends");
    }
}

// ---- Some write while others change the times and the mode; then the names --------------
//
// Nothing else goes on meanwhile: its locks would order what must not need them.

static int data;

static void record_write(long who, int round)
{
    char record[RECORD];
    memset(record, 1, sizeof record);
    check(pwrite(data, record, sizeof record, (who * ROUNDS + round) * RECORD) == RECORD,
          "a write");
}

static void *attributes(void *argument)
{
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    for (int i = 0; i < ROUNDS; ++i) {
        if ((long)argument < 2) {
            record_write((long)argument, i);
        } else if (i % 2 == 0) {
            check(fchmod(data, 0600 | (mode_t)(i % 8)) == 0, "a mode is set");
        } else {
            check(futimens(data, (long)argument == 2 ? times : NULL) == 0, "times are set");
        }
    }
    return NULL;
}

static void *renames(void *argument)
{
    for (int i = 0; i < ROUNDS; ++i) {
        if ((long)argument == 0) {
            check(rename("one", "two") == 0 && link("two", "one") == 0 && unlink("two") == 0,
                  "names change");
        } else {
            record_write((long)argument, i);
        }
    }
    return NULL;
}

// ---- All append to one file, and each finds its own records whole ---------------------

static void *append(void *argument)
{
    char record[RECORD];
    memset(record, 'a' + (int)(long)argument, sizeof record);
    int file = open("log", O_WRONLY | O_APPEND | O_CREAT, 0600);
    check(file >= 0, "an open to append");
    for (int i = 0; i < ROUNDS; ++i) {
        check(write(file, record, sizeof record) == RECORD, "an append");
    }
    close(file);
    return NULL;
}

static void log_check(void)
{
    static char text[THREADS * ROUNDS * RECORD + 1];
    int counts[THREADS] = {0};
    int file = open("log", O_RDONLY);
    check(read(file, text, sizeof text) == THREADS * ROUNDS * RECORD, "all records are there");
    for (int i = 0; i < THREADS * ROUNDS; ++i) {
        const char *record = text + i * RECORD;
        check(record[0] >= 'a' && record[0] < 'a' + THREADS, "whose a record is");
        check(memcmp(record, record + 1, RECORD - 1) == 0, "a record is whole");
        ++counts[record[0] - 'a'];
    }
    for (int i = 0; i < THREADS; ++i) {
        check(counts[i] == ROUNDS, "everybody's records");
    }
    close(file);
}

// ---- A file gets shorter and longer under who reads it, writes it and maps it ----------

static void *cut(void *argument)
{
    char page[PAGE];
    for (int i = 0; i < ROUNDS; ++i) {
        if ((long)argument == 0) {
            check(ftruncate(data, (i % 3 + 1) * PAGE) == 0, "a file gets another length");
        } else if ((long)argument == 1) {
            memset(page, 2, sizeof page);
            check(pwrite(data, page, sizeof page, PAGE) == PAGE, "a write of a page");
        } else if ((long)argument == 2) {
            ssize_t size = pread(data, page, sizeof page, PAGE / 2);
            check(size >= PAGE / 2 && (page[size - 1] | 3) == 3, "a read across pages");
        } else {
            char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);
            check(map != MAP_FAILED, "a mapping");
            map[PAGE - 1] = (char)(i % 2);
            struct stat status;
            check(fstat(data, &status) == 0 && status.st_size % PAGE == 0, "a status");
            check(msync(map, PAGE, MS_SYNC) == 0 && munmap(map, PAGE) == 0, "a mapping goes");
        }
    }
    return NULL;
}

// ---- Names come and go; descriptors are opened, copied and closed -----------------------

static void folder_read(void)
{
    DIR *listing = opendir(".");
    check(listing != NULL, "a folder is opened");
    int dots = 0;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        dots += strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    check(dots == 2, "a folder's own names, each once");
    closedir(listing);
}

static void *names(void *argument)
{
    char name[] = "name-0";
    name[5] = (char)('0' + (int)(long)argument);
    for (int i = 0; i < ROUNDS; ++i) {
        int file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        check(file >= 0, "a new file");
        int copy = dup(file);
        check(close(file) == 0 && write(copy, name, sizeof name) == sizeof name, "a copy writes");
        int common = open("common", O_RDWR | O_CREAT, 0600);
        check(common >= 0, "a file that others remove");
        check(unlink("common") == 0 || errno == ENOENT, "a removal");
        if (i % 4 == 0) {
            folder_read();
        }
        check(rename(name, "target") == 0, "a rename over another file");
        check(close(common) == 0 && close(copy) == 0, "descriptors are closed");
    }
    return NULL;
}

int main(void)
{
    check(mkdtemp(folder) != NULL && chdir(folder) == 0, "a folder");
    data = open("one", O_RDWR | O_CREAT, 0600);
    check(data >= 0, "a file");
    run_all(attributes);
    run_all(renames);
    check(ftruncate(data, 2 * PAGE) == 0, "a length");
    run_all(append);
    log_check();
    run_all(cut);
    run_all(names);
    check(unlink("one") == 0 && unlink("log") == 0 && unlink("target") == 0, "files are removed");
    check(chdir("/") == 0 && rmdir(folder) == 0, "the folder is empty again");
    puts("done");
    return 0;
}
