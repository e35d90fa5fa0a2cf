#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# elf_seeds.sh OUT: small libraries and programs, each with tables of another kind, for the fuzzer to start from.
set -eu
out=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > seed.c <<'END'
extern char **environ;
int puts(const char *text);
void *malloc(unsigned long size);
int nowhere(void) __attribute__((weak));
static int number = 1;
int *pointer = &number;
char **environment_of(void) { return environ; }
_Thread_local int local = 7;
static _Thread_local int quiet;
int tls(void) { return local++ + quiet++; }
__attribute__((constructor)) static void start(void) { number++; }
__attribute__((destructor)) static void end(void) { number--; }
int old(void) { return 1; }
int new(void) { return 2; }
#ifdef VERSIONS
__asm__(".symver old, both@OLD_1");
__asm__(".symver new, both@@NEW_2");
#endif
static int chosen_one(void) { return 3; }
static void *resolve(void) { return (void *)chosen_one; }
int chosen(void) __attribute__((ifunc("resolve")));
int main(void) { return puts(malloc(8)) + (nowhere ? nowhere() : 0) + tls() + chosen(); }
#ifdef LOST
int lost(void);
int call_lost(void) { return lost(); }
#endif
END
echo 'OLD_1 { old; }; NEW_2 { new; main; tls; pointer; local; } OLD_1;' > seed.map

build() { # NAME OPTIONS...
    local name=$1
    shift
    gcc -O1 -w -s -fno-stack-protector -nostartfiles -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
        -Wl,-z,noseparate-code -fno-asynchronous-unwind-tables -o "$out/$name" seed.c "$@"
}
build gnu.so -shared -fPIC -Wl,--hash-style=gnu
build sysv.so -shared -fPIC -Wl,--hash-style=sysv -Wl,-soname,libsysv.so
build both.so -shared -fPIC -Wl,--hash-style=both -Wl,-z,now -DLOST
build versions.so -shared -fPIC -DVERSIONS -Wl,--version-script=seed.map
build relr.so -shared -fPIC -Wl,-z,pack-relative-relocs -Wl,-Bsymbolic
build descriptor.so -shared -fPIC -mtls-dialect=gnu2 -Wl,-rpath,'$ORIGIN/lib'
build initial.so -shared -fPIC -ftls-model=initial-exec -Wl,-z,lazy -DLOST
build text.so -shared -fPIC -Wl,-z,separate-code -Wl,--enable-new-dtags -Wl,-rpath,/nowhere
build pie -fPIE -pie -Wl,-e,main
build fixed -fno-pie -no-pie -Wl,-e,main
