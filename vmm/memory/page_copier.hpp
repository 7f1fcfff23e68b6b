// Fills pages that nothing was touched of yet, many at the cost of few page faults.
#pragma once

#include <cstddef>
#include <span>

#include "base/fd.hpp"

namespace twinbox::vmm {

// Puts copies in place of pages of a private mapping that were not touched yet (userfaultfd(2)),
// which takes the kernel half as long as a fault of each. While one of these lives, nobody may
// touch what is missing of `pages`.
class PageCopier {
 public:
  // `pages`: whole pages of anonymous memory, or of a private window of a file on a tmpfs. A kernel
  // that does not offer it, or not for them, is no error: copy() does nothing then.
  explicit PageCopier(std::span<std::byte> pages);

  // False where not all of `target`, some of `pages`, could be filled from `source`, which is as
  // long; a page that was touched before keeps what it holds.
  bool copy(std::span<std::byte> target, std::span<const std::byte> source) const;

 private:
  base::Fd fault_handler_;
};

}  // namespace twinbox::vmm
