#include "guest-images/agent/mark_register.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::agent {
namespace {

constexpr std::size_t page_size = 4096;

std::uint64_t parse_address(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t address = 0;
  std::from_chars(text.data(), text.data() + text.size(), address, 16);
  return address;
}

}  // namespace

MarkRegister::MarkRegister(const std::string& address) {
  const auto where = parse_address(address);
  if (where == 0) return;
  try {
    const auto memory = base::open_file("/dev/mem", O_RDWR | O_SYNC);
    page_ = base::Mapping::of_file(memory.get(), page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                                   static_cast<off_t>(where));
  } catch (const base::Error&) {
    // A kernel without /dev/mem runs its workload just as well, only unmeasured.
  }
}

void MarkRegister::stamp(sandbox::Mark mark) {
  if (page_.data() == nullptr) return;
  *reinterpret_cast<volatile std::uint32_t*>(page_.data()) = static_cast<std::uint32_t>(mark);
}

}  // namespace twinbox::agent
