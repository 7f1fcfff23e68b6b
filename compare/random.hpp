// Seeded random numbers that are the same on every platform and standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace twinbox::compare {

// std::uniform_int_distribution and std::shuffle may differ from one library to the next; a plan or
// an interval that a reader wants to compute again must not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // A number below `bound` (which is at least 1), each with the same probability to within 2^-64.
  std::size_t below(std::size_t bound) {
    return static_cast<std::size_t>((static_cast<Wide>(engine_()) * bound) >> 64U);
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[below(left)]);
    }
  }

 private:
  __extension__ using Wide = unsigned __int128;
  std::mt19937_64 engine_;
};

}  // namespace twinbox::compare
