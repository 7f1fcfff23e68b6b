// The JSON in which a box is asked for something from afar (the frames start_exec and request).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::sandbox {

// A start_exec frame's payload, without streams and handlers; `box` is the process it names, or 0.
struct ExecWords {
  std::uint32_t box = 0;
  ExecRequest request;
};
ExecWords exec_from_json(std::string_view text);

base::Json to_json(const Resources& limits);
Resources resources_from_json(const base::JsonView& view);

// Asks `box` what `question` says ("statistics", "processes", "changes", "update") and answers as
// JSON text. Throws base::Error when it cannot be asked.
void ask_box(Box& box, const base::JsonView& question, const Answer<std::string>& answer);

// An Answer whose value is passed on as JSON text.
template <typename T>
Answer<T> as_json(const Answer<std::string>& answer) {
  return [answer](const std::variant<T, base::Error>& told) {
    if (const auto* error = std::get_if<base::Error>(&told)) return answer(*error);
    if constexpr (std::is_same_v<T, std::monostate>) {
      answer(std::string("null"));
    } else {
      answer(to_json(std::get<T>(told)));
    }
  };
}

}  // namespace twinbox::sandbox
