-- SPDX-License-Identifier: BSD-3-Clause
-- work.lua: strings, tables, closures, coroutines, files, the collector; prints only what is the same on every machine.
-- usage: work.lua [rounds]: more rounds are more work and the same output.
local rounds = tonumber(arg and arg[1]) or 1

local function section(name)
    print("== " .. name)
end

-- A small checksum, so that long results take one line.
local function checksum(text)
    local a, b = 1, 0
    for i = 1, #text do
        a = (a + text:byte(i)) % 65521
        b = (b + a) % 65521
    end
    return string.format("%08x", b * 65536 + a)
end

-- A generator of numbers that does not depend on the platform.
local function random(seed)
    local state = seed
    return function(limit)
        state = (state * 1103515245 + 12345) % 2147483648
        return state // 65536 % limit
    end
end

section("arithmetic")
print(7 // 2, -7 // 2, 7 % -3, 7.5 // 2, 2 ^ 10, 10 / 4)
print(math.maxinteger, math.mininteger, math.maxinteger + 1 == math.mininteger)
print(0x7fffffffffffffff, 0xff, 1e15, 1e16, 0.1, -0.0, 1 / 0, -1 / 0)
print(string.format("%d %5d|%-5d|%05d|%+d", 42, 42, 42, 42, 42))
print(string.format("%g %e %.3f %a", 3.14159, 31415.9, 2 / 3, 1.5))
print(string.format("%x %X %o %c %q", 255, 255, 8, 65, 'a "quoted"\nline\0end'))
print(math.floor(-3.5), math.ceil(-3.5), math.fmod(7, -3), math.tointeger(3.0), math.type(1), math.type(1.0))
print(math.sqrt(2), math.sin(1), math.cos(1), math.exp(1), math.log(10), math.log(8, 2), math.pi)
print(1 << 62, 1 << 63, 1 << 64, 5 & 3, 5 | 3, 5 ~ 3, ~0, -1 >> 60)

section("strings")
local text = "The quick brown fox jumps over the lazy dog"
print(text:upper(), text:lower(), #text, text:reverse())
print(text:sub(5, 9), text:sub(-3), text:find("quick"), text:find("o", 20, true), text:match("(%a+) dog"))
print(text:gsub("o", "0"), (text:gsub("%w+", function(w) return #w end)))
for word in text:gmatch("%a+") do io.write(word:len(), " ") end
print()
print(("x"):rep(10, ","), ("abc"):byte(1, -1), string.char(72, 105))
print(tostring(nil), tostring(true), tonumber("0x1p4"), tonumber("  12  "), tonumber("1e1"), tonumber("z", 36))
print(string.pack("<i4", 100):byte(1, -1), string.unpack("<i4", string.pack("<i4", -2)))
print(utf8.char(228, 8364, 128512), utf8.len("äöü"), #"äöü")
for position, code in utf8.codes("aä€") do io.write(position, ":", code, " ") end
print()
print("a" < "b", "a" < "B", "" < "a", "Z" < "a")

section("tables")
local squares = {}
for i = 1, 20 do squares[i] = i * i end
print(#squares, table.concat(squares, " "), table.unpack(squares, 1, 3))
table.insert(squares, 1, 0)
table.remove(squares)
print(select("#", table.unpack(squares)), squares[1], squares[#squares])
local names = {"pear", "Apple", "fig", "banana", "cherry", "date"}
table.sort(names)
print(table.concat(names, ","))
table.sort(names, function(x, y) return #x < #y or (#x == #y and x < y) end)
print(table.concat(names, ","))
print(table.concat(table.move({1, 2, 3}, 1, 3, 2), ","))
local keys = {}
for k in pairs({x = 1, y = 2, z = 3}) do keys[#keys + 1] = k end
table.sort(keys)
print(table.concat(keys))

section("sorting")
local function shuffled(count, seed)
    local list, next_random = {}, random(seed)
    for i = 1, count do list[i] = i end
    for i = count, 2, -1 do
        local j = next_random(i) + 1
        list[i], list[j] = list[j], list[i]
    end
    return list
end
for round = 1, rounds do
    local list = shuffled(20000, round)
    table.sort(list)
    for i = 1, #list do assert(list[i] == i) end
end
print(checksum(table.concat(shuffled(1000, 7), ",")))

section("closures and metatables")
local function counter()
    local n = 0
    return function() n = n + 1 return n end
end
local first, second = counter(), counter()
print(first(), first(), second(), first())
local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return Vector.new(a.x + b.x, a.y + b.y) end
Vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
Vector.__tostring = function(v) return "(" .. v.x .. ", " .. v.y .. ")" end
Vector.__len = function() return 2 end
Vector.__call = function(v, k) return Vector.new(v.x * k, v.y * k) end
function Vector.new(x, y) return setmetatable({x = x, y = y}, Vector) end
print(tostring(Vector.new(1, 2) + Vector.new(3, 4)), Vector.new(1, 1) == Vector.new(1, 1), #Vector.new(0, 0))
print(tostring(Vector.new(1, 2)(3)))
local defaults = setmetatable({}, {__index = function(t, k) rawset(t, k, k .. "!") return t[k] end})
print(defaults.hello, rawget(defaults, "hello"), rawget(defaults, "other"))

section("errors")
print(pcall(error, "plain"))
print(pcall(error, {code = 7}) == false, select(2, pcall(error, {code = 7})).code)
print(xpcall(function() local x = nil; return x.field end, function(m) return "handled: " .. m:gsub("^.-:%d+: ", "") end))
print(select(2, pcall(string.rep)))
local ok, message = pcall(function() error("deep", 2) end)
print(ok, (tostring(message):gsub("^.-:%d+: ", "")))
local function recurse(n) return n == 0 and 0 or 1 + recurse(n - 1) end
print(recurse(10000), (pcall(function() local function f() return 1 + f() end return f() end)))
do
    local log = {}
    do
        local guard <close> = setmetatable({}, {__close = function() log[#log + 1] = "closed" end})
        log[#log + 1] = "body"
    end
    print(table.concat(log, " "))
end

section("coroutines")
local function producer(limit)
    return coroutine.wrap(function()
        for i = 1, limit do coroutine.yield(i, i * i) end
        return "end"
    end)
end
local produce = producer(3)
print(produce()) print(produce()) print(produce()) print(produce())
local function permutations(list, n)
    n = n or #list
    if n <= 1 then coroutine.yield(table.concat(list)) return end
    for i = 1, n do
        list[i], list[n] = list[n], list[i]
        permutations(list, n - 1)
        list[i], list[n] = list[n], list[i]
    end
end
local all = {}
for p in coroutine.wrap(function() permutations({"a", "b", "c", "d"}) end) do all[#all + 1] = p end
print(#all, all[1], all[#all], checksum(table.concat(all, " ")))
local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) error("inside " .. b) end)
print(coroutine.resume(co, 1)) print(coroutine.status(co), coroutine.isyieldable())
print((select(2, coroutine.resume(co, "x")):gsub("^.-:%d+: ", "")), coroutine.status(co))
for _ = 1, rounds do
    local ring, total = {}, 0
    for i = 1, 100 do
        ring[i] = coroutine.wrap(function() for step = 1, 100 do total = total + step coroutine.yield() end end)
    end
    for _ = 1, 100 do for i = 1, 100 do ring[i]() end end
    assert(total == 100 * 5050)
end

section("sieve and matrices")
local function sieve(limit)
    local composite, primes = {}, {}
    for i = 2, limit do
        if not composite[i] then
            primes[#primes + 1] = i
            for j = i * i, limit, i do composite[j] = true end
        end
    end
    return primes
end
local primes
for _ = 1, rounds do primes = sieve(50000) end
print(#primes, primes[#primes])
local function multiply(a, b, n)
    local c = {}
    for i = 1, n do
        local row = {}
        for j = 1, n do
            local sum = 0.0
            for k = 1, n do sum = sum + a[i][k] * b[k][j] end
            row[j] = sum
        end
        c[i] = row
    end
    return c
end
local n, matrix = 40, {}
for i = 1, n do matrix[i] = {} for j = 1, n do matrix[i][j] = (i * j % 7) / 8 end end
local product
for _ = 1, rounds do product = multiply(matrix, matrix, n) end
print(product[1][1], product[n][n], product[3][5])

section("collector")
collectgarbage()
local before = collectgarbage("count")
local weak, kept = setmetatable({}, {__mode = "v"}), {}
for i = 1, 1000 do
    local object = {i}
    weak[i] = object
    if i % 10 == 0 then kept[#kept + 1] = object end
end
collectgarbage() collectgarbage()
local alive = 0
for _ in pairs(weak) do alive = alive + 1 end
print(alive, #kept)
for _ = 1, rounds do
    local garbage = {}
    for i = 1, 20000 do garbage[i % 100 + 1] = {i, tostring(i), {}} end
end
local finalized = 0
for _ = 1, 100 do setmetatable({}, {__gc = function() finalized = finalized + 1 end}) end
collectgarbage() collectgarbage()
print(finalized, collectgarbage("count") - before < 4096)
for mode = 1, 2 do print(collectgarbage(mode == 1 and "generational" or "incremental")) end

section("text building")
local pieces
for _ = 1, rounds do
    pieces = {}
    for i = 1, 5000 do pieces[#pieces + 1] = string.format("%05d:%s", i, ("k"):rep(i % 13)) end
end
local long = table.concat(pieces, "\n")
print(#long, checksum(long))
local counts = {}
for letter in long:gmatch("%d") do counts[letter] = (counts[letter] or 0) + 1 end
local digits = {}
for d = 0, 9 do digits[#digits + 1] = d .. "=" .. counts[tostring(d)] end
print(table.concat(digits, " "))

section("files")
local name = "work.lua.out"
local file = assert(io.open(name, "w"))
print(io.type(file), io.type(42), tostring(file):match("^file"))
for i = 1, 1000 do file:write("line ", i, "\n") end
print(file:seek("cur"), file:seek("set", 5), file:write("one!") == file, file:seek("end"))
print(file:close(), io.type(file))
local count, sum = 0, 0
for line in io.lines(name) do count = count + 1 sum = sum + #line end
print(count, sum)
file = assert(io.open(name, "rb"))
print(file:read("l"), file:read(4), file:read("n"), file:read("L"))
print(#file:read("a"), file:read("a"), file:read("l"))
file:close()
file = assert(io.open(name, "a+"))
file:setvbuf("full", 4096)
file:write("appended")
file:flush()
file:seek("set", 0)
print(file:read("l"), file:seek("end"))
file:close()
for _ = 1, rounds do
    file = assert(io.open(name, "wb"))
    for i = 1, 2000 do file:write(string.pack("<I4d", i, i / 3)) end
    file:close()
    file = assert(io.open(name, "rb"))
    local data = file:read("a")
    file:close()
    local position, last = 1, nil
    while position <= #data do _, last, position = string.unpack("<I4d", data, position) end
    assert(last == 2000 / 3)
end
print(os.rename(name, name .. ".2"), os.remove(name .. ".2"))
print(io.open("no such file", "r"))
print(io.open("no/such/dir", "w"))
print(os.remove("no such file"))
print(os.getenv("NO_SUCH_VARIABLE"), type(os.time()), os.time({year = 2000, month = 1, day = 1, hour = 12}) ~= nil)
print(os.date("!%Y-%m-%d %H:%M:%S", 86400 * 365), os.setlocale(), os.setlocale("C"))

section("load")
print(load("return 1 + 1")(), load("syntax error here"))
print(load(function() return nil end) ~= nil, pcall(load, 42))
local environment = {print = print}
load("x = 10; y = x * 2", "chunk", "t", environment)()
print(environment.x, environment.y, x)
print(#string.dump(function() return 1 end) > 0, require("string") == string, package.config:sub(1, 1))
io.stderr:write("to the error stream\n")
io.write("no newline at the end of this output")
os.exit(3, true)
