#include "sandbox/peer_words.hpp"

#include <cctype>
#include <nlohmann/json.hpp>

namespace twinbox::sandbox {
namespace {

constexpr std::size_t longest_text = 1024;

}  // namespace

void violation(const std::string& what) {
  throw base::Error(base::ErrorKind::system, "broke the protocol: " + what);
}

std::string printable(std::string_view text) {
  std::string result(text.substr(0, longest_text));
  while (!result.empty() && result.back() == '\n') result.pop_back();
  for (char& c : result) {
    if (std::iscntrl(static_cast<unsigned char>(c)) != 0 && c != '\t') c = '?';
  }
  return result;
}

Outcome parse_exited(std::string_view payload) {
  const auto json = base::parse_json(payload, "exited");
  const base::JsonView view(json, "exited");
  return {.status = view.get<std::uint8_t>("status"),
          .oom_killed = view.get_or<bool>("oom_killed", false),
          .error = {}};
}

base::Error error_from(const base::JsonView& view, base::ErrorKind kind) {
  const auto number = view.get_or<int>("kind", static_cast<int>(kind));
  if (number < 0 || number > static_cast<int>(base::ErrorKind::internal))
    violation("an error's kind");
  return {static_cast<base::ErrorKind>(number), printable(view.get<std::string>("message")),
          printable(view.get_or<std::string>("hint", ""))};
}

Outcome parse_failed(std::string_view payload) {
  const auto json = base::parse_json(payload, "failed");
  const base::JsonView view(json, "failed");
  const int status = view.get<int>("status");
  if (status < 1 || status > status_command_not_found) {
    violation(fmt::format("status {} of a process that never ran", status));
  }
  const auto kind =
      status == status_command_not_found ? base::ErrorKind::not_found : base::ErrorKind::system;
  return {.status = status, .oom_killed = false, .error = error_from(view, kind)};
}

}  // namespace twinbox::sandbox
