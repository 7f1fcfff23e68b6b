#include "base/error.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {

int run(const Arguments&) {
  throw base::Error(base::ErrorKind::unsupported, "'run' is not built in yet");
}

}  // namespace twinbox::cli
