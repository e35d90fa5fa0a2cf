// SPDX-License-Identifier: BSD-3-Clause
// smallfile.c: small file creation in the shape of fs_mark: NFILES files of 4 KiB in one directory
// below argv[1] (default /tmp), each open+write+[fsync]+close; then a read-back pass, a directory
// scan and an unlink pass. Files per second.
#include "bench.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { NFILES = 5000, SIZE = 4096 };

static void file_name(char *out, size_t cap, const char *dir, int i)
{
    snprintf(out, cap, "%s/f%08d", dir, i);
}

static void run(const char *top, const char *tag, int nfiles, int sync)
{
    double cr[BENCH_MAX_REPS], rd[BENCH_MAX_REPS], ls[BENCH_MAX_REPS], rm[BENCH_MAX_REPS];
    char dir[512], p[600], name[64];
    static char buf[SIZE];
    int reps = bench_reps();
    snprintf(dir, sizeof dir, "%s/smallfile.d", top);
    for (int r = 0; r < reps; r++) {
        uint64_t t;
        int seen = 0;
        if (mkdir(dir, 0755) && errno != EEXIST)
            BENCH_DIE(dir);
        t = now_ns();
        for (int i = 0; i < nfiles; i++) {
            file_name(p, sizeof p, dir, i);
            int fd = open(p, O_CREAT | O_WRONLY | O_TRUNC, 0644);
            if (fd < 0 || write(fd, buf, SIZE) != SIZE)
                BENCH_DIE("create");
            if (sync && fsync(fd))
                BENCH_DIE("fsync");
            close(fd);
        }
        cr[r] = nfiles * 1e9 / (double)(now_ns() - t);
        t = now_ns();
        for (int i = 0; i < nfiles; i++) {
            file_name(p, sizeof p, dir, i);
            int fd = open(p, O_RDONLY);
            if (fd < 0 || read(fd, buf, SIZE) != SIZE)
                BENCH_DIE("read");
            close(fd);
        }
        rd[r] = nfiles * 1e9 / (double)(now_ns() - t);
        t = now_ns();
        DIR *d = opendir(dir);
        while (d && readdir(d))
            seen++;
        if (d)
            closedir(d);
        ls[r] = seen * 1e9 / (double)(now_ns() - t);
        t = now_ns();
        for (int i = 0; i < nfiles; i++) {
            file_name(p, sizeof p, dir, i);
            unlink(p);
        }
        rm[r] = nfiles * 1e9 / (double)(now_ns() - t);
        rmdir(dir);
    }
    snprintf(name, sizeof name, "smallfile_create%s", tag);
    bench_report(name, cr, reps, "files/s");
    snprintf(name, sizeof name, "smallfile_read%s", tag);
    bench_report(name, rd, reps, "files/s");
    snprintf(name, sizeof name, "smallfile_readdir%s", tag);
    bench_report(name, ls, reps, "entries/s");
    snprintf(name, sizeof name, "smallfile_unlink%s", tag);
    bench_report(name, rm, reps, "files/s");
}

int main(int argc, char **argv)
{
    const char *top = argc > 1 ? argv[1] : "/tmp";
    bench_pin(0);
    run(top, "", NFILES, 0);
    run(top, "_fsync", NFILES / 10, 1);
    return 0;
}
