#include "cli/format_template.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cli/format_functions.hpp"
#include "cli/format_syntax.hpp"

namespace twinbox::cli {
namespace {

using base::Json;
using namespace format;

std::string members_of(const Json& value) {
  std::string names;
  for (const auto& [name, member] : value.items()) names += (names.empty() ? "." : ", .") + name;
  return names;
}

const Json& member(const Json& value, const std::string& name) {
  if (value.is_object() && value.contains(name)) return value.at(name);
  throw base::Error(
      base::ErrorKind::usage, fmt::format("--format: there is no field .{}", name),
      value.is_object() && !value.empty() ? "there are: " + members_of(value) : std::string());
}

class Renderer {
 public:
  explicit Renderer(const Json& data) { variables_.emplace_back("$", data); }

  void render(const Block& block, const Json& dot) {
    const auto known = variables_.size();
    for (const auto& node : block.nodes) render(node, dot);
    variables_.resize(known);
  }

  std::string take() { return std::move(out_); }

 private:
  void render(const Node& node, const Json& dot) {
    switch (node.kind) {
      case Node::Kind::text:
        out_ += node.text;
        break;
      case Node::Kind::action:
        render_action(node.pipeline, dot);
        break;
      case Node::Kind::range:
        render_range(node, dot);
        break;
      default:
        render_choice(node, dot);
    }
  }

  void render_action(const Pipeline& pipeline, const Json& dot) {
    auto value = evaluate(pipeline, dot);
    if (pipeline.declared.empty()) {
      out_ += to_text(value);
    } else if (pipeline.assigns) {
      variable(pipeline.declared.back()) = std::move(value);
    } else {
      variables_.emplace_back(pipeline.declared.back(), std::move(value));
    }
  }

  void render_choice(const Node& node, const Json& dot) {
    const auto known = variables_.size();
    const auto value = evaluate(node.pipeline, dot);
    if (!node.pipeline.declared.empty()) {
      variables_.emplace_back(node.pipeline.declared.back(), value);
    }
    const bool with = node.kind == Node::Kind::with && is_true(value);
    render(is_true(value) ? node.body : node.otherwise, with ? value : dot);
    variables_.resize(known);
  }

  void render_range(const Node& node, const Json& dot) {
    const auto value = evaluate(node.pipeline, dot);
    if (!value.is_structured() || value.empty()) return render(node.otherwise, dot);
    const auto& declared = node.pipeline.declared;
    std::int64_t position = 0;
    for (const auto& [key, element] : value.items()) {
      const auto known = variables_.size();
      if (declared.size() > 1) {
        variables_.emplace_back(declared.front(), value.is_object() ? Json(key) : Json(position));
      }
      if (!declared.empty()) variables_.emplace_back(declared.back(), element);
      render(node.body, element);
      variables_.resize(known);
      ++position;
    }
  }

  Json evaluate(const Pipeline& pipeline, const Json& dot) {
    std::vector<Json> passed;
    for (const auto& command : pipeline.commands) {
      std::vector<Json> values;
      for (const auto& operand : command.operands) values.push_back(evaluate(operand, dot));
      std::ranges::move(passed, std::back_inserter(values));
      passed.clear();
      passed.push_back(command.function.empty() ? values.front() : call(command.function, values));
    }
    return passed.front();
  }

  Json evaluate(const Operand& operand, const Json& dot) {
    Json value;
    switch (operand.kind) {
      case Operand::Kind::literal:
        return operand.literal;
      case Operand::Kind::dot:
        value = dot;
        break;
      case Operand::Kind::variable:
        value = variable(operand.variable);
        break;
      case Operand::Kind::nested:
        value = evaluate(*operand.nested, dot);
    }
    for (const auto& field : operand.fields) value = Json(member(value, field));
    return value;
  }

  Json& variable(const std::string& name) {
    for (auto& [known, value] : variables_ | std::views::reverse) {
      if (known == name) return value;
    }
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--format: there is no variable {}", name));
  }

  std::vector<std::pair<std::string, Json>> variables_;
  std::string out_;
};

}  // namespace

FormatTemplate::FormatTemplate(std::string_view text)
    : root_(std::make_shared<const Block>(parse(text))) {}

std::string FormatTemplate::render(const Json& data) const {
  Renderer renderer(data);
  renderer.render(*root_, data);
  return renderer.take();
}

}  // namespace twinbox::cli
