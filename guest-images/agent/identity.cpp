#include "guest-images/agent/identity.hpp"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <string>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::agent {
namespace {

// The layout of RNDADDENTROPY's argument: struct rand_pool_info, with room for what we get.
struct Seed {
  int entropy_bits = 0;
  int size = 0;
  std::array<unsigned char, 32> bytes{};
};

Seed seed_from(const std::string& digits) {
  Seed seed;
  if (digits.size() != 2 * seed.bytes.size()) {
    throw base::Error(base::ErrorKind::system, "a seed of a wrong length");
  }
  for (std::size_t i = 0; i < seed.bytes.size(); ++i) {
    const char* const digit = digits.data() + 2 * i;
    if (std::from_chars(digit, digit + 2, seed.bytes.at(i), 16).ptr != digit + 2) {
      throw base::Error(base::ErrorKind::system, "a seed that is not hexadecimal");
    }
  }
  seed.size = static_cast<int>(seed.bytes.size());
  seed.entropy_bits = 8 * seed.size;
  return seed;
}

// Mixed in, and used at once: the kernel would go on with the key that all copies have for up to a
// minute.
void reseed(const Seed& seed) {
  const auto random = base::open_file("/dev/urandom", O_WRONLY);
  if (::ioctl(random.get(), RNDADDENTROPY, &seed) != 0 ||
      ::ioctl(random.get(), RNDRESEEDCRNG) != 0) {
    base::throw_errno("cannot seed the random number generator");
  }
}

}  // namespace

void set_clock(std::uint64_t nanoseconds) {
  const timespec now{.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000U),
                     .tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000U)};
  if (::clock_settime(CLOCK_REALTIME, &now) != 0) base::throw_errno("cannot set the clock");
}

void become_copy(const base::JsonView& identity) {
  set_clock(identity.get<std::uint64_t>("clock_ns"));
  reseed(seed_from(identity.get<std::string>("entropy")));
}

}  // namespace twinbox::agent
