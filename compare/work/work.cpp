// twinbox-work: small measurements of what a box costs a running program. Static, so that it runs
// in any image; a fixed amount of work, so that it repeats where time is counted in instructions.
//
// Usage: twinbox-work page-touch MIB | tlb MIB | syscalls | processes
// Prints one line: "syscalls: 104.2 ns/call".
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

constexpr std::size_t page = 4096;

double now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void report(const char* name, double value, const char* unit) {
  std::printf("%s: %.2f %s\n", name, value, unit);
}

volatile char* map_pages(std::size_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);  // or every host would count another thing
  return static_cast<volatile char*>(memory);
}

// The first write to each page of fresh memory.
void page_touch(std::size_t bytes) {
  constexpr int rounds = 4;
  double took = 0;
  for (int round = 0; round < rounds; ++round) {
    volatile char* const memory = map_pages(bytes);
    const double begin = now_ns();
    for (std::size_t at = 0; at < bytes; at += page) memory[at] = 1;
    took += now_ns() - begin;
    ::munmap(const_cast<char*>(memory), bytes);
  }
  report("page-touch", took / rounds / static_cast<double>(bytes / page), "ns/page");
}

// Dependent reads, each of another page in an order that no prefetcher knows: a walk of the page
// tables each, through those of host and guest in a machine.
void tlb(std::size_t bytes) {
  const std::size_t pages = bytes / page;
  std::vector<std::uint32_t> order(pages);
  for (std::size_t i = 0; i < pages; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::uint64_t state = 88172645463325252U;  // xorshift64 (Marsaglia 2003)
  for (std::size_t left = pages; left > 1; --left) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    std::swap(order[left - 1], order[state % left]);
  }
  volatile char* const memory = map_pages(bytes);
  // A different cache line in each page, or all would share a set of the cache.
  const auto cell = [&](std::uint32_t number) {
    return reinterpret_cast<volatile std::uint32_t*>(memory + number * page + number % 64 * 64);
  };
  for (std::size_t i = 0; i < pages; ++i) *cell(order[i]) = order[(i + 1) % pages];
  constexpr int accesses = 1'000'000;
  std::uint32_t at = order[0];
  const double begin = now_ns();
  for (int i = 0; i < accesses; ++i) at = *cell(at);
  const double took = now_ns() - begin;
  if (at >= pages) fail("the chain is broken");
  report("tlb", took / accesses, "ns/access");
}

void syscalls() {
  constexpr int calls = 500'000;
  const double begin = now_ns();
  for (int i = 0; i < calls; ++i) ::syscall(SYS_getppid);
  report("syscalls", (now_ns() - begin) / calls, "ns/call");
}

void processes(char* program) {
  constexpr int count = 200;
  std::string action = "nothing";
  char* const arguments[] = {program, action.data(), nullptr};
  const double begin = now_ns();
  for (int i = 0; i < count; ++i) {
    pid_t pid = 0;
    if (::posix_spawn(&pid, program, nullptr, nullptr, arguments, environ) != 0) fail("spawn");
    if (::waitpid(pid, nullptr, 0) != pid) fail("wait");
  }
  report("processes", (now_ns() - begin) / count / 1000, "us/process");
}

}  // namespace

int main(int count, char** values) {
  const std::string action = count > 1 ? values[1] : "";
  const std::size_t bytes = (count > 2 ? std::strtoul(values[2], nullptr, 10) : 32) << 20U;
  if (action == "nothing") return 0;
  if (action == "page-touch") {
    page_touch(bytes);
  } else if (action == "tlb") {
    tlb(bytes);
  } else if (action == "syscalls") {
    syscalls();
  } else if (action == "processes") {
    processes(values[0]);
  } else {
    std::fprintf(stderr, "usage: twinbox-work page-touch MIB | tlb MIB | syscalls | processes\n");
    return 2;
  }
  return 0;
}
