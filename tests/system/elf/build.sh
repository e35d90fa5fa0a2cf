#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# build.sh SOURCES OUT: the programs and libraries that test the loader; their options are what is tested.
set -eu
cd "$1"
out=$2
common="-O1 -D_GNU_SOURCE -Wall -Wextra -Wl,--enable-new-dtags"
here="-L$out -Wl,-rpath,\$ORIGIN"
shared="gcc $common -shared -fPIC $here"

$shared -o "$out/libcopied.so" libcopied.c -lm
gcc $common -fPIE -pie -o "$out/copied_pie" copied.c $here -lcopied -lm
gcc $common -fno-pie -no-pie -o "$out/copied_fixed" copied.c $here -lcopied -lm

order() { # NAME NEEDS
    local needs="${2:+-DNEEDS=$2 -L$out -lorder_$2}"
    $shared -DNAME="$1" -o "$out/liborder_$1.so" liborder.c $needs -Wl,-init,init_$1 -Wl,-fini,fini_$1
}
order c ""
order b c
order a c
order late b
gcc $common -fPIE -pie -o "$out/order" order.c $here -Wl,--no-as-needed -lorder_a -lorder_b

model() { # PREFIX NAME OPTIONS...
    local prefix=$1 name=$2
    shift 2
    gcc $common -fPIC -c -DPREFIX=$prefix -DMODEL=$name "$@" libtls.c -o "$out/libtls_$prefix$name.o"
}
for prefix in tls_ late_; do
    model $prefix general -ftls-model=global-dynamic
    model $prefix initial -ftls-model=initial-exec
    model $prefix descriptor -mtls-dialect=gnu2
done
$shared -DPROGRAM -o "$out/libtls_start.so" libtls.c "$out"/libtls_tls_*.o
$shared -DLATE -o "$out/libtls_late.so" libtls.c "$out"/libtls_late_*.o
gcc $common -fPIE -pie -o "$out/tls" tls.c $here -ltls_start -lpthread
gcc $common -fno-pie -no-pie -o "$out/tls_fixed" tls.c $here -ltls_start -lpthread
rm "$out"/libtls_*.o

$shared -o "$out/libchoice.so" libchoice.c
gcc $common -fno-builtin -fPIE -pie -o "$out/choice" choice.c $here -lchoice -lm
gcc $common -fno-builtin -fno-pie -no-pie -o "$out/choice_fixed" choice.c $here -lchoice -lm

$shared -o "$out/libfixed.so" libfixed.c
gcc $common -fno-pie -no-pie -o "$out/fixed" fixed.c $here -lfixed -rdynamic

$shared -o "$out/libdl_versions.so" libdl_versions.c -Wl,--version-script=libdl_versions.map
$shared -o "$out/libdl_local.so" libdl_local.c -Wl,--hash-style=sysv -Wl,-z,pack-relative-relocs
$shared -DSTRICT -o "$out/libdl_strict.so" libdl_local.c
gcc $common -fno-builtin -fPIE -pie -rdynamic -o "$out/dl" dl.c $here -ldl_versions -ldl \
    -Wl,-z,pack-relative-relocs

cxx="g++ -O1 -Wall -Wextra -Wl,--enable-new-dtags"
$cxx -shared -fPIC -o "$out/libexceptions.so" libexceptions.cc
$cxx -shared -fPIC -DLATE -o "$out/libexceptions_late.so" libexceptions.cc
$cxx -fPIE -pie -o "$out/exceptions" exceptions.cc $here -lexceptions -lpthread
$cxx -fno-pie -no-pie -o "$out/exceptions_fixed" exceptions.cc $here -lexceptions -lpthread

gone="$shared libgone.c -Wl,--version-script=libgone.map -Wl,-soname,libgone.so"
$gone -o "$out/libgone.so"
$gone -DLOST -o "$out/lost_libgone.so"
$gone -DTEXT_RELOCATION -Wl,-z,notext -Wl,--no-warnings -o "$out/textrel_libgone.so" 2> "$out/warnings"
rm "$out/warnings"
$shared -o "$out/libpreload.so" libpreload.c
gcc $common -fPIE -pie -o "$out/gone" gone.c $here -lgone
gcc $common -DDATA -fPIE -pie -o "$out/gone_data" gone.c $here -lgone
$cxx -fPIE -pie -o "$out/busy" busy.cc "-Wl,-rpath,\$ORIGIN" -lpthread
gcc $common -shared -fPIC -o "$out/libouter.so" libouter.c -L"$out" -lgone
gcc $common -fPIE -pie -o "$out/inherit" inherit.c -L"$out" -louter -Wl,--disable-new-dtags \
    -Wl,-rpath,'$ORIGIN/nowhere-$PLATFORM/${LIB}:${ORIGIN}/.' -Wl,-rpath-link,"$out"

unload() { # NAME OPTIONS...
    local name=$1
    shift
    $shared -DNAME="$name" -o "$out/libunload_$name.so" libunload.c "$@"
}
unload c
unload b -DNEEDS=c -lunload_c
unload a -DNEEDS=b -DAT_EXIT -lunload_b
unload y
unload x -DNEEDS=y -lunload_y
unload y -DNEEDS=x -lunload_x -Wl,--hash-style=sysv
unload user -DUSES=c
unload stays -Wl,-z,nodelete
gcc $common -fPIE -pie -o "$out/unload" unload.c $here -lpthread

lazy="$shared -fno-builtin -Wl,-z,lazy"
$lazy -o "$out/liblazy.so" liblazy.c
$lazy -DLOST -o "$out/liblazy_lost.so" liblazy.c
$shared -DLOST -Wl,-z,now -o "$out/liblazy_lost_now.so" liblazy.c
$lazy -o "$out/liblazy_again.so" liblazy_again.c
$lazy -DWAITS -o "$out/liblazy_waits.so" liblazy_again.c
gcc $common -fno-builtin -fPIE -pie -rdynamic -Wl,-z,lazy -o "$out/lazy" lazy.c $here -llazy -lpthread
gcc $common -fno-builtin -fPIE -pie -rdynamic -Wl,-z,now -o "$out/lazy_now" lazy.c $here -llazy -lpthread
gcc $common -fPIE -pie -rdynamic -o "$out/scopes" scopes.c $here

reload() { # NAME OPTIONS...
    local name=$1
    shift
    $cxx -shared -fPIC -o "$out/libreload_$name.so" libreload.cc "$@"
}
reload throw -DTHROWS
reload catch -DCATCHES
reload stays -DSTAYS
reload initial -DSIZE=500 -ftls-model=initial-exec
reload large -DSIZE=20000 -ftls-model=initial-exec
$cxx -fPIE -pie -o "$out/reload" reload.cc "-Wl,-rpath,\$ORIGIN" -lpthread

contend() { # NAME OPTIONS...
    local name=$1
    shift
    $shared -DQUIET -DNAME="$name" -o "$out/libcontend_$name.so" libunload.c "$@"
}
contend c
contend b -DNEEDS=c -lcontend_c
contend a -DNEEDS=c -lcontend_c
contend x -DNEEDS=c -lcontend_c -Wl,-z,lazy
gcc $common -fPIE -pie -o "$out/contend" contend.c $here -lpthread
gcc $common -fPIE -pie -o "$out/space" space.c
