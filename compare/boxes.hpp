// Boxes that run at the same time, and what becomes of those that ran already.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "compare/box.hpp"

namespace twinbox::compare {

// A box that has ended although nothing asked it to, or not as it was asked to.
struct Death {
  std::size_t number = 0;  // 1 for the box that was added first
  int status = 0;          // as a shell reports it
  std::string reason;      // as it says itself

  std::string told() const;
  // What the host lacked, as far as the end tells: "out of memory" for a box that was killed, which
  // is what kernels do to those that have to go then; else "instance died".
  std::string constraint() const;
};

// At the end of its life all are asked to end before it waits for the first.
class Boxes {
 public:
  Boxes() = default;
  Boxes(const Boxes&) = delete;
  Boxes& operator=(const Boxes&) = delete;
  ~Boxes();

  void add(Box box) { boxes_.push_back(std::move(box)); }
  void reserve(std::size_t count) { boxes_.reserve(count); }
  // Looks at each: the first that does not run any more.
  std::optional<Death> find_dead();
  // Ends their input, and waits for the end of each: the first whose status is not 0.
  [[nodiscard]] std::optional<Death> finish(std::chrono::seconds timeout);

  bool empty() const { return boxes_.empty(); }
  std::size_t size() const { return boxes_.size(); }
  Box& operator[](std::size_t index) { return boxes_[index]; }
  const Box& back() const { return boxes_.back(); }

 private:
  Death death_of(std::size_t index) const;

  std::vector<Box> boxes_;
};

}  // namespace twinbox::compare
