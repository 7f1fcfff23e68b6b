// Strings and numbers one after the other, each string behind its length: for what this program
// writes for itself alone and reads again at every start, where parsing JSON takes too long.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace twinbox::base {

//   PackedWriter writer;
//   writer.put(id);
//   writer.put(words);
//   ...
//   PackedReader reader(text);
//   const auto id = reader.string();
//   const auto words = reader.strings();
class PackedWriter {
 public:
  void put(std::uint64_t number) {
    text_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void put(std::string_view string) {
    put(std::uint64_t{string.size()});
    text_ += string;
  }
  void put(const std::vector<std::string>& strings) {
    put(std::uint64_t{strings.size()});
    for (const auto& string : strings) put(string);
  }
  void put(const std::map<std::string, std::string>& map) {
    put(std::uint64_t{map.size()});
    for (const auto& [key, value] : map) {
      put(key);
      put(value);
    }
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Throws base::Error (system) where the text ends too soon.
class PackedReader {
 public:
  explicit PackedReader(std::string_view text) : rest_(text) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string string() { return std::string(take(number())); }
  std::vector<std::string> strings() {
    std::vector<std::string> result;
    for (auto left = number(); left > 0; --left) result.push_back(string());
    return result;
  }
  std::map<std::string, std::string> map() {
    std::map<std::string, std::string> result;
    for (auto left = number(); left > 0; --left) {
      auto key = string();
      result.insert_or_assign(std::move(key), string());
    }
    return result;
  }
  // How many bytes have not been read yet.
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) throw Error(ErrorKind::system, "packed text ends too soon");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace twinbox::base
