#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh PROGRAM CASE VCPUS ...: runs one case and says whether it passed.
program=$1
shift
"$program" "$@"
status=$?
expected=0
if [ "$1" = crash ]; then
    expected=139 # 128 + SIGSEGV
fi
if [ $status -eq $expected ]; then
    echo "ok 1 - hal-linux $*"
    exit 0
fi
echo "not ok 1 - hal-linux $*: exit status $status"
exit 1
