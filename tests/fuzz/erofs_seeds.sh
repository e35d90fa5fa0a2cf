#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# erofs_seeds.sh DIRECTORY: images from which the fuzzer starts, of 20 000 bytes at most: one with the ends of files behind
# their inodes, one without.
set -eu
out=$(realpath -m "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/root/directory/empty"
cd "$work"
echo "a file" >root/file
head -c 4100 /dev/zero | tr '\0' x >root/directory/longer
ln -s directory/longer root/link
mkfifo root/fifo
for name in a bb ccc "a longer name"; do
    : >"root/directory/$name"
done
find root -exec touch -h -d @1000000000 {} +
for how in inline_data noinline_data; do
    option=-E$how
    [ $how = noinline_data ] || option=--quiet
    mkfs.erofs --quiet -T1000000000 -U00000000-0000-0000-0000-000000000000 "$option" "$out/$how" root >/dev/null
done
