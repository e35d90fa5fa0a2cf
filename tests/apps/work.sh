# SPDX-License-Identifier: BSD-3-Clause
# work.sh: what scripts do with a shell's builtins alone: no command, pipe or substitution that would make a process.
# For dash and for bash.

part() { echo "-- $1"; }

fibonacci() {
    # the result in $result
    local n=$1 a
    if [ "$n" -lt 2 ]; then
        result=$n
        return
    fi
    fibonacci $((n - 1))
    a=$result
    # shellcheck disable=SC2034
    eval "saved_$n=\$a"
    fibonacci $((n - 2))
    eval "a=\$saved_$n"
    result=$((a + result))
}

part arithmetic
i=0 sum=0
while [ $i -lt 2000 ]; do
    i=$((i + 1))
    case $((i % 15)) in
    0) sum=$((sum + 15)) ;;
    3 | 6 | 9 | 12) sum=$((sum + 3)) ;;
    5 | 10) sum=$((sum + 5)) ;;
    *) : ;;
    esac
done
echo $sum $((7 / 2)) $((-7 % 3)) $((1 << 10 | 3)) $((0x1f + 010)) $((5 > 3 ? 1 : 0)) $(((2 + 3) * 4)) $((~5 & 0xff))
fibonacci 12
echo "fibonacci $result"

part strings
path=/usr/share/doc/file.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${path#*/} ${#path} ${none:-default} ${none:+set} ${path:+set}"
: "${assigned:=value}"
set -- one "two three" four
echo $# "$2" "$*" "$@"
for word in "$@"; do printf '[%s]' "$word"; done
printf '\n%s %5d|%-5s|%05.1f|%x|%o|%c|%b\n' text 42 ab 2.25 255 8 xyz 'a\tb'
shift
IFS=:
echo "$*"
unset IFS
list="a b  c"
for word in $list; do printf '<%s>' "$word"; done
echo
case $path in *.zip) echo zip ;; /usr/*/doc/*) echo document ;; esac

part files
echo "line one" > made
echo "line two" >> made
cat_file() { while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done < "$1"; }
cat_file made
printf 'no end' > short
cat_file short
read -r first rest < made
echo "$first+$rest"
exec 3> numbered
i=0
while [ $i -lt 300 ]; do
    echo "$i $((i * i))" >&3
    i=$((i + 1))
done
exec 3>&-
exec 4< numbered
total=0 lines=0
while read -r number square <&4; do
    total=$((total + square)) lines=$((lines + 1))
done
exec 4<&-
echo "$lines lines, $total"
[ -f made ] && [ -s made ] && [ ! -d made ] && [ -r made ] && [ -e . ] && echo "tests hold"
[ made -nt nothing ] || [ "a" \< "b" ] && test -z "" && test 3 -ge 3 && echo "more tests hold"
for name in m* n* *none*; do echo "glob $name"; done
cd / && pwd && cd "$OLDPWD" && [ -f made ] && echo "back again"
umask 027
umask
echo made under a mask > masked
{ echo grouped; echo output; } > grouped
cat_file grouped
cat_file < /dev/null absent 2> /dev/null || echo "absent: status $?"

part here
read_here() { while read -r line; do echo "here: $line"; done; }
value=expanded
read_here << END
a document, $value, $((6 * 7))
	kept \$value
END
read_here << 'END'
quoted $value
END
read_here <<- END
	without tabs
END

part control
i=0
until [ $i -ge 10 ]; do
    i=$((i + 1))
    [ $i = 3 ] && continue
    [ $i = 6 ] && break
    printf '%s ' $i
done
echo
outer() { for x in 1 2 3; do for y in 1 2 3; do [ $y = 2 ] && continue 2; printf '%s%s ' $x $y; done; done; echo; }
outer
returns() { return "$1"; }
returns 7 || echo "returned $?"
! returns 0 || echo unreachable
while getopts ab:c option -a -b value -c; do echo "option $option ${OPTARG-}"; done
alias say=echo
alias say
type fibonacci > /dev/null && command -v cd
set -e
false || true
set +e
set -u
echo "${value}"
set +u
readonly constant=1
echo "$constant"
times > /dev/null
hash -r
ulimit -n > /dev/null && echo limits
trap 'echo "trapped USR1"' USR1
kill -USR1 $$
trap 'echo "ending with $?"' EXIT
echo "to the error stream" >&2
echo 'echo "sourced with $1"' > sourced
. ./sourced
wait
exit 9
