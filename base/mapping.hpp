// An owned memory mapping.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace twinbox::base {

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  // Zeroed private memory, reserved lazily (MAP_NORESERVE). `size` in bytes.
  static Mapping anonymous(std::size_t size);
  // The same, at a multiple of `alignment` (a power of two above the page size).
  static Mapping anonymous_aligned(std::size_t size, std::size_t alignment);
  // A window of `fd` from `offset` (a multiple of the page size). `protection` and `flags` as
  // mmap's.
  static Mapping of_file(int fd, std::size_t size, int protection, int flags, off_t offset = 0);

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  Mapping(std::byte* data, std::size_t size) : data_(data), size_(size) {}

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace twinbox::base
