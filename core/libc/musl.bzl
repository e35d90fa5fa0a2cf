"""musl's sources for one architecture, by musl's own Makefile rule: a file in
src/*/ARCH/ takes the place of the file of the same name in src/*/."""

# Sources of musl that core/libc has in its own form: the reason is in the file named.
EXCLUDE = [
    "src/aio/*",  # needs musl's threads
    "src/complex/*",  # libm.so.6 is the image's
    "src/crypt/*",  # so is libcrypt.so.1
    "src/ctype/isw*.c",  # wide_class.c
    "src/ctype/towctrans.c",
    "src/ctype/wcswidth.c",
    "src/ctype/wctrans.c",
    "src/ctype/wcwidth.c",
    "src/env/__environ.c",  # copied.c
    "src/env/__init_tls.c",  # thread.c
    "src/env/__libc_start_main.c",  # start.c
    "src/env/__reset_tls.c",
    "src/env/__stack_chk_fail.c",
    "src/env/getenv.c",  # environment.c
    "src/errno/strerror.c",  # errors.c
    "src/exit/_Exit.c",  # exit.c
    "src/exit/assert.c",
    "src/exit/at_quick_exit.c",
    "src/exit/atexit.c",
    "src/exit/exit.c",
    "src/exit/quick_exit.c",
    "src/internal/libc.c",  # musl_thread.c, copied.c
    "src/ldso/*",  # dl.c
    "src/ldso/*/*",
    "src/legacy/ftw.c",  # ftw.c
    "src/legacy/valloc.c",  # memory.c
    "src/linux/clone.c",
    "src/locale/c_locale.c",  # musl_locale.c
    "src/locale/duplocale.c",
    "src/locale/freelocale.c",
    "src/locale/iconv*.c",  # iconv.c
    "src/locale/langinfo.c",  # musl_langinfo.c
    "src/locale/locale_map.c",
    "src/locale/strfmon.c",  # monetary.c
    "src/locale/newlocale.c",
    "src/locale/setlocale.c",
    "src/malloc/*",  # memory.c
    "src/malloc/*/*",
    "src/misc/getopt.c",  # getopt.c
    "src/misc/getopt_long.c",
    "src/misc/nftw.c",
    "src/mq/mq_notify.c",
    "src/multibyte/[bw]*.c",  # multibyte.c
    "src/multibyte/mbl*.c",
    "src/multibyte/mbrlen.c",
    "src/multibyte/mbrtowc.c",
    "src/multibyte/mbs*.c",
    "src/multibyte/mbt*.c",
    "src/network/dns_parse.c",  # musl_answer.c
    "src/network/getifaddrs.c",  # interfaces.c
    "src/network/getservby*.c",  # netdb_files.c
    "src/network/if_freenameindex.c",  # interfaces.c
    "src/network/if_nameindex.c",
    "src/network/netname.c",
    "src/network/proto.c",
    "src/network/res_msend.c",  # musl_resolve.c
    "src/network/serv.c",
    "src/passwd/*get*.c",  # accounts.c
    "src/passwd/nscd_query.c",
    "src/misc/initgroups.c",
    "src/process/_Fork.c",  # process.c
    "src/process/fork.c",
    "src/process/posix_spawn.c",
    "src/process/vfork.c",
    "src/process/*/vfork.s",
    "src/regex/fnmatch.c",  # fnmatch.c
    "src/regex/glob.c",  # glob.c
    "src/regex/reg*.c",  # regex.c
    "src/regex/tre-mem.c",
    "src/prng/*48*.c",  # random48.c
    "src/prng/__seed48.c",
    "src/search/t*.c",  # tree.c
    "src/sched/affinity.c",  # pthread_schedule.c
    "src/signal/*/restore.s",  # core/linux returns from handlers
    "src/process/posix_spawnp.c",
    "src/process/system.c",
    "src/stat/fstatat.c",  # musl_files.c
    "src/stat/fchmod.c",
    "src/unistd/dup3.c",
    "src/unistd/fchown.c",
    "src/stdio/popen.c",  # process.c
    "src/stdio/pclose.c",
    "src/stdio/stderr.c",  # musl_streams.c
    "src/stdio/stdin.c",
    "src/stdio/stdout.c",
    "src/stdio/__overflow.c",  # musl_write.c
    "src/stdio/fwrite.c",
    "src/stdio/fscanf.c",  # musl_scanf.c
    "src/stdio/fwscanf.c",
    "src/stdio/scanf.c",
    "src/stdio/sscanf.c",
    "src/stdio/swscanf.c",
    "src/stdio/vfscanf.c",
    "src/stdio/vfwscanf.c",
    "src/stdio/vscanf.c",
    "src/stdio/vsscanf.c",
    "src/stdio/vswscanf.c",
    "src/stdio/vwscanf.c",
    "src/stdio/wscanf.c",
    "src/stdio/vasprintf.c",  # musl_printf.c
    "src/stdio/vdprintf.c",
    "src/stdio/vfprintf.c",
    "src/stdio/vfwprintf.c",
    "src/stdio/vsnprintf.c",
    "src/stdio/vsprintf.c",
    "src/stdio/vswprintf.c",
    "src/stdlib/ecvt.c",  # float_text.c
    "src/stdlib/fcvt.c",
    "src/stdlib/gcvt.c",
    "src/stdlib/qsort.c",  # sort.c
    "src/stdlib/qsort_nr.c",
    "src/string/strcasecmp.c",  # case_compare.c
    "src/string/strncasecmp.c",
    "src/string/strsignal.c",  # errors.c
    "src/thread/*",  # musl_lock.c, thread.c, pthread_*.c
    "src/thread/*/*",
    "src/time/timer_create.c",
]

def musl_srcs(arch):
    base = native.glob(
        ["src/*/*.c"],
        exclude = EXCLUDE,
    )
    special = native.glob(
        ["src/*/%s/*.%s" % (arch, e) for e in ["c", "s", "S"]],
        exclude = EXCLUDE,
    )
    replaced = {f.replace("/%s/" % arch, "/").rpartition(".")[0]: True for f in special}
    return special + [f for f in base if f.rpartition(".")[0] not in replaced]
