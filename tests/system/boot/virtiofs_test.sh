#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# virtiofs_test.sh KERNEL CPUS: the x86_64 kernel with directories of the host, which QEMU's virtiofsd serves: Debian's
# programs where Debian has them, and a working directory that is compared with what the same commands do on Linux. Then
# what cannot be mounted: one line that says why, and status 126.
set -uo pipefail
. "$(dirname "$0")/report.sh"

kernel=$1 cpus=$2
work=$(mktemp -d)
log=$work/log
declare -A served # virtiofsd's process, by tag
trap 'kill ${served[@]} 2>/dev/null; wait; rm -rf "$work"' EXIT

# Where this is not the superuser it is one in a namespace of its own.
as_root=()
[ "$(id -u)" = 0 ] || as_root=(unshare --map-root-user)

# It gets its socket as a descriptor: one that it makes itself needs a lock below /run.
listen='import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
os.set_inheritable(listener.fileno(), True)
os.execv(sys.argv[2], sys.argv[2:] + ["--fd=%d" % listener.fileno()])'

# serve TAG DIRECTORY [OPTION...]: one that serves the next boot.
serve() {
    local tag=$1 directory=$2
    shift 2
    rm -f "$work/$tag.socket"
    "${as_root[@]}" python3 -c "$listen" "$work/$tag.socket" /usr/lib/qemu/virtiofsd -o sandbox=chroot -o "source=$directory" "$@" \
        >"$work/$tag.log" 2>&1 &
    served[$tag]=$!
    echo $! >"$work/$tag.pid"
    while [ ! -S "$work/$tag.socket" ] && kill -0 ${served[$tag]} 2>/dev/null; do
        sleep 0.02
    done
}

# boot ARGUMENTS: the kernel with that command line and what is served. Its console goes to $log, its exit code to $code.
boot() {
    local status tag devices=()
    for tag in "${!served[@]}"; do
        devices+=(-chardev "socket,id=$tag,path=$work/$tag.socket" -device "vhost-user-fs-pci,chardev=$tag,tag=$tag")
    done
    timeout -k 1 60 qemu-system-x86_64 -accel tcg -M q35 -smp "$cpus" -cpu max -m 256 -nic none -vga none -display none \
        -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial stdio \
        -object memory-backend-memfd,id=memory,size=256M,share=on -numa node,memdev=memory "${devices[@]}" \
        -kernel "$kernel" -append "$1" </dev/null 2>&1 | sed -u 's/\r$//' >"$log"
    status=${PIPESTATUS[0]}
    code=$((status % 2 == 1 ? status / 2 : 1000 + status))
    kill "${served[@]}" 2>/dev/null
    wait
    served=()
}

# Output and status are $1 and $2.
is_run() {
    [ "$code" = "$2" ] && [ "$(cat "$log")" = "$1" ]
}

# in_system DIRECTORY COMMAND: runs it in DIRECTORY, with Debian's own programs and libraries.
in_system() {
    serve usr /usr
    serve etc /etc
    serve lib "$(realpath /lib)"
    serve lib64 "$(realpath /lib64)"
    serve work "$1"
    boot "--mount=virtiofs:usr:/usr:ro --mount=virtiofs:etc:/etc:ro --mount=virtiofs:lib:/lib:ro --mount=virtiofs:lib64:/lib64:ro \
--mount=virtiofs:work:/here --cwd=/here --env=HOME=/here --env=PATH=/usr/bin -- $2"
}

# as_linux COMMAND: output, status and the files that it leaves are those of Linux. No $ and no ' in it.
as_linux() {
    local expected expected_code
    expected=$(cd "$work/linux" && eval "env -i HOME=$work/linux PATH=/usr/bin $1" 2>&1 </dev/null)
    expected_code=$?
    in_system "$work/here" "$1"
    report "$1" is_run "$expected" "$expected_code"
    diff --no-dereference -r "$work/linux" "$work/here" >"$log" 2>&1
    report "and the files are the same" [ $? = 0 ]
}

