#include "compare/report/text.hpp"

#include <string_view>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

unsigned char byte_at(const std::string& text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

}  // namespace

std::string printable(const std::string& text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = byte_at(text, i);
    // U+0080 to U+009F in UTF-8: the control characters that some terminals take for an escape's.
    if (byte == 0xC2 && byte_at(text, i + 1) >= 0x80 && byte_at(text, i + 1) < 0xA0) {
      ++i;
    } else if (byte == '\n' || byte == '\t') {
      shown += ' ';
    } else if (byte >= 0x20 && byte != 0x7F) {
      shown += text[i];
    }
  }
  return shown;
}

std::string markdown_text(const std::string& text) {
  std::string escaped;
  for (const char c : printable(text)) {
    if (c == '<') {
      escaped += "&lt;";
      continue;
    }
    if (std::string_view("|\\`[").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string markdown_code(const std::string& text) {
  std::string fence = "`";
  while (text.find(fence) != std::string::npos) fence += '`';
  // With spaces a backtick at an end of the code is no part of the fence.
  const char* const space = fence.size() > 1 ? " " : "";
  return fence + space + printable(text) + space + fence;
}

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace twinbox::compare
