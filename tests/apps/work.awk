# SPDX-License-Identifier: BSD-3-Clause
# work.awk: what scripts do with gawk: fields, arrays, regular expressions, formats, functions, time, sorting.
function fibonacci(n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2) }

function join(array, count, separator,    i, text) {
    for (i = 1; i <= count; ++i) {
        text = text (i > 1 ? separator : "") array[i]
    }
    return text
}

function by_value(i1, v1, i2, v2) { return v1 != v2 ? v2 - v1 : (i1 < i2 ? -1 : i1 > i2) }

BEGIN {
    OFS = "|"
    printf "%d %5.2f %e %x %o %c%c %-6s|%6s|%05d %s%%\n", 42.9, 3.14159, 12345.678, 255, 8, 65, "xyz", "ab", "cd", 42, "x"
    print length("four"), substr("abcdef", 2, 3), index("foobar", "bar"), toupper("abc"), tolower("DEF")
    print match("xxabbbcyy", /ab+c/), RSTART, RLENGTH, gensub(/(a)(b+)/, "<\\2\\1>", "g", "abbbab"), 2 ** 10, 7 % 3, -7 % 3
    print int(-3.7), sqrt(2), sin(1), cos(1), atan2(1, 2), exp(1), log(10), 1e300 * 1e10, 100000 * 100000, 0.1 + 0.2
    n = split("one, two;three", parts, /[,;] */, separators)
    print n, join(parts, n, "/"), separators[1] separators[2], strtonum("0x1f"), and(12, 10), or(12, 10), xor(12, 10), lshift(1, 4), compl(0) > 0
    print strftime("%Y-%m-%d %H:%M:%S %a %j", 1234567890, 1), mktime("2001 09 09 01 46 40"), typeof(parts), typeof(1), typeof("a"), typeof(/x/)
    print fibonacci(18), patsplit("a1b22c333", found, /[0-9]+/), found[3], substr("hello", 0), substr("hello", -1, 3)
    text = "the cat sat on the mat"
    print gsub(/at/, "og", text), text, sub(/the/, "[&]", text), text
    matrix[1][2] = 3; matrix[1]["x"] = 4
    print isarray(matrix[1]), length(matrix[1]), matrix[1][2], (3 in matrix), ("x" in matrix[1])
    while ((getline line < ARGV[1]) > 0) {
        ++lines
    }
    close(ARGV[1])
    print lines, (getline line < "no such file"), ERRNO, PROCINFO["version"] >= "5", ENVIRON["LC_ALL"]
    srand(7); first = rand(); srand(7)
    print first == rand(), srand(1), substr(first, 1, 6)
}

BEGINFILE { print "file " (FILENAME ~ /lines$/ ? "lines" : FILENAME) }

{
    ++count[$2]
    total += $3
    longest = length($0) > length(longest) ? $0 : longest
    if ($1 % 2) { odd[FNR] = $3 }
}

/[aeiou]{2}/ { ++doubles }
$3 ~ /^[0-9]*7$/, $3 ~ /^[0-9]*3$/ { ++ranges }
NR == 5 { $2 = "changed"; print; print NF, $NF; NF = 2; print }
NR == 6 { nextfile_at = FNR; next }

END {
    print NR, total, longest, doubles, ranges, length(odd), nextfile_at
    PROCINFO["sorted_in"] = "by_value"
    shown = 0
    for (word in count) {
        if (shown++ < 12) {
            print word, count[word]
        }
    }
    amount = asorti(count, names)
    print amount, names[1], names[amount]
    print asort(odd, sorted), sorted[1], sorted[length(sorted)]
    printf "%s %s\n", "to a file", amount > "made.txt"
    print "more" >> "made.txt"
    close("made.txt")
    while ((getline line < "made.txt") > 0) { print "read back: " line }
    print "to the error stream" > "/dev/stderr"
    switch (amount) {
    case /^[0-9]$/: print "one digit"; break
    default: print "more digits"
    }
    RS = ""; FS = "\n"
    printf "%s", sprintf("%.3f %i %5s%%\n", 2 / 3, "12abc", "é")
    exit 3
}
