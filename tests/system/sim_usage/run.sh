#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh OSV-SIM: a bad command line is answered by one line that names what is wrong, and an exit status
# as a shell would have it.
set -u
sim=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
number=0
failed=0

verdict() {
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1: $2"
        failed=1
    fi
}

# refuse NAME STATUS PATTERN ARGUMENTS...
refuse() {
    local name=$1 status=$2 pattern=$3 wrong="" got
    shift 3
    "$sim" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$status" ] || wrong="exit status $got"
    [ "$(wc -l <err)" -eq 1 ] || wrong="$wrong, $(wc -l <err) lines"
    grep -q -e "^osv-sim: .*$pattern" err || wrong="$wrong, says: $(cat err)"
    [ ! -s out ] || wrong="$wrong, writes to standard output"
    verdict "$name" "$wrong"
}

touch plain
mkdir directory
refuse "no program" 2 "no program given"
refuse "unknown option" 2 "'--colour'" --colour ls
refuse "unknown short option" 2 "'-x'" -x ls
refuse "option without its value" 2 "'--cpus' needs a value" --cpus
refuse "no CPUs" 2 "'0' is not a number from 1 to 256" -c 0 ls
refuse "too many CPUs" 2 "'257'" -c 257 ls
refuse "CPUs that are no number" 2 "'2x'" --cpus=2x ls
refuse "memory that is no size" 2 "'1Q'" -m 1Q ls
refuse "negative memory" 2 "'-1G'" --memory=-1G ls
refuse "too little memory" 2 "1M is too little" -m 1M ls
refuse "too much memory" 2 "too much" -m 999999999G ls
refuse "mount without a guest path" 2 "HOST:GUEST" -v /tmp ls
refuse "mount at a relative path" 2 "HOST:GUEST" -v /tmp:here:ro ls
refuse "mount of what is not there" 2 "not a directory" -v /nowhere:/x ls
refuse "variable without a value" 2 "'HOME'" -e HOME ls
refuse "a balloon of no size" 2 "'64Q' is neither a size" --balloon 64Q ls
refuse "a balloon larger than memory" 2 "65536M is more than the machine has (--memory 64M)" -m 64M --balloon 64G ls
refuse "two balloons" 2 "more than one" --balloon 1M --balloon 2M ls
refuse "a balloon's socket that is a file" 2 "plain: it is there already" --balloon ./plain ls
refuse "a balloon's socket nowhere" 2 "/nowhere/x: No such file" --balloon /nowhere/x ls
refuse "a balloon's socket and a seed" 2 "no input of a run with --seed: give a size" --seed 1 --balloon ./new ls
refuse "no such program in PATH" 127 "no-such-program" no-such-program
refuse "no such file" 127 "no such file" ./no-such-program
refuse "a file as a directory" 127 "no such file" ./plain/x
refuse "the empty name" 127 "no such file" ""
refuse "a directory" 126 "is a directory" ./directory
refuse "a file that may not be executed" 126 "Permission denied" ./plain

"$sim" --help >out 2>err
status=$?
wrong=""
[ $status -eq 0 ] && grep -q '^usage: osv-sim' out && [ ! -s err ] || wrong="exit status $status"
verdict "--help" "$wrong"
"$sim" --version >out 2>err
status=$?
wrong=""
[ $status -eq 0 ] && grep -q '^osv-sim [0-9]' out && [ ! -s err ] || wrong="exit status $status"
verdict "--version" "$wrong"

# As somebody who owns nothing. Root becomes that first; the simulator must be where he can read it.
as_nobody() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}
chmod 755 "$scratch"
install -m 755 "$sim" osv-sim
for cpus in 1 2; do
    as_nobody ./osv-sim -c $cpus id -u >out 2>err </dev/null
    status=$?
    wrong=""
    [ $status -eq 0 ] && [ "$(cat out)" = "$(as_nobody id -u)" ] && [ ! -s err ] || wrong="exit status $status, $(cat err)"
    verdict "an unprivileged user, $cpus vCPUs" "$wrong"
done

echo "1..$number"
exit $failed
