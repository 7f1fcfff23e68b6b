#include "compare/boxes.hpp"

#include <csignal>

#include "base/error.hpp"

namespace twinbox::compare {

std::string Death::told() const {
  return fmt::format("instance {} ended with status {}: {}", number, status, reason);
}

std::string Death::constraint() const {
  return status == 128 + SIGKILL ? "out of memory" : "instance died";
}

Boxes::~Boxes() {
  for (auto& box : boxes_) box.instance().ask_to_end();
}

std::optional<Death> Boxes::find_dead() {
  for (std::size_t i = 0; i < boxes_.size(); ++i) {
    if (!boxes_[i].instance().is_running()) return death_of(i);
  }
  return std::nullopt;
}

std::optional<Death> Boxes::finish(std::chrono::seconds timeout) {
  std::optional<Death> first;
  for (std::size_t i = 0; i < boxes_.size(); ++i) {
    const auto end = boxes_[i].instance().finish(timeout);
    if (end.status != 0 && !first) first = death_of(i);
  }
  return first;
}

Death Boxes::death_of(std::size_t index) const {
  const auto& instance = boxes_[index].instance();
  return {index + 1, instance.end().status, reason_in(instance.errors())};
}

}  // namespace twinbox::compare