refuses() {
    boot "$3"
    report "$1" is_run "osv: $2" 126
}

mkdir "$work/linux" "$work/root" "$work/root/tmp"
cat >"$work/linux/files.lua" <<'END'
for i = 1, 50 do
    local file = assert(io.open("file" .. i, "w"))
    for j = 1, i * 20 do file:write(i, " times ", j, " is ", i * j, "\n") end
    file:close()
end
for i = 2, 50, 2 do assert(os.remove("file" .. i)) end
for i = 3, 50, 4 do assert(os.rename("file" .. i, "renamed" .. i)) end
local sum = 0
for line in io.lines("renamed47") do sum = sum + tonumber(line:match("%d+$")) end
print(sum, io.open("file2"))
END
cat >"$work/linux/look.py" <<'END'
import decimal, json, os
print(json.dumps([(name, os.path.getsize("repository/" + name)) for name in sorted(os.listdir("repository"))[1:]]))
print(decimal.Decimal(2).sqrt(), open("files.lua").readlines()[-1], os.path.exists("nothing"))
os.makedirs("a/b/c")
os.symlink("../files.lua", "a/link")
os.link("a/link", "a/b/twin")
os.chmod("files.lua", 0o600)
os.truncate("a.db", 4096)
os.utime("files.lua", (1, 2))
print([(path, directories, files) for path, directories, files in os.walk("a")], os.stat("files.lua").st_mtime)
END
cat >"$work/linux/map.py" <<'END'
import hashlib, mmap, os
n = 300000
open("mapped", "wb").write(bytes(range(256)) * (n // 256))
size = os.path.getsize("mapped")
f = open("mapped", "r+b", buffering=0)
m = mmap.mmap(f.fileno(), 0)
print(hashlib.md5(m).hexdigest(), hashlib.md5(open("mapped", "rb").read()).hexdigest())
m[1000:1005] = b"HELLO"
m[200000:200005] = b"WORLD"
f.seek(1000); print(f.read(5))
os.pwrite(f.fileno(), b"abcdefgh", 4090)
print(m[4088:4100])
m.flush()
os.pwrite(f.fileno(), m[0:70000], 100001)  # from its own pages
print(hashlib.md5(m).hexdigest())
m2 = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE)
m2[5] = 99
print(m[5], m2[5], m2[1000:1005])
m.resize(400000)
print(os.path.getsize("mapped"), m[399999])
m[399999] = 7
os.truncate("mapped", 350000)
print(len(open("mapped", "rb").read()))
os.ftruncate(f.fileno(), 400000)
print(m[399999], m[349000:349004])
m[399998] = 8
a = open("mapped", "ab", buffering=0); a.write(b"one"); a.write(b"two"); print(os.path.getsize("mapped"))
os.ftruncate(f.fileno(), 3)
open("mapped", "wb").close(); print(os.path.getsize("mapped"))
os.ftruncate(f.fileno(), 10000)
m[5000:5003] = b"end"
END
cat >"$work/linux/many.py" <<'END'
import os, threading
def work(n):
    name = "many%d" % n
    for i in range(20):
        with open(name, "w") as f: f.write(str(n * i) * 3000)
        with open(name) as f: assert f.read() == str(n * i) * 3000
        assert name in os.listdir(".")
        os.rename(name, name + "x"); os.rename(name + "x", name)
    results[n] = os.path.getsize(name)
results = [0] * 24
threads = [threading.Thread(target=work, args=(n,)) for n in range(24)]
for t in threads: t.start()
for t in threads: t.join()
print(results)
END
git init -q "$work/linux/repository"
for i in 1 2 3 4 5 6; do
    seq $((i * 100)) >"$work/linux/repository/numbers$((i % 4))"
    git -C "$work/linux/repository" add .
    GIT_AUTHOR_DATE="2020-01-0$i 12:00" GIT_COMMITTER_DATE="2020-01-0$i 12:00" git -C "$work/linux/repository" \
        -c user.name=Somebody -c user.email=some@where commit -qm "number $i"
done
git -C "$work/linux/repository" gc -q
cp -a "$work/linux" "$work/here"

as_linux "/usr/bin/lua5.4 files.lua"
as_linux "/usr/bin/sqlite3 a.db \"create table t(a,b); insert into t select value, value * value from generate_series(1, 500); select sum(b) from t; create index i on t(b); select a from t where b = 144;\""
as_linux "/usr/bin/git -C repository log --stat"
as_linux "/usr/bin/python3 look.py"
as_linux "/usr/bin/python3 map.py"
as_linux "/usr/bin/sqlite3 a.db \"pragma journal_mode = wal; delete from t where a % 2 = 0; select count(*), sum(b) from t;\""
as_linux "/usr/bin/sha256sum /usr/bin/bash /usr/bin/git file1"
[ "$cpus" = 1 ] || as_linux "/usr/bin/python3 many.py"

# A virtiofsd that ends while its files are used: one line, and the program learns of it. It takes ten seconds, so once.
ends_in_the_middle() {
    (
        while ! grep -q "^it goes" "$log" 2>/dev/null; do sleep 0.1; done
        kill -9 "$(cat "$work/work.pid")"
    ) &
    in_system "$work/here" "/usr/bin/lua5.4 again.lua"
    grep -q "^osv: virtiofs:work: the device does not answer (has its virtiofsd ended?); its files are" "$log" &&
        [ "$(tail -n 1 "$log")" = "nil	/here/again.lua: Input/output error	5" ] && [ "$code" = 7 ]
}

cat >"$work/here/again.lua" <<'END'
print("it goes")
while true do
    local file = io.open("/here/again.lua")
    if not file then break end
    file:close()
end
print(io.open("/here/again.lua"))
os.exit(7)
END
[ "$cpus" != 1 ] || report "a virtiofsd that ends" ends_in_the_middle

serve root "$work/root"
refuses "a root without the directories that are mounted upon" \
    "virtiofs:root: lacks one of the directories /tmp, /dev and /proc" "--root=virtiofs:root -- /bin/hello"
report "nothing is made there" [ "$(ls "$work/root")" = tmp ]
serve root "$work/root"
refuses "an unknown root" "virtiofs:another: no virtio-fs device of the machine has that tag" "--root=virtiofs:another -- /bin/hello"
serve root "$work/root"
refuses "an unknown tag" "virtiofs:another:/a: no virtio-fs device of the machine has that tag" \
    "--mount=virtiofs:root:/first --mount=virtiofs:another:/a -- /bin/hello"
serve root "$work/root"
refuses "a tag that is mounted already" "virtiofs:root:/b: is mounted already" \
    "--mount=virtiofs:root:/first --mount=virtiofs:root:/b -- /bin/hello"
(cd "$work/root" && mkdir dev proc bin)
serve root "$work/root"
serve work "$work/here"
refuses "a place to mount upon that does not exist" "virtiofs:work:/here: there is no directory to mount upon" \
    "--root=virtiofs:root --mount=virtiofs:work:/here -- /bin/hello"
cp /usr/bin/lua5.4 "$work/root/bin"
mkdir -p "$work/root/lib/x86_64-linux-gnu" "$work/root/here"
ldd /usr/bin/lua5.4 | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | grep -v libc.so.6 |
    while read -r library; do cp -L "$library" "$work/root/lib/x86_64-linux-gnu"; done
serve root "$work/root"
serve work "$work/here"
boot "--root=virtiofs:root:ro --mount=virtiofs:work:/here:ro -- /bin/lua5.4 -e \"print(io.open([[/x]],[[w]]), io.open([[/here/x]],[[w]]), io.open([[/tmp/x]],[[w]]))\""
report "a root of the host's, read-only" grep -q "^nil	nil	file (0x" "$log"
echo "1..$count"
exit $failed
