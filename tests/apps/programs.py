# SPDX-License-Identifier: BSD-3-Clause
"""programs.py: the one list of Debian's programs that run unmodified, and of what is done with each.

apps.py runs it on Linux and on osv-sim; table.py makes README's table of it.
"""
import dataclasses


@dataclasses.dataclass
class Case:
    """Commands that run one after the other in a directory that holds only inputs (names of inputs.py).

    A word @NAME is the path of NAME, a file of this folder; {inputs} the folder of inputs, mounted read-only.
    unlike: names below the directory that differ from run to run on Linux too. lists: prints lines in the order in which
    the host lists a directory; the seeded machine has an order of its own.
    """
    name: str
    commands: list
    inputs: tuple = ()
    stdin: bytes = b""
    environment: dict = dataclasses.field(default_factory=dict)
    unlike: tuple = ()
    lists: bool = False


@dataclasses.dataclass
class Program:
    names: str
    package: str  # of the first
    suite: str  # the test that runs it, in this folder's BUILD.bazel
    does: str  # what README says
    cases: list


def case(name, *commands, **how):
    return Case(name, [command.split(" ") if isinstance(command, str) else command for command in commands], **how)


def each(inputs, *commands, **how):
    """A case per command, named by it."""
    return [case(command if isinstance(command, str) else " ".join(command), command, inputs=inputs, **how)
            for command in commands]


def restores(program, packed, *options, inputs="sample"):
    """Compresses, restores, compares by what the directory holds then."""
    return case(" ".join((program, inputs) + options), [program, "-k"] + list(options) + [inputs], ["rm", inputs],
                [program, "-d", "-k", packed], inputs=(inputs,))


GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
       "GIT_AUTHOR_DATE": "1000000000 +0000", "GIT_COMMITTER_DATE": "1000000000 +0000", "GIT_AUTHOR_NAME": "A. Body",
       "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A. Body", "GIT_COMMITTER_EMAIL": "a@example.org"}

