#include "vmm/snapshot/archive.hpp"

#include "base/error.hpp"

namespace twinbox::vmm {

void StateWriter::section(std::string_view name) {
  put_list(std::span<const char>(name.data(), name.size()));
}

void StateWriter::append(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void StateReader::section(std::string_view name) {
  section_ = name;
  const auto found = get_list<char>();
  if (std::string_view(found.data(), found.size()) != name) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the snapshot has no state of the machine's {} where it is "
                                  "expected: it was taken of another machine",
                                  name),
                      "start it with as many disks and ports as the machine had");
  }
}

std::span<const std::byte> StateReader::take(std::uint64_t size) {
  if (size > rest_.size()) fail();
  const auto taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

void StateReader::fail() const {
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("the snapshot's state of the {} is cut short", section_));
}

}  // namespace twinbox::vmm
