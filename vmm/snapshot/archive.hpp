// The state of a machine's parts as one run of bytes, written and read back in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace twinbox::vmm {

// Appends plain structures and lists of them. Structures are stored as they are in memory: a
// snapshot's version stands for their layouts, see snapshot/format.hpp.
class StateWriter {
 public:
  // Begins a part of the machine; the reader must ask for the same.
  void section(std::string_view name);

  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& object) { append(std::as_bytes(std::span(&object, 1))); }

  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void put_list(std::span<const T> list) {
    put(static_cast<std::uint64_t>(list.size()));
    append(std::as_bytes(list));
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void append(std::span<const std::byte> bytes);

  std::vector<std::byte> bytes_;
};

// Reads what a StateWriter wrote. Throws base::Error where that ends early or is another part's.
class StateReader {
 public:
  // The bytes are borrowed.
  explicit StateReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  void section(std::string_view name);

  template <typename T>
  requires std::is_trivially_copyable_v<T> T get() {
    if constexpr (std::is_same_v<T, bool>) {  // no other byte is one
      const auto byte = get<std::uint8_t>();
      if (byte > 1) fail();
      return byte == 1;
    }
    T object;
    std::memcpy(&object, take(sizeof(T)).data(), sizeof(T));
    return object;
  }

  template <typename T>
  requires std::is_trivially_copyable_v<T> std::vector<T> get_list() {
    const auto count = get<std::uint64_t>();
    if (count > rest_.size() / sizeof(T)) fail();
    const auto bytes = take(count * sizeof(T));
    std::vector<T> list(count);
    if (count != 0) std::memcpy(list.data(), bytes.data(), bytes.size());
    return list;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::byte> take(std::uint64_t size);
  [[noreturn]] void fail() const;

  std::span<const std::byte> rest_;
  std::string_view section_;  // for errors
};

}  // namespace twinbox::vmm