PROGRAMS = [
    Program("bc", "bc", "bc", "a library of functions, 4096 bits", [
        case("bc -l work.bc", "bc -l @work.bc"),
        case("bc from standard input", "bc -lq", stdin=b"scale=100; 4*a(1)\n2^4096\nquit\n"),
    ]),
    Program("lua5.4", "lua5.4", "lua", "a script of 280 lines: strings, tables, coroutines, files", [
        case("lua5.4 work.lua", "lua5.4 @work.lua"),
        case("lua5.4 from standard input", "lua5.4 - 1 2", stdin=b"print(#arg, arg[2], io.read and 1)"),
        case("lua5.4 -e", ["lua5.4", "-e", "print(('x'):rep(3)) os.exit(4)"]),
        case("lua5.4, an error", ["lua5.4", "-e", "error('no')"]),
    ]),
    Program("sqlite3", "sqlite3", "sqlite", "tables, indices, transactions, a journal, reopening", [
        case("sqlite3: work, reopen, dump", ["sqlite3", "work.db", ".read @work.sql"],
             ["sqlite3", "work.db", ".read @reopen.sql"]),
        case("sqlite3: a log, mapped pages", ["sqlite3", "log.db", ".read @mapped.sql"]),
        case("sqlite3 in memory", ["sqlite3", ":memory:", ".read @work.sql"]),
        case("sqlite3 -csv -header", ["sqlite3", "-csv", "-header", "x.db",
             "PRAGMA journal_mode=TRUNCATE; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2); SELECT sum(a) FROM t;"]),
        case("sqlite3 from standard input", "sqlite3 work.db", stdin=b"CREATE TABLE t(a);\nINSERT INTO t VALUES(3);\n"
             b".dump\n.mode json\nSELECT *, printf('%05.1f', a) f FROM t;\n"),
    ]),
    Program("xz", "xz-utils", "compress", "4 MB with two threads, and back", [
        restores("xz", "sample.xz", "-T2", "-1"),
        restores("xz", "some.xz", "-9e", "--check=sha256", inputs="some"),
        case("xz --list, --test", "xz -k -T2 --block-size=1MiB -0 sample", "xz -l sample.xz", "xz -t sample.xz",
             inputs=("sample",)),
        case("xz, damaged input", "xz -dc some", inputs=("some",)),
    ]),
    Program("zstd", "zstd", "compress", "4 MB with two threads, and back", [
        restores("zstd", "sample.zst", "-T2", "-q"),
        restores("zstd", "some.zst", "-19", "-q", "--long", inputs="some"),
        case("zstd --train", "zstd -q --train lines numbers data.json some -B500 --maxdict=8KB -o dictionary",
             "zstd -q -D dictionary lines", inputs=("lines", "numbers", "data.json", "some")),
        case("zstd, damaged input", "zstd -dc some", inputs=("some",)),
    ]),
    Program("gzip", "gzip", "compress", "1 to 9, restore, test", [
        restores("gzip", "some.gz", "-n", inputs="some"),
        case("gzip -9, -t, -l", "gzip -9n sample", "gzip -t sample.gz", "gzip -l sample.gz", inputs=("sample",)),
        case("gzip from standard input", "gzip -1cn", stdin=b"text\n" * 5000),
    ]),
    Program("bzip2", "bzip2", "compress", "1 to 9, restore, test", [
        restores("bzip2", "some.bz2", "-9", inputs="some"),
        case("bzip2 -1, -t", "bzip2 -1 some", "bzip2 -tv some.bz2", inputs=("some",)),
        case("bzip2, damaged input", "bzip2 -d some.bz2", inputs=("some",)),
    ]),
    Program("xz zstd", "xz-utils", "soak", "50 MB with two threads, and back: the soak run", [
        restores("xz", "sample50.xz", "-T2", "-1", inputs="sample50"),
        restores("zstd", "sample50.zst", "-T2", "-q", "-6", inputs="sample50"),
    ]),
    Program("jq", "jq", "text", "a filter of 40 lines over 500 records", [
        case("jq work.jq", "jq --arg who me -f @work.jq data.json", inputs=("data.json",)),
        case("jq, output formats", "jq -c .[] data.json", ["jq", "-r", ".[] | [.name, .size] | @tsv", "data.json"],
             "jq -S --indent 3 .[0:3] data.json", ["jq", "-s", "length", "data.json"], inputs=("data.json",)),
        case("jq --stream", "jq -c --stream . data.json", inputs=("data.json",)),
        case("jq, errors", ["jq", "-e", ".[0].none", "data.json"], "jq .a.[ data.json", "jq . none", inputs=("data.json",)),
    ]),
    Program("gawk", "gawk", "text", "a script of 90 lines: fields, arrays, time, files", [
        case("gawk work.awk", "gawk -f @work.awk lines", inputs=("lines",)),
        case("gawk one-liners", ["gawk", "-F\t", "-v", "n=3", "$2 > n {s += $2} END {print s, NR}", "numbers"],
             ["gawk", "BEGIN {RS = \"\"} {print NF}", "lines"], inputs=("lines", "numbers")),
        case("gawk, an error", ["gawk", "BEGIN {print substr(}"]),
    ]),
    Program("sort", "coreutils", "text", "numeric, by key, human, merge, check, two threads", each(
        ("lines", "numbers", "sample"), "sort lines", "sort -n -r lines", "sort -k2,2 -k3nr lines", "sort -u -f -k2,2 lines",
        "sort -h numbers", "sort -g -k2 numbers", "sort -R --random-source=sample lines", "sort -s -t: -V lines",
        "sort --parallel=2 -S 1M sample -o sorted", "sort -c lines", "sort -m lines lines", "sort -z -d numbers")),
    Program("cut tr head uniq paste", "coreutils", "text", "these and tail join nl wc fold tac comm split factor ..., each with its options", each(
        ("lines", "numbers"), ["cut", "-d ", "-f2-", "lines"], "cut -c1-3,5- lines", "cut -f2 --complement numbers",
        "head -n 5 lines", "head -c -20000 lines", "tail -n +1990 lines", "tail -c 50 lines", "uniq -c -f1 lines",
        "paste -d, lines numbers", "nl -ba -w3 lines", "wc lines numbers", "wc -L lines", "fold -w 10 numbers",
        "tac lines", "expand -t 3 numbers", "fmt -w 40 lines", "comm -3 lines numbers", "join -j 2 lines lines",
        "split -n 3 lines part.", "shuf --random-source=lines lines", "base64 lines", "cat -A numbers",
        ["csplit", "-s", "lines", "100", "{2}"], "factor 1234567890123 97 1000000007",
        ["numfmt", "--to=iec", "12345678"], "basename -s .c a/b.c", "expr 6 * 7") +
        [case("tr", "tr a-z A-Z", stdin=b"some text\n"), case("tr -d, -s, -c", "tr -d aeiou", "tr -s e", "tr -cs a-z \\n",
                                                              stdin=b"three green trees 123\n")]),
    Program("xxd od", "xxd", "text", "all formats, and back", each(
        ("some",), "od some", "od -A x -t x1z -N 500 some", "od -t f8 -j 16 -N 800 some", "od -c -N 300 some", "od -t d4u2 -N 160 some",
        "xxd -l 500 some", "xxd -b -l 60 some", "xxd -i -l 50 some", "xxd -p some") +
        [case("xxd and back", "xxd some packed", "xxd -r packed unpacked", inputs=("some",))]),
    Program("sha256sum", "coreutils", "digests", "md5 sha1 sha256 sha512 blake2 sums, and their check", each(
        ("sample", "lines"), "sha256sum sample lines", "sha512sum sample", "md5sum sample", "sha1sum --tag sample", "b2sum sample",
        "cksum sample", "cksum -a crc lines", "sum sample", "sha224sum none lines") +
        [case("sha256sum -c", "sha256sum -c -", inputs=("lines",), stdin=b"%064d  lines\n" % 7)]),
    Program("openssl", "openssl", "digests", "dgst, enc, prime, passwd, asn1parse", each(
        ("sample",), "openssl dgst -sha256 sample", "openssl dgst -sha3-512 -r sample", "openssl dgst -md5 -hmac key sample",
        "openssl dgst -blake2b512 sample", "openssl prime -hex 10001", "openssl list -digest-commands", "openssl version -v",
        "openssl errstr 0A000086", "openssl passwd -6 -salt salt word") +
        [case("openssl enc and back", "openssl enc -aes-256-cbc -K 0123456789abcdef -iv 01 -in sample -out packed",
              "openssl enc -d -aes-256-cbc -K 0123456789abcdef -iv 01 -in packed -out unpacked",
              "openssl enc -chacha20 -K 01 -iv 02 -in sample -out stream", "openssl enc -base64 -in packed -out text",
              "openssl enc -aes-128-ctr -pbkdf2 -S 0102030405060708 -k word -in text -out counted", inputs=("sample",)),
         case("openssl asn1parse", "openssl asn1parse -genstr UTF8:text -out coded", "openssl asn1parse -inform DER -in coded")]),
    Program("grep", "grep", "patterns", "basic, extended, fixed and Perl patterns, back references, contexts, many patterns", each(
        ("lines", "macros"), "grep -n [aeiou]r[a-m] lines", "grep -c ^m lines", "grep -E -o [b-f]+(a|e)[^a]{2} lines",
        "grep -i -w -v E[a-z]* lines", r"grep \(.\)\(.\)\2\1 lines", "grep -E (.)(.)\\2\\1$ lines", "grep -f macros lines",
        r"grep -A1 -B2 -m3 --color=always \<a.*e\> lines", "grep -x -F define lines", r"grep -b -o [[:digit:]]\+ macros",
        "grep -E a{2 lines", r"grep \(a lines", "grep -E *a lines", "grep [[:foo:]] lines", "grep [b-a] lines",
        r"grep a\{1,2 lines", "grep -z -c a$ lines", "grep -q x none") + each(
        ("lines", "macros", "numbers", "tree"), "grep -rn --include=m* define .", "grep -l -r ka .",
        "grep -rn --include=*.c . tree", lists=True) + each(
        ("lines", "numbers", "tree"), "grep ka.*7$ lines", "grep -E ^[0-9]+.(ka|lo){2} lines", "grep -c -v ka lines", "grep -n -m 5 -w mi lines",
        "grep -o [0-9]*5 numbers", "grep -i -A1 -B1 KALO lines", "grep -P (?<=ka)lo\\b lines", "grep -F -x -e none -e more lines",
        "grep -L ka lines numbers", r"grep \(k\)\(a\)\1\2 lines", "grep -b -H vi.i numbers", "grep [[:upper:]]$ numbers",
        "grep -q lo lines", "grep -e [ lines", "grep x none", "grep -zc ka lines",
        "grep -f numbers lines -c")),
    Program("sed", "sed", "patterns", "addresses, groups, back references, branches, the hold space, files in place", each(
        ("lines",), r"sed -n /[aeiou]\{2\}/p lines", r"sed s/\([a-m]*\)\([n-z]*\)/<\2|\1>/g lines", r"sed -E s/(a|b)+|c*/[&]/2g lines",
        r"sed -n -E /^(.).*\1$/=;$p lines", "sed -e 1!G;h;$!d lines", r"sed -E :a;s/^(.{1,30})$/\1./;ta lines",
        r"sed N;N;s/^./>/Mg;P;D lines", r"sed s/\b./\U&/g;y/aeiou/AEIOU/ lines", r"sed s/x*/-/g;5q lines", "sed -i.old /e$/d lines",
        r"sed s/\w\+$/\n&/I;/a/,/b/{//!d} lines", r"sed s/\(a/b/ lines", "sed -E s/a{2,1}// lines", r"sed s/a/\1/ lines") + each(
        ("lines", "numbers"), "sed s/ka/KA/g lines", r"sed -n /ka\(lo\)/s//<\1&>/p lines", "sed -E s/^([0-9]+).(.*)$/\\2,\\1/;5q lines", "sed 1~3d;$!N;P;D lines",
        "sed -n 10,/ka/p lines", "sed y/abc/xyz/ numbers", ["sed", ":a;N;$!ba;s/\\n/,/g", "numbers"], ["sed", "-n", "1!G;h;$p", "numbers"],
        ["sed", "/ka/{s/a/b/2;w found", "}", "lines"], ["sed", "-e", "2i\\before", "-e", "3a\\after", "-e", "4c\\changed", "-e", "6,$d", "lines"],
        ["sed", "s/[aeiou]\\+/\\U&/gI;l 40;10q", "lines"], "sed = numbers", "sed -i.bak s/1/one/ numbers", "sed s/a lines", "sed p none", "sed -s -n $= lines numbers")),
    Program("diff cmp", "diffutils", "patterns", "of files and folders, -u -c -y -e -I -F; cmp -l -s", each(
        ("lines", "macros", "tree"), "diff lines macros", "diff -u -F ^define lines macros", "diff -I ^[a-m] -I e$ macros lines",
        "diff -y -W 60 macros lines", "diff -r tree .", "cmp lines macros", "diff -b -B -i lines lines") + [
        case("diff", "cp lines other", "sed -i -e 5d -e s/77/88/ -e 100anew other", "diff lines other", "diff -u --label a --label b lines other",
             "diff -c1 --label a --label b lines other", "diff -q lines other", "diff -y -W 60 --suppress-common-lines lines other", "diff -e lines other",
             "diff -i -b -B lines other", "diff --color=never -U0 --label a --label b lines other", "cmp lines other", "cmp -l lines other",
             "cmp -s lines lines", "diff lines none", inputs=("lines",)),
        case("diff -r", "cp -r tree other", "rm -r other/empty other/hard", "diff -rq tree other", "diff -rN tree other", inputs=("tree",)),
    ]),
    Program("expr csplit tac nl", "coreutils", "patterns", "with patterns", [
        case("expr :", ["expr", "abcabc", ":", r"\(a.c\)"], ["expr", "abc", ":", "[a-c]*"], ["expr", "abc", ":", "x"],
             ["expr", "a", ":", r"\(b"], ["expr", "3", "+", "4", "*", "5"]),
        case("csplit", ["csplit", "-s", "-n3", "macros", "/define/", "{1}", "%ifelse%+1"], inputs=("macros",)),
        case("tac -r", ["tac", "-r", "-s", "[aeiou][a-m]", "lines"], inputs=("lines",)),
        case("nl -b p", ["nl", "-b", "p^[a-m]", "lines"], inputs=("lines",)),
        case("find -regex", ["find", "tree", "-regex", r".*/[a-m]+\..*"], inputs=("tree",), lists=True),
        case("find -regextype", ["find", "tree", "-regextype", "posix-extended", "-iregex", r".*(C|h)$"], inputs=("tree",), lists=True),
    ]),
    Program("find", "findutils", "files", "by name, kind, size, mode, time; -printf, -prune, -delete", each(
        ("tree",), "find .", "find tree -name *.c -o -type l", "find tree -size +1k -printf %p:%s:%m:%y:%l\\n",
        "find tree -newermt 2002-01-01", "find -L tree -type f -links +1", "find tree -maxdepth 1 -mindepth 1 -empty",
        "find tree -path */deep -prune -o -print", "find tree -perm -004 -ls -quit -none", "find none",
        "find tree -type f -name *.h -delete", "find tree -printf %TY-%Tm-%Td:%d:%f:%h:%n\\n -depth",
        lists=True)),
    Program("ls cp mv rm stat", "coreutils", "files", "these and ln mkdir chmod touch truncate du dd readlink install",
            each(("tree",), "ls -R tree", "ls -la --time-style=full-iso tree/hard", "ls -1SrF tree", "ls none",
                 ["stat", "-c", "%n %s %a %F %Y %h", "tree/hard", "tree/dangling"], "du -s --apparent-size tree", "readlink -f tree/dangling",
                 "realpath --relative-to=tree tree/empty", "wc -c tree/hard", "test -d tree/empty", "mktemp -u fixed") +
            each(("tree",), "du -al --apparent-size tree", lists=True) +
            [case("cp, mv, ln, rm", "cp -a tree copied", "mv copied moved", "ln -s moved link", "ln moved/hard one",
                  "rm -r tree", "rmdir moved/empty", "mkdir -p -m 700 a/b/c", "chmod -R u=rwX,go= moved", "touch -d @5 stamp",
                  "touch -r stamp later", "truncate -s 10K hole", "cp --sparse=always hole other", "install -m 640 one into",
                  "dd if=one of=part bs=100 skip=1 count=3 conv=notrunc status=none", "rm none", "rmdir moved",
                  "tee made", inputs=("tree",), stdin=b"for tee\n"),
             case("sync, link, unlink", "sync", "link tree/hard linked", "unlink linked", inputs=("tree",))]),
    Program("tar", "tar", "files", "make, list, add, restore; names, modes, links, times", [
        case("tar -c, -t, -x", "tar --sort=name -cf made.tar tree", "tar -tvf made.tar", "rm -r tree", "tar -xpf made.tar",
             "tar -df made.tar", inputs=("tree",)),
        case("tar, formats", "tar --format=pax --sort=name --numeric-owner --pax-option=delete=atime,delete=ctime -cf pax.tar tree",
             "tar --format=v7 --sort=name -cf v7.tar tree", ["tar", "-tf", "pax.tar", "--wildcards", "*.c"],
             "tar -rf v7.tar tree/hard", "tar --delete -f v7.tar tree/empty", "tar -xf v7.tar --strip-components=1 -C tree",
             inputs=("tree",)),
        case("tar, errors", "tar -xf tree/hard", "tar -cf made.tar none", inputs=("tree",)),
    ]),
    Program("date seq printf", "coreutils", "tools", "formats and arithmetic of time and numbers",
            each((), "date -u -d @1234567890", ["date", "-d", "2024-02-29 12:34:56 UTC + 1 year 3 days", "+%A %d %B %Y %j %U %s %z"],
                 "date -R -d @0", "date -Ins -d @1.5", "date -d nonsense", "seq 1 3 20", "seq -w -s, 8 12", "seq -f %.3e 1 0.5 3", "seq 5 -1 1",
                 "seq 20000", ["printf", "%05d|%-6s|%x|%q\\n", "42", "ab", "255", "a b"], "echo -e a\\tb", "env -i A=1", "printenv LC_ALL",
                 "id -u", "uname -s", "nproc --ignore=100", "pwd -P", "whoami", "true", "false", "sleep 0.001", "tty", "yes --none")),
    Program("make", "make", "tools", "-n over functions, rules, conditions; -p", [
        case("make -n", "make -n", "make -n DEBUG=1 common.h", "make -n -B report", "make --version", inputs=("Makefile",)),
        case("make, errors", "make -n none", "make -f none"),
        case("make -t", "make -t common.h one.c", inputs=("Makefile",)),
    ]),
    Program("m4", "m4", "tools", "recursive macros, diversions, regular expressions", [
        case("m4", "m4 macros", inputs=("macros",)),
        case("m4 -D, -G, -P", "m4 -D x=5 -", "m4 -P -", stdin=b"x m4_eval(6 * 7) eval(`x' + 1)\n"),
    ]),
    Program("readelf nm objdump", "binutils", "tools", "of programs and libraries: all tables, symbols, disassembly",
            each((), "readelf -aW /usr/bin/m4", "readelf -sW /lib/x86_64-linux-gnu/libz.so.1", "readelf -n -V -x .interp /usr/bin/xz",
                 "nm -D /lib/x86_64-linux-gnu/libz.so.1", "objdump -h -p /usr/bin/xz", "objdump -d -j .init /usr/bin/xz",
                 "size /usr/bin/xz", "strings -n 12 /usr/bin/xz", "addr2line -e /usr/bin/xz 0x3000", "c++filt _ZNSt6vectorIiSaIiEE4sizeEv",
                 "readelf -h /etc/passwd", "readelf none")),
    Program("file", "file", "tools", "kinds of 12 files, MIME types",
            each(("tree", "some", "lines", "data.json"), "file some lines data.json tree", "file -i some lines data.json",
                 "file -b /usr/bin/xz /usr/bin/env /etc/passwd", "file -h tree/dangling", "file none",
                 "file @work.py @work.pl @work.sh @hello.c")),
    Program("getent iconv locale", "libc-bin", "tools", "users, groups, rpc; help, usage and errors of argp", [
        case("getent", "getent passwd root daemon", "getent group 1", "getent rpc nfs", "getent passwd nobody-at-all", "getent none"),
        case("argp", *(program + option for program in ("getent", "iconv", "locale")
                       for option in (" --help", " --usage", " --version", " --none"))),
    ]),
    Program("ip ss", "iproute2", "tools", "links, addresses, routes and rules of the loopback network; sockets", [
        case("ip", *("ip " + words for words in (
            "link show lo", "addr show dev lo", "-o -4 addr show dev lo", "-6 addr show dev lo", "-j addr show lo", "-br link show lo",
            "link show none", "route show table local dev lo", "-6 route show table local dev lo", "route get 127.0.0.1",
            "-6 route get ::1", "rule", "-6 rule", "neigh show dev lo", "link set none up"))),
        case("ss", "ss -tn dport = :1", "ss -uanp sport = :1", "ss -ltin6 sport = :1"),
    ]),
    Program("git", "git", "git", "log, show, diff, blame, grep of a repository; init, add, commit", [
        case("git log", *("git -C repository " + words for words in (
            "log", "log --stat -p", "log --oneline --graph --decorate --all", "log --format=%H%n%an%n%ad%n%s --date=iso -n 3",
            "log --follow -- moved", "log -S30 --name-status", "shortlog -s HEAD")), inputs=("repository",), environment=GIT),
        case("git, reading", *("git -C repository " + words for words in (
            "show v1", "diff HEAD~2 HEAD", "diff --word-diff HEAD~1 -- file", "blame file", "ls-tree -r HEAD", "rev-list --count HEAD",
            "cat-file -p HEAD", "grep -n line.[12] HEAD", "grep -E -c ^new|3$", "describe", "branch -a", "status --short", "tag -n", "for-each-ref",
            "rev-parse --short=10 HEAD", "count-objects -v", "log none")), inputs=("repository",),
            environment=GIT, unlike=("repository/.git/index",)),  # holds inode numbers
        case("git outside of the current directory", "git -C {inputs}/repository log --oneline",
             "git --git-dir={inputs}/repository/.git show --stat HEAD", "git -C /none log", environment=GIT),
        case("git, writing", "git init -q -b main made", "git -C made hash-object -w ../lines", "git -C made config user.name me",
             "cp lines made/lines", "git -C made add .", "git -C made -c gc.auto=0 -c maintenance.auto=false commit -q -m first",
             "git -C made log --stat", "git -C made branch other", "git -C made tag one", "git -C made rm -q lines",
             "git -C made status", inputs=("lines",), environment=GIT, unlike=("made/.git/index",)),
    ]),
    Program("perl", "perl", "perl", "a script of 240 lines: expressions, hashes, pack, POSIX, Storable, files, threads", [
        case("perl work.pl", "perl @work.pl"),
        case("perl -ne, -pe, -ane", ["perl", "-ne", "print if /ka.*7$/", "lines"], ["perl", "-pe", "s/(\\d+)$/$1 * 2/e", "lines"],
             ["perl", "-lane", "$s{$F[1]} += $F[2]; END {print \"$_ $s{$_}\" for sort keys %s}", "lines"],
             ["perl", "-i.bak", "-pe", "tr/a-z/A-Z/", "lines"], inputs=("lines",)),
        case("perl, errors", ["perl", "-e", "die 'why'"], ["perl", "-we", "my $x = ;"], ["perl", "-MNone", "-e1"]),
        case("perl -V:version, -c", "perl -V:version", "perl -c @work.pl"),
    ]),
    Program("python3", "python3", "python", "a script of 270 lines over 50 modules: threads, sqlite3, ctypes, decimal, hashlib", [
        case("python3 work.py", "/usr/bin/python3 @work.py"),
        case("python3 mapped.py", "/usr/bin/python3 @mapped.py .", "/usr/bin/python3 @mapped.py /tmp"),
        case("python3 -c, -m", ["/usr/bin/python3", "-c", "import sys; print(sys.argv, sys.flags.isolated, sys.stdin.read())", "a b"],
             "/usr/bin/python3 -m json.tool --sort-keys data.json", "/usr/bin/python3 -m timeit -n 1 -r 1 --help",
             "/usr/bin/python3 -I -m calendar 2024 2", "/usr/bin/python3 -m base64 -e lines", inputs=("lines", "data.json"), stdin=b"in"),
        case("python3, errors", ["/usr/bin/python3", "-c", "def f(): f.x\nf()"], "/usr/bin/python3 none.py",
             ["/usr/bin/python3", "-c", "import sys; sys.exit('why')"], ["/usr/bin/python3", "-W", "error", "-c", "x = ("]),
        case("python3 from standard input", "/usr/bin/python3 -", stdin=b"import os\nprint(os.getcwd() != '/', 2 ** 70)\n"),
    ]),
    Program("ruby", "ruby3.1", "ruby", "a script of 110 lines: threads, fibers, timeouts, signals, files, digests, expressions", [
        case("ruby work.rb", "ruby @work.rb"),
        case("ruby -e, -ne", ["ruby", "-e", "t = Thread.new { sleep 0.001; puts 2 }; puts ARGV.inspect; t.join", "a b"],
             ["ruby", "-ne", "puts $_.upcase if /ka.*7$/", "lines"], inputs=("lines",)),
        case("ruby, errors", ["ruby", "-e", "def f = x\nf"], "ruby none.rb", ["ruby", "-e", "abort 'why'"], ["ruby", "-c", "-e", "("]),
    ]),
    Program("node", "nodejs", "node", "a script of 150 lines: timers, promises, files, streams, crypto, workers, signals", [
        case("node work.js", "node @work.js"),
        case("node -e, -p", ["node", "-e", "console.log(1)"], ["node", "-p", "[1, 2, 3].map((x) => x ** 10)"],
             ["node", "-e", "process.stdin.on('data', (text) => console.log(String(text)))"], stdin=b"in"),
        case("node, errors", ["node", "-e", "process.exit(7)"], ["node", "-e", "setTimeout(() => process.abort, 1); process.exitCode = 3"]),
    ]),
    # Without figures for other tools, which lie in /tmp by the process's number: tests run side by side.
    Program("java javac jar", "openjdk-17-jre-headless", "java",
            "a program of 240 lines: streams, threads, locks, channels, maps of files, garbage; compiled and packed", [
        case("java work.java", "java -XX:-UsePerfData -Xmx256m @work.java"),
        case("javac, jar, java -jar", "javac -J-XX:-UsePerfData -d . @Hello.java",
             "jar -J-XX:-UsePerfData -c -f hello.jar -e Hello Hello.class", "java -XX:-UsePerfData -jar hello.jar some words",
             unlike=("hello.jar",)),  # holds the time
        case("java, errors", *("java -XX:-UsePerfData " + words for words in ("-version", "none.java", "-cp . None", "-Xmx1 Hello"))),
    ]),
    Program("dash", "dash", "shells", "a script of 150 lines of builtins", [
        case("dash work.sh", "dash @work.sh"),
        case("dash from standard input", "dash -s one two", stdin=b"echo $1 $#\nread x\nthe line read\necho got $x\nexit 6\n"),
        case("dash, errors", ["dash", "-c", "if"], ["dash", "-c", "set -u; echo $none"], "dash none"),
    ]),
    Program("bash", "bash", "shells", "the same script, and one of arrays, patterns, expressions", [
        case("bash work.sh", "bash @work.sh"),
        case("bash work.bash", "bash @work.bash"),
        case("bash, errors", ["bash", "-c", "if"], ["bash", "-c", "set -u; echo $none"], "bash none"),
    ]),
]
