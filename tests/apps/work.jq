# SPDX-License-Identifier: BSD-3-Clause
# work.jq: what filters do with jq: paths, reductions, strings, regular expressions, dates, recursion.
def fibonacci: if . < 2 then . else (. - 1 | fibonacci) + (. - 2 | fibonacci) end;
def primes: [range(2; .)] as $all | reduce $all[] as $n ([]; if any(.[]; . as $p | $n % $p == 0) then . else . + [$n] end);
{
  count: length,
  keys: (.[0] | keys),
  sums: (group_by(.kind) | map({(.[0].kind): (map(.size) | add)}) | add),
  largest: (max_by(.size) | .name),
  sorted: (sort_by(.size, .name) | reverse | .[:5] | map("\(.name)=\(.size)")),
  selected: [.[] | select(.size > 900 and (.name | test("^[aeiou]"))) | .name],
  paths: ([.[0] | paths] | map(map(tostring) | join("."))),
  strings: (.[1].name | [ascii_upcase, length, explode[0], (split("") | reverse | join("")), ltrimstr("a"), @base64, @uri, @html "<\(.)>", @sh, @json, @csv "\([1, "a"])"]),
  matches: ("foo bar foo" | [match("foo"; "g").offset], gsub("(?<x>o+)"; "<\(.x)>"), [scan("[a-z]+")]),
  numbers: [1.5, 3, -2, 1e3, 0.1 + 0.2, (10 | sqrt | floor), (2 | log | . * 1000 | round), infinite, (7 % 3), ("12" | tonumber)],
  dates: (1234567890 | todate, (gmtime | mktime), strftime("%A %d %B %Y %j")),
  fibonacci: (17 | fibonacci),
  primes: (60 | primes),
  deep: ([[1, [2, [3, [4]]]] | .. | numbers] | add),
  entries: ({a: 1, b: 2} | with_entries(.value += 1) | to_entries),
  changed: (.[2] | .size |= . * 2 | del(.kind) | .new = null),
  caught: (try error("thrown") catch .),
  alternative: (.[0].missing // "default"),
  limits: [limit(3; range(100))], 
  indices: ("a,b, cd, efg" | indices(", ")),
  flat: ([1, [2, [3]]] | flatten(1)),
  joined: (reduce range(5) as $i (""; . + ($i | tostring))),
  until: (1 | until(. > 100; . * 2)),
  environment: env.LC_ALL,
  argument: $who,
  utf8: ("na\u00efve \u20ac" | [length, utf8bytelength, ascii_downcase]),
  walked: ([1, {"a": 2}] | walk(if type == "number" then . + 1 else . end)),
  transposed: ([[1, 2], [3]] | transpose),
  cross: [range(2) as $x | range(2) as $y | [$x, $y]],
  stats: (map(.size) | {min: min, max: max, mean: (add / length), unique: (unique | length)})
}
