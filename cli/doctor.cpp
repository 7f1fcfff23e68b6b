#include "base/error.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {

int doctor(const Arguments&) {
  throw base::Error(base::ErrorKind::unsupported, "'doctor' is not built in yet");
}

}  // namespace twinbox::cli
