#include "container/seccomp_search.hpp"

#include <linux/seccomp.h>

#include <cstddef>
#include <span>

#include "base/error.hpp"

namespace twinbox::container {
namespace {

using Program = std::vector<sock_filter>;

constexpr unsigned longest_jump = 255;

// Calls from `first` up to the next stretch.
struct Stretch {
  std::uint32_t first;
  bool allowed;
};

std::vector<Stretch> stretches_of(const std::set<std::uint32_t>& numbers) {
  std::vector<Stretch> stretches{{0, numbers.contains(0)}};
  for (const auto number : numbers) {
    if (!stretches.back().allowed) stretches.push_back({number, true});
    if (!numbers.contains(number + 1)) stretches.push_back({number + 1, false});
  }
  return stretches;
}

std::uint8_t jump_over(std::size_t instructions) {
  if (instructions > longest_jump) {
    throw base::Error(base::ErrorKind::internal, "the search of allowed calls is too long");
  }
  return static_cast<std::uint8_t>(instructions);
}

class Search {
 public:
  explicit Search(const std::set<std::uint32_t>& numbers) {
    const auto stretches = stretches_of(numbers);
    if (stretches.size() > 1) {
      add(stretches);
    } else {  // a comparison whose outcome does not matter
      const auto only = verdict(stretches.front());
      place(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0), only, only);
    }
  }

  // Ends with the verdict `allowed`; all other calls go on `behind` instructions after it.
  Program program(std::size_t behind) && {
    for (std::size_t at = 0; at < program_.size(); ++at) {
      program_[at].jt = distance(at, targets_[at].if_true, behind);
      program_[at].jf = distance(at, targets_[at].if_false, behind);
    }
    program_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return std::move(program_);
  }

 private:
  static constexpr std::size_t to_allowed = SIZE_MAX;
  static constexpr std::size_t to_others = SIZE_MAX - 1;
  struct Targets {
    std::size_t if_true, if_false;
  };

  static std::size_t verdict(const Stretch& stretch) {
    return stretch.allowed ? to_allowed : to_others;
  }

  std::size_t place(sock_filter instruction, std::size_t if_true, std::size_t if_false) {
    program_.push_back(instruction);
    targets_.push_back({if_true, if_false});
    return program_.size() - 1;
  }

  // Where the search in `stretches` begins: its first instruction, or the verdict of the only one.
  std::size_t add(std::span<const Stretch> stretches) {
    if (stretches.size() == 1) return verdict(stretches.front());
    const bool hole = stretches.size() == 3 && stretches[1].first + 1 == stretches[2].first;
    if (hole) {
      return place(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, stretches[1].first, 0, 0),
                   verdict(stretches[1]), verdict(stretches[0]));
    }
    const auto middle = stretches.size() / 2;
    const auto at = place(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, stretches[middle].first, 0, 0), 0, 0);
    const auto below = add(stretches.first(middle));
    const auto above = add(stretches.subspan(middle));
    targets_[at] = {above, below};
    return at;
  }

  std::uint8_t distance(std::size_t from, std::size_t target, std::size_t behind) const {
    const auto place = target == to_allowed  ? program_.size()
                       : target == to_others ? program_.size() + 1 + behind
                                             : target;
    return jump_over(place - from - 1);
  }

  Program program_;
  std::vector<Targets> targets_;
};

// What follows is the architecture's alone: a call of another goes on behind the search, with the
// architecture still loaded.
Program search_of(const AllowedCalls& calls, std::size_t behind) {
  Program search{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  const auto rest = Search(calls.numbers).program(behind);
  search.insert(search.end(), rest.begin(), rest.end());
  const sock_filter is_its =
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls.architecture, 0, jump_over(search.size()));
  search.insert(search.begin(), is_its);
  return search;
}

}  // namespace

// The kernel tries every call of both architectures when a filter is installed: each instruction on
// the way to a verdict costs a start.
Program search_of_allowed(const std::array<AllowedCalls, 2>& calls) {
  const auto second = search_of(calls[1], 0);
  const auto first = search_of(calls[0], second.size());
  Program program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch))};
  program.insert(program.end(), first.begin(), first.end());
  program.insert(program.end(), second.begin(), second.end());
  return program;
}

}  // namespace twinbox::container
