-- SPDX-License-Identifier: BSD-3-Clause
-- script.lua: strings, tables, coroutines, errors and a file, for the program under Valgrind.
local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do
  words[#words + 1] = word:upper():rep(3, "-")
end
table.sort(words)
local generate = coroutine.wrap(function()
  for i = 1, 50 do
    coroutine.yield(i * i)
  end
end)
local sum = 0
for i = 1, 50 do
  sum = sum + generate()
end
local ok, message = pcall(error, { code = 7 })
local name = os.tmpname()
local file = assert(io.open(name, "w"))
file:write(table.concat(words, "\n"), "\n")
file:close()
local lines = 0
for line in io.lines(name) do
  lines = lines + #line
end
os.remove(name)
collectgarbage()
print(#words, sum, ok, message.code, lines, string.format("%5.2f %q", math.pi, "a\nb"))
