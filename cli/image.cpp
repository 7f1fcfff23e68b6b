#include "base/error.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {

int image(const Arguments&) {
  throw base::Error(base::ErrorKind::unsupported, "'image' is not built in yet");
}

}  // namespace twinbox::cli
