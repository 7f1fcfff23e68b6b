// The init of a guest that reads a disk past its page cache, for block_vs_qemu. The kernel's
// command line becomes its environment: disk=/dev/vda job=random|sequential|again count=N
// depth=N, that many threads at once. Prints "done JOB COUNT NANOSECONDS" on the console, and waits
// to be ended.
#include <fcntl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t mebibyte = 1U << 20;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  while (true) ::pause();
}

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

int open_disk(const char* path) {
  // The driver of persistent memory finds it in the background.
  for (int tries = 0; tries < 500; ++tries) {
    const int fd = ::open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (fd >= 0) return fd;
    ::usleep(2000);
  }
  fail(path);
}

void read_at(int fd, void* buffer, std::size_t size, off_t offset) {
  if (::pread(fd, buffer, size, offset) != static_cast<ssize_t>(size)) fail("pread");
}

class Reader {
 public:
  Reader(int fd, std::string_view job) : fd_(fd), job_(job) {
    const off_t end = ::lseek(fd, 0, SEEK_END);
    places_ = static_cast<std::uint64_t>(end) / size_;
    if (job == "again") read(places_, 1);  // all of it has been read before
  }

  // `seed` is another for each thread.
  void read(unsigned long count, std::uint64_t seed) const {
    void* const buffer = std::aligned_alloc(page, size_);
    std::memset(buffer, 1, size_);
    std::uint64_t random = seed;
    for (unsigned long i = 0; i < count; ++i) {
      random = random * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
      const auto place = job_ == "random" ? (random >> 33) % places_ : i % places_;
      read_at(fd_, buffer, size_, static_cast<off_t>(place * size_));
    }
  }

 private:
  int fd_;
  std::string_view job_;
  std::size_t size_ = job_ == "random" ? page : mebibyte;
  std::uint64_t places_ = 0;
};

void work(int fd, std::string_view job, unsigned long count, unsigned long depth) {
  const Reader reader(fd, job);
  std::vector<std::thread> threads;
  const std::uint64_t start = now();
  for (unsigned long i = 1; i < depth; ++i)
    threads.emplace_back([&, i] { reader.read(count / depth, i + 1); });
  reader.read(count / depth, 1);
  for (auto& thread : threads) thread.join();
  std::printf("done %s %lu %lu\n", job.data(), count, now() - start);
}

const char* setting(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) fail(name);
  return value;
}

}  // namespace

int main() {
  ::mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  const int console = ::open("/dev/console", O_RDWR);
  if (console >= 0) ::dup2(console, STDOUT_FILENO);
  if (console >= 0) ::dup2(console, STDERR_FILENO);
  work(open_disk(setting("disk")), setting("job"), std::strtoul(setting("count"), nullptr, 10),
       std::strtoul(setting("depth"), nullptr, 10));
  std::fflush(stdout);
  while (true) ::pause();
}
