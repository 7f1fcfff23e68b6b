#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "cli/format_syntax.hpp"

namespace twinbox::cli::format {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    default:
      return c;
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view action) : rest_(action), whole_(action) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    bool after_blank = true;
    while (!rest_.empty()) {
      if (std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
        rest_.remove_prefix(1);
        after_blank = true;
        continue;
      }
      tokens.push_back(next());
      tokens.back().after_blank = std::exchange(after_blank, false);
    }
    tokens.emplace_back();
    return tokens;
  }

 private:
  Token next() {
    const char c = rest_.front();
    if (c == '"' || c == '`') return {Token::Kind::text, quoted(c)};
    if (c == '.') return {Token::Kind::field, path()};
    if (c == '$') return variable();
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-') return number();
    if (is_word_character(c)) return {Token::Kind::word, word()};
    if (rest_.starts_with(":=")) return {Token::Kind::sign, take(2)};
    if (std::string_view("|(),=").find(c) != std::string_view::npos) {
      return {Token::Kind::sign, take(1)};
    }
    fail();
  }

  std::string take(std::size_t count) {
    const std::string taken(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return taken;
  }

  std::string word() {
    std::size_t length = 0;
    while (length < rest_.size() && is_word_character(rest_[length])) ++length;
    return take(length);
  }

  // ".A.B" as "A.B"; "." as "".
  std::string path() {
    std::string fields;
    while (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      const auto field = word();
      if (field.empty()) break;
      fields += fields.empty() ? field : "." + field;
    }
    return fields;
  }

  Token variable() {
    auto name = take(1);
    name += word();
    return {Token::Kind::variable, name};
  }

  Token number() {
    auto text = take(1);
    text += word();
    if (text == "-") fail();
    return {Token::Kind::number, text};
  }

  std::string quoted(char quote) {
    std::string text;
    std::size_t i = 1;
    for (; i < rest_.size() && rest_[i] != quote; ++i) {
      const bool escape = quote == '"' && rest_[i] == '\\' && i + 1 < rest_.size();
      text += escape ? unescaped(rest_[++i]) : rest_[i];
    }
    if (i >= rest_.size()) fail();
    rest_.remove_prefix(i + 1);
    return text;
  }

  [[noreturn]] void fail() const {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--format: '{}' in {{{{{}}}}} is not understood", rest_, whole_));
  }

  std::string_view rest_;
  std::string_view whole_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view action) { return Lexer(action).run(); }

}  // namespace twinbox::cli::format
