#include "cli/format_syntax.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace twinbox::cli::format {
namespace {

constexpr std::string_view blanks = " \t\r\n";

[[noreturn]] void fail(std::string message) {
  throw base::Error(base::ErrorKind::usage, "--format: " + std::move(message),
                    "for example: --format '{{.ID}} {{.Names}}', or: --format json");
}

// One action's pipeline.
class PipelineParser {
 public:
  explicit PipelineParser(std::string_view action) : action_(action), tokens_(tokens_of(action)) {}

  Pipeline run() {
    auto pipeline = this->pipeline();
    if (current().kind != Token::Kind::end) unexpected();
    return pipeline;
  }

 private:
  const Token& current() const { return tokens_[at_]; }
  bool is_sign(std::string_view sign) const {
    return current().kind == Token::Kind::sign && current().text == sign;
  }
  [[noreturn]] void unexpected() const {
    fail(current().kind == Token::Kind::end
             ? fmt::format("{{{{{}}}}} ends too early", action_)
             : fmt::format("'{}' in {{{{{}}}}} is not understood", current().text, action_));
  }

  Pipeline pipeline() {
    Pipeline result;
    const auto start = at_;
    while (current().kind == Token::Kind::variable) {
      result.declared.push_back(tokens_[at_++].text);
      if (!is_sign(",")) break;
      ++at_;
    }
    if (!result.declared.empty() && (is_sign(":=") || is_sign("="))) {
      result.assigns = is_sign("=");
      ++at_;
    } else {
      result.declared.clear();
      at_ = start;
    }
    result.commands.push_back(command());
    while (is_sign("|")) {
      ++at_;
      result.commands.push_back(command());
    }
    return result;
  }

  bool at_operand() const {
    return current().kind != Token::Kind::end &&
           (current().kind != Token::Kind::sign || is_sign("("));
  }

  Command command() {
    Command result;
    if (!at_operand()) unexpected();
    if (current().kind == Token::Kind::word && !is_constant(current().text)) {
      result.function = tokens_[at_++].text;
    }
    while (at_operand()) result.operands.push_back(operand());
    if (result.function.empty() && result.operands.size() != 1) unexpected();
    return result;
  }

  static bool is_constant(std::string_view word) {
    return word == "true" || word == "false" || word == "nil";
  }

  Operand operand() {
    const auto& token = tokens_[at_++];
    Operand result;
    switch (token.kind) {
      case Token::Kind::text:
        result.literal = token.text;
        return result;
      case Token::Kind::number:
        result.literal = number(token.text);
        return result;
      case Token::Kind::word:
        result = word(token.text);
        return result;
      case Token::Kind::field:
        result.kind = Operand::Kind::dot;
        result.fields = base::split(token.text, '.');
        return result;
      case Token::Kind::variable:
        result.kind = Operand::Kind::variable;
        result.variable = token.text;
        break;
      default:  // "("
        result.kind = Operand::Kind::nested;
        result.nested = std::make_shared<Pipeline>(pipeline());
        if (!is_sign(")")) unexpected();
        ++at_;
    }
    if (current().kind == Token::Kind::field && !current().after_blank) {
      result.fields = base::split(tokens_[at_++].text, '.');
    }
    return result;
  }

  std::int64_t number(const std::string& text) const {
    const auto value = base::parse_number<std::int64_t>(text);
    if (!value) fail(fmt::format("'{}' in {{{{{}}}}} is no number", text, action_));
    return *value;
  }

  // A function without operands stands for its value, as in Go.
  static Operand word(const std::string& text) {
    Operand result;
    if (text == "nil") return result;
    if (is_constant(text)) {
      result.literal = text == "true";
      return result;
    }
    Pipeline call;
    call.commands.push_back({.function = text, .operands = {}});
    result.kind = Operand::Kind::nested;
    result.nested = std::make_shared<Pipeline>(std::move(call));
    return result;
  }

  std::string_view action_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

// The whole text.
class BlockParser {
 public:
  explicit BlockParser(std::string_view text) : rest_(text) {}

  Block run() {
    auto block = this->block();
    if (!ending_.empty()) fail(fmt::format("{{{{{}}}}} without a beginning", ending_));
    return block;
  }

 private:
  // Up to the end, or an action that ends or parts a block: it is left in ending_.
  Block block() {
    Block result;
    ending_ = {};
    while (!rest_.empty()) {
      const auto open = rest_.find("{{");
      add_text(result, rest_.substr(0, open), open);
      if (open == std::string_view::npos) break;
      const auto action = take_action(open);
      const auto keyword = action.substr(0, action.find_first_of(blanks));
      if (keyword == "end" || keyword == "else") {
        ending_ = action;
        return result;
      }
      if (!action.starts_with("/*")) result.nodes.push_back(node(keyword, action));
    }
    rest_ = {};
    return result;
  }

  void add_text(Block& block, std::string_view text, std::size_t open) {
    if (std::exchange(trim_, false)) {
      text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    }
    if (open != std::string_view::npos && rest_.substr(open).starts_with("{{- ")) {
      text = text.substr(0, text.find_last_not_of(blanks) + 1);
    }
    if (text.empty()) return;
    Node node;
    node.text = text;
    block.nodes.push_back(std::move(node));
  }

  // Without braces, trim markers and blanks around it.
  std::string_view take_action(std::size_t open) {
    const auto close = end_of_action(open + 2);
    auto action = rest_.substr(open + 2, close - open - 2);
    if (action.starts_with("- ")) action.remove_prefix(1);
    trim_ = action.ends_with(" -");
    if (trim_) action.remove_suffix(1);
    rest_.remove_prefix(close + 2);
    action.remove_prefix(std::min(action.find_first_not_of(blanks), action.size()));
    action = action.substr(0, action.find_last_not_of(blanks) + 1);
    if (action.empty()) fail("an action {{}} without content");
    return action;
  }

  // Braces in quoted text are text.
  std::size_t end_of_action(std::size_t from) const {
    char quote = 0;
    for (auto i = from; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quote != 0) {
        if (quote == '"' && c == '\\') ++i;
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '`') {
        quote = c;
      } else if (rest_.substr(i).starts_with("}}")) {
        return i;
      }
    }
    fail(fmt::format("'{}' has no closing }}}}", rest_.substr(from - 2)));
  }

  Node node(std::string_view keyword, std::string_view action) {
    Node result;
    result.kind = keyword == "if"      ? Node::Kind::if_
                  : keyword == "range" ? Node::Kind::range
                  : keyword == "with"  ? Node::Kind::with
                                       : Node::Kind::action;
    if (result.kind == Node::Kind::action) {
      result.pipeline = PipelineParser(action).run();
      return result;
    }
    result.pipeline = PipelineParser(action.substr(keyword.size())).run();
    parse_body(result, action);
    return result;
  }

  void parse_body(Node& node, std::string_view action) {
    node.body = block();
    if (ending_.starts_with("else")) {
      const auto more =
          ending_.substr(std::min(ending_.find_first_not_of(blanks, 4), ending_.size()));
      if (!more.empty()) {  // "else if": one "end" ends both
        node.otherwise.nodes.push_back(
            this->node(more.substr(0, more.find_first_of(blanks)), more));
        return;
      }
      node.otherwise = block();
    }
    if (ending_ != "end") fail(fmt::format("{{{{{}}}}} has no {{{{end}}}}", action));
    ending_ = {};
  }

  std::string_view rest_;
  std::string_view ending_;
  bool trim_ = false;
};

}  // namespace

Block parse(std::string_view text) { return BlockParser(text).run(); }

}  // namespace twinbox::cli::format
