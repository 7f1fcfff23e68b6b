#include "image/archive.hpp"

#include "base/error.hpp"

namespace twinbox::image {

void check_archive(archive* handle, int result, std::string_view what) {
  if (result >= ARCHIVE_WARN) return;
  const char* const reason = ::archive_error_string(handle);
  throw base::Error(base::ErrorKind::system,
                    fmt::format("cannot {}: {}", what, reason != nullptr ? reason : "no memory"));
}

Utf8Names::Utf8Names() : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), previous_(nullptr) {
  if (own_ != nullptr) previous_ = ::uselocale(own_);
}

Utf8Names::~Utf8Names() {
  if (own_ == nullptr) return;
  ::uselocale(previous_);
  ::freelocale(own_);
}

}  // namespace twinbox::image
