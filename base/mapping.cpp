#include "base/mapping.hpp"

#include <sys/mman.h>

#include <utility>

#include "base/error.hpp"

namespace twinbox::base {

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Mapping Mapping::anonymous(std::size_t size) {
  return of_file(-1, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
}

Mapping Mapping::anonymous_aligned(std::size_t size, std::size_t alignment) {
  auto wide = anonymous(size + alignment);
  const auto start = reinterpret_cast<std::uintptr_t>(wide.data_);
  const auto before = (alignment - start % alignment) % alignment;
  if (before != 0) ::munmap(wide.data_, before);
  ::munmap(wide.data_ + before + size, alignment - before);
  wide.data_ += before;
  wide.size_ = size;
  return wide;
}

Mapping Mapping::of_file(int fd, std::size_t size, int protection, int flags, off_t offset) {
  void* data = ::mmap(nullptr, size, protection, flags, fd, offset);
  if (data == MAP_FAILED) throw_errno("cannot map {} bytes", size);
  return {static_cast<std::byte*>(data), size};
}

}  // namespace twinbox::base
