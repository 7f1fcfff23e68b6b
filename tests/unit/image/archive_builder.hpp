// Builds tar archives for tests, also such as no honest program would write.
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.hpp"

namespace twinbox::image {

// Writes ustar headers by hand: a library would refuse, or mend, the names that matter here.
//
//   TarBuilder tar;
//   tar.file("../escape", "x");
//   unpack(tar.text());
class TarBuilder {
 public:
  TarBuilder& file(std::string_view name, std::string_view content, mode_t mode = 0644) {
    return entry(name, '0', mode, {}, content.size()).data(content);
  }
  TarBuilder& directory(std::string_view name, mode_t mode = 0755) {
    return entry(name, '5', mode, {}, 0);
  }
  TarBuilder& symbolic_link(std::string_view name, std::string_view target) {
    return entry(name, '2', 0777, target, 0);
  }
  TarBuilder& hard_link(std::string_view name, std::string_view target) {
    return entry(name, '1', 0644, target, 0);
  }
  TarBuilder& character_device(std::string_view name, unsigned major_number,
                               unsigned minor_number) {
    entry(name, '3', 0600, {}, 0, major_number, minor_number);
    return *this;
  }
  TarBuilder& fifo(std::string_view name, mode_t mode = 0600) {
    return entry(name, '6', mode, {}, 0);
  }
  using Records = std::vector<std::pair<std::string_view, std::string_view>>;
  // A pax header for the entry that follows (POSIX.1-2017 pax, "pax Header Block").
  TarBuilder& pax(const Records& records) {
    std::string text;
    for (const auto& [key, value] : records) text += record(key, value);
    return entry("pax", 'x', 0644, {}, text.size()).data(text);
  }
  // A file whose header claims `size` bytes that never come.
  TarBuilder& claim(std::string_view name, std::size_t size) {
    return entry(name, '0', 0644, {}, size);
  }

  std::string text() const { return text_ + std::string(1024, '\0'); }
  void save(const std::filesystem::path& path) const { base::write_file(path, text()); }

 private:
  // "LENGTH KEY=VALUE\n", where the length is that of the whole record.
  static std::string record(std::string_view key, std::string_view value) {
    const auto rest = fmt::format(" {}={}\n", key, value);
    auto size = rest.size();
    while (size != rest.size() + std::to_string(size).size()) {
      size = rest.size() + std::to_string(size).size();
    }
    return std::to_string(size) + rest;
  }

  static void octal(char* field, std::size_t width, std::size_t value) {
    for (std::size_t i = width - 1; i-- > 0; value >>= 3U) {
      field[i] = static_cast<char>('0' + (value & 7U));
    }
  }

  TarBuilder& entry(std::string_view name, char type, mode_t mode, std::string_view target,
                    std::size_t size, unsigned major_number = 0, unsigned minor_number = 0) {
    char header[512] = {};
    name.copy(header, 100);
    octal(header + 100, 8, mode);
    octal(header + 108, 8, 0);
    octal(header + 116, 8, 0);
    octal(header + 124, 12, size);
    octal(header + 136, 12, 1'000'000);
    header[156] = type;
    target.copy(header + 157, 100);
    std::memcpy(header + 257, "ustar\00000", 8);
    octal(header + 329, 8, major_number);
    octal(header + 337, 8, minor_number);
    std::memset(header + 148, ' ', 8);
    std::size_t sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    octal(header + 148, 7, sum);
    text_.append(header, sizeof header);
    return *this;
  }

  TarBuilder& data(std::string_view content) {
    text_ += content;
    text_.append((512 - content.size() % 512) % 512, '\0');
    return *this;
  }

  std::string text_;
};

}  // namespace twinbox::image
