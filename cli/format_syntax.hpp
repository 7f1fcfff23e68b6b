// Templates taken apart: text into blocks, actions into pipelines.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace twinbox::cli::format {

struct Pipeline;

// What a command is made of: "text", 3, .A.B, $x.A, (pipeline).A.
struct Operand {
  enum class Kind { literal, dot, variable, nested };
  Kind kind = Kind::literal;
  base::Json literal;
  std::string variable;
  std::shared_ptr<const Pipeline> nested;
  std::vector<std::string> fields;
};

struct Command {
  std::string function;  // empty: its only operand is its value
  std::vector<Operand> operands;
};

// Each command gets the value of the one before as its last operand.
struct Pipeline {
  std::vector<std::string> declared;  // "$x :=", "$i, $x :="
  bool assigns = false;               // "=" to what was declared before
  std::vector<Command> commands;
};

struct Node;
struct Block {
  std::vector<Node> nodes;
};

struct Node {
  enum class Kind { text, action, if_, range, with };
  Kind kind = Kind::text;
  std::string text;
  Pipeline pipeline;
  Block body;
  Block otherwise;
};

// Throws base::Error (usage).
Block parse(std::string_view text);

// The pieces of one action. Throws base::Error (usage).
struct Token {
  enum class Kind { text, number, word, field, variable, sign, end };
  Kind kind = Kind::end;
  std::string text;         // of a text: what it means; of a field: without its first dot
  bool after_blank = true;  // a field right after a parenthesis belongs to it
};
std::vector<Token> tokens_of(std::string_view action);

}  // namespace twinbox::cli::format
