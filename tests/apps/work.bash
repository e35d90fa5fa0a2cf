# SPDX-License-Identifier: BSD-3-Clause
# work.bash: what scripts do with bash's own builtins: arrays, expansions, regular expressions, here strings.
declare -A sizes=([small]=1 [large]=100)
declare -i counter=5
numbers=(5 3 9 1)
numbers+=(7)
counter+=10
echo "${#numbers[@]} ${numbers[*]:1:2} ${numbers[-1]} ${!numbers[*]} $counter ${sizes[large]} ${#sizes[@]}"

# An insertion sort.
for ((i = 1; i < ${#numbers[@]}; ++i)); do
    value=${numbers[i]}
    for ((j = i; j > 0 && numbers[j - 1] > value; --j)); do
        numbers[j]=${numbers[j - 1]}
    done
    numbers[j]=$value
done
echo "sorted ${numbers[*]}"

text="The quick brown fox"
echo "${text^^} ${text,,} ${text//o/0} ${text/quick/slow} ${text:4:5} ${text: -3} ${text@Q} ${#text}"
if [[ $text =~ ([a-z]+)\ (b[a-z]+) ]]; then
    echo "matched ${BASH_REMATCH[1]} and ${BASH_REMATCH[2]}"
fi
[[ $text == *fox && ! $text < "A" && -n $text ]] && echo "patterns hold"
shopt -s extglob nullglob
[[ 12345 == +([0-9]) ]] && echo "digits"
files=(*.none)
echo "no files: ${#files[@]}"
printf -v padded '%08.3f|%-6s|%q' 3.14159 ab 'a b'
echo "$padded"
printf '%(%Y-%m-%d)T\n' 86400
read -r -a words <<< "$text and more"
echo "${#words[@]} ${words[4]}"
mapfile -t lines <<< $'one\ntwo\nthree'
echo "${#lines[@]} ${lines[2]}"
IFS=, read -r a b c <<< "x,y,z"
echo "$a$c$b" $((16#ff + 2#101)) $((counter ** 2)) $((RANDOM < 32768))
select_one() { local -n target=$1; target="by reference"; }
select_one reference
echo "$reference ${FUNCNAME[0]:-main} ${BASH_VERSINFO[0]}"
case $text in The*) echo first ;;& *fox) echo second ;; esac
i=0
while ((i++ < 3)); do echo -n "$i "; done
until ((--i <= 0)); do echo -n "$i "; done
echo
{ echo one; echo two; } > made
while IFS= read -r -n 2 piece; do echo "piece $piece"; done < made
let 'x = 3 * 4' 'x += 2'
echo $x {a..e} {1..10..3} pre{x,y}post
set -o pipefail -o noglob
echo *.none
set +o noglob
trap 'echo "line $LINENO failed"' ERR
false
trap - ERR
(( 0 )) || echo "zero is false"
declare -f select_one
declare -p counter
exit 4
