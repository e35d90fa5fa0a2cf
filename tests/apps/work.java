// SPDX-License-Identifier: BSD-3-Clause
// work.java: what Java programs do: collections, streams, text, threads, files, digests, archives, garbage.
import java.io.*;
import java.math.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.text.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;
import java.util.function.*;
import java.util.regex.*;
import java.util.stream.*;
import java.util.zip.*;

public class work {
    record Point(int x, int y) {
        double length() { return Math.sqrt(x * x + y * y); }
    }

    sealed interface Shape permits Circle, Square {}
    record Circle(double radius) implements Shape {}
    record Square(double side) implements Shape {}

    static double area(Shape shape) {
        if (shape instanceof Circle circle) {
            return Math.PI * circle.radius() * circle.radius();
        }
        return shape instanceof Square square ? square.side() * square.side() : 0;
    }

    static void language() {
        System.out.println(new Point(3, 4) + " " + new Point(3, 4).length());
        System.out.printf("%.6f %.3f%n", area(new Circle(2)), area(new Square(1.5)));
        System.out.println("""
            a block of
              text""");
        System.out.println(switch (7 % 4) { case 3 -> "three"; default -> "else"; });
        try {
            Object[] wrong = new Integer[1];
            wrong[0] = "text";
        } catch (ArrayStoreException problem) {
            System.out.println(problem.getMessage());
        }
        try {
            System.out.println(((String) null).length());
        } catch (NullPointerException problem) {
            System.out.println("no string");
        }
        System.out.println(deep(0) > 1000);
    }

    static int deep(int level) {
        try {
            return deep(level + 1);
        } catch (StackOverflowError end) {
            return level;
        }
    }

    static void collections() {
        Map<String, Integer> words = new TreeMap<>();
        for (String word : "the quick brown fox jumps over the lazy dog the end".split(" ")) {
            words.merge(word, 1, Integer::sum);
        }
        System.out.println(words);
        System.out.println(IntStream.rangeClosed(1, 20).filter(n -> n % 3 == 0).boxed()
            .collect(Collectors.partitioningBy(n -> n % 2 == 0)));
        System.out.println(IntStream.range(0, 1000000).parallel().mapToLong(n -> (long) n * n).sum());
        Matcher matcher = Pattern.compile("(?<key>\\w+)=(\\d+)").matcher("a=1, bc=22; d=x");
        while (matcher.find()) {
            System.out.println(matcher.group("key") + " -> " + matcher.group(2));
        }
        BigInteger product = BigInteger.ONE;
        for (int n = 2; n <= 60; ++n) {
            product = product.multiply(BigInteger.valueOf(n));
        }
        System.out.println(product + " " + new BigDecimal(2).sqrt(new MathContext(50)));
        System.out.println(LocalDate.of(2024, 2, 29).plusYears(1) + " " + Duration.ofSeconds(98765));
        System.out.println(String.format(Locale.ROOT, "%08.3f|%-8s|%,d|%x", Math.E, "left", 1234567, 48879));
    }

    static void threads() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> parts = new ArrayList<>();
        for (int part = 0; part < 16; ++part) {
            final int start = part;
            parts.add(pool.submit(() ->
                LongStream.range(start * 10000L, start * 10000L + 10000).map(n -> n * n % 7).sum()));
        }
        long sum = 0;
        for (Future<Long> part : parts) {
            sum += part.get();
        }
        System.out.println("sum " + sum);
        ReentrantLock lock = new ReentrantLock();
        Condition turn = lock.newCondition();
        int[] count = {0};
        Runnable player = () -> {
            for (int i = 0; i < 500; ++i) {
                lock.lock();
                try {
                    ++count[0];
                    turn.signal();
                    turn.awaitNanos(1000);
                } catch (InterruptedException problem) {
                    return;
                } finally {
                    lock.unlock();
                }
            }
        };
        Thread one = new Thread(player), two = new Thread(player);
        one.start();
        two.start();
        one.join();
        two.join();
        System.out.println("turns " + count[0]);
        BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(3);
        Thread producer = new Thread(() -> {
            try {
                for (int i = 0; i < 1000; ++i) {
                    queue.put(i);
                }
                queue.put(-1);
            } catch (InterruptedException problem) {
                Thread.currentThread().interrupt();
            }
        });
        producer.start();
        long taken = 0;
        for (int item; (item = queue.take()) >= 0;) {
            taken += item;
        }
        System.out.println("taken " + taken);
        Thread sleeper = new Thread(() -> {
            try {
                Thread.sleep(100000);
            } catch (InterruptedException problem) {
                System.out.println("interrupted");
            }
        });
        sleeper.start();
        sleeper.interrupt();
        sleeper.join();
        System.out.println(CompletableFuture.supplyAsync(() -> 6).thenCombine(
            CompletableFuture.supplyAsync(() -> 7), (a, b) -> a * b).get());
        pool.shutdown();
        System.out.println(pool.awaitTermination(1, TimeUnit.MINUTES));
    }

    static void files() throws Exception {
        Path folder = Files.createDirectories(Path.of("java.tmp/inner"));
        Path file = folder.resolve("lines");
        Files.write(file, IntStream.range(0, 1000).mapToObj(n -> "line " + n).toList());
        try (Stream<String> lines = Files.lines(file)) {
            System.out.println(lines.filter(line -> line.endsWith("7")).count());
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
            map.put(0, (byte) 'L');
            map.force();
            ByteBuffer start = ByteBuffer.allocate(6);
            channel.read(start, 0);
            System.out.println(new String(start.array(), StandardCharsets.US_ASCII) + " " + channel.size());
        }
        try (RandomAccessFile random = new RandomAccessFile(file.toFile(), "rw")) {
            random.seek(100);
            System.out.println(random.readLine() + " " + random.getFilePointer());
        }
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        System.out.println(HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file))));
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(packed)) {
            zip.putNextEntry(new ZipEntry("lines"));
            Files.copy(file, zip);
        }
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(packed.toByteArray()))) {
            System.out.println(zip.getNextEntry().getName() + " " + zip.readAllBytes().length);
        }
        Pipe pipe = Pipe.open();
        pipe.sink().write(ByteBuffer.wrap("through a pipe".getBytes()));
        ByteBuffer came = ByteBuffer.allocate(100);
        System.out.println(pipe.source().read(came));
        try (Stream<Path> tree = Files.walk(Path.of("java.tmp"))) {
            tree.sorted(Comparator.reverseOrder()).forEach(path -> {
                System.out.println(path);
                path.toFile().delete();
            });
        }
        try {
            Files.readString(Path.of("absent"));
        } catch (NoSuchFileException problem) {
            System.out.println("absent: " + problem.getMessage());
        }
    }

    static void garbage() {
        List<byte[]> kept = new LinkedList<>();
        long sum = 0;
        for (int i = 0; i < 20000; ++i) {
            byte[] block = new byte[10000];
            block[i % block.length] = (byte) i;
            kept.add(block);
            if (kept.size() > 500) {
                sum += kept.remove(0)[i % 7];
            }
        }
        System.gc();
        System.out.println("garbage " + sum + " " + kept.size());
    }

    public static void main(String[] arguments) throws Exception {
        language();
        collections();
        threads();
        files();
        garbage();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        System.exit(3);
    }
}
