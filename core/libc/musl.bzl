"""musl's sources for one architecture, by musl's own Makefile rule: a file in
src/*/ARCH/ takes the place of the file of the same name in src/*/."""

# Sources of musl that core provides itself, or that make raw system calls.
EXCLUDE = [
    "src/ldso/**",
    "src/env/__libc_start_main.c",
    "src/env/__init_tls.c",
    "src/env/__reset_tls.c",
    "src/env/__stack_chk_fail.c",
    # assembly with raw system calls or the thread pointer
    "src/thread/x86_64/**",
    "src/thread/aarch64/**",
    "src/process/x86_64/vfork.s",
    "src/signal/x86_64/restore.s",
    "src/signal/aarch64/restore.s",
]

def musl_srcs(arch):
    base = native.glob(
        ["src/*/*.c", "src/malloc/mallocng/*.c"],
        exclude = EXCLUDE,
    )
    special = native.glob(
        ["src/*/%s/*.%s" % (arch, e) for e in ["c", "s", "S"]],
        exclude = EXCLUDE,
    )
    replaced = {f.replace("/%s/" % arch, "/").rpartition(".")[0]: True for f in special}
    return special + [f for f in base if f.rpartition(".")[0] not in replaced]
