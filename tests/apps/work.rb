# SPDX-License-Identifier: BSD-3-Clause
# work.rb: what scripts do with ruby: strings, expressions, threads, files, clocks. Prints what it got; status 5.
require "digest"
require "fileutils"
require "json"
require "set"
require "stringio"
require "tempfile"
require "time"
require "timeout"

def section(name, *values)
  puts "#{name}: #{values.map(&:inspect).join(', ')}"
end

section "strings", "grüße".upcase, "a-b_c".tr("-_", "  ").split, "%08.3f|%-5s|%+d" % [3.14159, "ab", 7], "abc".unpack("C*")
section "expressions", "2024-02-29".match(/(?<y>\d+)-(?<m>\d+)/).named_captures, "aXbXc".gsub(/x/i) { |x| x.ord.to_s },
        "one two".scan(/\w+/), "k1=v1;k2=v2".split(";").to_h { |pair| pair.split("=") }
section "numbers", 2**100, 10.fdiv(3).round(5), 255.to_s(2), Rational(3, 4) + 1, Complex(1, 2) * 2, 7.divmod(-2)
section "collections", (1..20).each_slice(6).map(&:sum), %w[b a c].sort_by { |x| -x.ord }, [3, 1, 2].lazy.map { |x| x * 2 }.first(2)
section "sets", Set[1, 2, 3] & Set[2, 3, 4], { a: 1, b: 2 }.transform_values { |v| v * 10 }.group_by { |_, v| v > 10 }
Point = Struct.new(:x, :y) do
  def +(other) = Point.new(x + other.x, y + other.y)
end
section "objects", Point.new(1, 2) + Point.new(3, 4), Point.instance_method(:+).arity, 5.frozen?, Comparable.instance_methods.sort.first
case { name: "x", at: [1, [2, 3]] }
in { name: String => name, at: [Integer => a, [*, b]] }
  section "patterns", name, a, b
end

counter = 0
lock = Mutex.new
queue = Queue.new
workers = 4.times.map do |number|
  Thread.new do
    200.times { lock.synchronize { counter += 1 } }
    sleep 0.001 * number
    queue << number
  end
end
workers.each(&:join)
section "threads", counter, 4.times.map { queue.pop }.sort, Thread.new { Thread.current[:x] = 1; Thread.stop; :woken }.tap { |t| sleep 0.001 until t.stop?; t.run }.value
section "condition", begin
  ready = ConditionVariable.new
  box = nil
  taker = Thread.new { lock.synchronize { ready.wait(lock) until box; box } }
  lock.synchronize { box = "given"; ready.signal }
  taker.value
end
section "timeout", begin
  Timeout.timeout(0.02) { sleep 30 }
rescue Timeout::Error => error
  error.message
end
fibers = Fiber.new { 3.times { |i| Fiber.yield i * i }; :done }
section "fibers", 4.times.map { fibers.resume }, Enumerator.produce(1) { |x| x * 3 }.take(5)

before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
sleep 0.01
section "clocks", Process.clock_gettime(Process::CLOCK_MONOTONIC) - before >= 0.01, Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) > 0,
        Time.at(1_000_000_000).utc.iso8601, Time.utc(2000, 2, 29).yday, Time.parse("2001-02-03 04:05:06 UTC").to_i
trap("USR1") { queue << :trapped }
Process.kill("USR1", Process.pid)
section "signals", queue.pop, Signal.list.values_at("INT", "KILL")
reader, writer = IO.pipe
Thread.new { sleep 0.002; writer.puts "through a pipe"; writer.close }
section "pipe", IO.select([reader], nil, nil, 10) == [[reader], [], []], reader.read

FileUtils.mkdir_p "folder/inner"
File.write "folder/text", "line\n" * 1000
File.open("folder/text", "r+") { |file| file.seek(-5, IO::SEEK_END); file.write "LAST\n"; file.flock(File::LOCK_EX) }
section "files", File.size("folder/text"), File.foreach("folder/text").count, IO.readlines("folder/text").last, Dir.glob("folder/**/*").sort
File.rename "folder/text", "folder/inner/moved"
File.symlink "inner/moved", "folder/link"
section "links", File.readlink("folder/link"), File.stat("folder/link").size, File.lstat("folder/link").symlink?, File.exist?("none")
section "absent", (File.open("none") rescue $!.class)
Tempfile.create("temporary", ".") { |file| file << "text"; file.flush; section "temporary", File.read(file.path) }
FileUtils.rm_r "folder"
section "json", JSON.parse('{"a": [1, 2.5, null, "\u00e9"]}'), JSON.generate({ "k" => [true, { "n" => nil }] })
section "digests", Digest::SHA256.hexdigest("text")[0, 16], Digest::MD5.base64digest("text"), ["text"].pack("m0"), "text".sum, "text".crypt("ab")
section "marshal", Marshal.load(Marshal.dump([1, "two", :three, { 4.0 => nil }])), StringIO.new("a\nb").each_line.to_a
section "errors", begin
  [1].fetch(9)
rescue IndexError => error
  [error.message, error.backtrace.size]
ensure
  puts "ensured"
end
section "memory", 50_000.times.map { |i| "string #{i}" }.sum(&:size), GC.start, ObjectSpace.each_object(Class).include?(Point)
at_exit { puts "at exit" }
exit 5
