// SPDX-License-Identifier: BSD-3-Clause
// work.cc: the C++ run-time on our threads: iostream, exceptions, thread_local, mutexes, condition variables, futures.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <queue>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

std::atomic<int> destroyed{0};

struct Noisy {
    int value = 7;
    ~Noisy() { destroyed += value; }
};

thread_local Noisy noisy;
thread_local int depth = 41;

class Queue
{
  public:
    void put(int value)
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            items_.push(value);
        }
        ready_.notify_one();
    }

    int take()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        ready_.wait(lock, [this] { return !items_.empty(); });
        int value = items_.front();
        items_.pop();
        return value;
    }

  private:
    std::mutex mutex_;
    std::condition_variable ready_;
    std::queue<int> items_;
};

int thrower(int level)
{
    std::string local(100, static_cast<char>('a' + level));
    if (level == 0) {
        throw std::runtime_error("from the bottom");
    }
    return thrower(level - 1) + static_cast<int>(local.size());
}

void exceptions()
{
    try {
        thrower(20);
    } catch (const std::exception &error) {
        std::cout << "caught: " << error.what() << "\n";
    }
    try {
        try {
            throw 42;
        } catch (int) {
            throw;
        }
    } catch (int value) {
        std::cout << "rethrown: " << value << "\n";
    }
    try {
        std::vector<int>(3).at(10) = 1;
    } catch (const std::out_of_range &) {
        std::cout << "out of range\n";
    }
    try {
        std::vector<int> numbers{3, 1, 2};
        qsort(numbers.data(), numbers.size(), sizeof(int),
              [](const void *, const void *) -> int { throw std::string("through qsort"); });
    } catch (const std::string &text) {
        std::cout << "caught: " << text << "\n";
    }
}

void streams()
{
    std::ostringstream out;
    out << std::setw(8) << std::setfill('*') << 42 << std::hex << ' ' << 255 << std::dec << ' '
        << std::fixed << std::setprecision(3) << 2.0 / 3 << ' ' << std::boolalpha << true;
    std::cout << out.str() << "\n";
    std::istringstream in("1 2 3 4.5 word");
    int a, b, c;
    double d;
    std::string word;
    in >> a >> b >> c >> d >> word;
    std::cout << a + b + c << ' ' << d << ' ' << word << "\n";
    std::ofstream file("work.cc.out");
    for (int i = 0; i < 1000; ++i) {
        file << i << '\n';
    }
    file.close();
    std::ifstream back("work.cc.out");
    std::cout << std::accumulate(std::istream_iterator<int>(back), std::istream_iterator<int>(), 0)
              << "\n";
    std::remove("work.cc.out");
}

void threads(int count)
{
    std::mutex mutex;
    std::map<int, int> seen;
    std::vector<std::thread> all;
    long total = 0;
    for (int i = 0; i < count; ++i) {
        all.emplace_back([&, i] {
            depth += i;
            noisy.value = 1;
            int caught = 0;
            for (int j = 0; j < 50; ++j) {
                try {
                    thrower(j % 5);
                } catch (const std::runtime_error &) {
                    ++caught;
                }
            }
            std::lock_guard<std::mutex> lock(mutex);
            seen[i] = depth;
            total += caught;
        });
    }
    for (std::thread &thread : all) {
        thread.join();
    }
    std::cout << seen.size() << " threads, " << total << " exceptions, " << seen[count - 1]
              << ", main " << depth << ", destroyed " << destroyed << "\n";
}

void hand_over()
{
    Queue forth, back;
    std::thread echo([&] {
        for (int value; (value = forth.take()) >= 0;) {
            back.put(value * 2);
        }
    });
    long sum = 0;
    for (int i = 0; i < 2000; ++i) {
        forth.put(i);
        sum += back.take();
    }
    forth.put(-1);
    echo.join();
    std::cout << "handed over: " << sum << "\n";
}

void futures()
{
    std::vector<std::future<long>> parts;
    for (int i = 0; i < 8; ++i) {
        parts.push_back(std::async(std::launch::async, [i] {
            long sum = 0;
            for (long n = i * 100000L; n < (i + 1) * 100000L; ++n) {
                sum += n % 7;
            }
            return sum;
        }));
    }
    long sum = 0;
    for (auto &part : parts) {
        sum += part.get();
    }
    std::promise<int> promise;
    std::thread setter(
        [&] { promise.set_exception(std::make_exception_ptr(std::logic_error("promised"))); });
    try {
        promise.get_future().get();
    } catch (const std::logic_error &error) {
        std::cout << "future: " << sum << ", " << error.what() << "\n";
    }
    setter.join();
}

void locks()
{
    std::shared_mutex shared;
    std::recursive_mutex recursive;
    std::timed_mutex timed;
    std::once_flag once;
    std::atomic<int> calls{0}, readers{0};
    long value = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 4; ++i) {
        all.emplace_back([&, i] {
            std::call_once(once, [&] { ++calls; });
            for (int j = 0; j < 500; ++j) {
                if (i == 0) {
                    std::unique_lock<std::shared_mutex> lock(shared);
                    ++value;
                } else {
                    std::shared_lock<std::shared_mutex> lock(shared);
                    readers += value >= 0;
                }
                std::lock_guard<std::recursive_mutex> outer(recursive);
                std::lock_guard<std::recursive_mutex> inner(recursive);
            }
        });
    }
    for (std::thread &thread : all) {
        thread.join();
    }
    timed.lock();
    bool got = true;
    std::thread waiter([&] { got = timed.try_lock_for(std::chrono::milliseconds(5)); });
    waiter.join();
    timed.unlock();
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock<std::mutex> lock(mutex);
    auto status = never.wait_for(lock, std::chrono::milliseconds(5));
    std::cout << "locks: " << value << ' ' << readers << ' ' << calls << ' ' << got << ' '
              << (status == std::cv_status::timeout) << "\n";
}

struct Last {
    ~Last() { std::cout << "static destructor" << std::endl; }
} last;

} // namespace

int main(int argc, char **argv)
{
    int count = argc > 1 ? std::atoi(argv[1]) : 16;
    std::cout << "start " << (argc > 1 ? argv[1] : "") << std::endl;
    exceptions();
    streams();
    threads(count);
    hand_over();
    futures();
    locks();
    std::unique_ptr<int[]> memory(new int[1000]);
    std::fill_n(memory.get(), 1000, 3);
    std::cout << std::accumulate(memory.get(), memory.get() + 1000, 0) << "\n";
    std::cerr << "done" << std::endl;
    std::atexit([] { std::cout << "at exit\n"; });
    return 5;
}
