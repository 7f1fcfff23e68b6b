#include "cli/boxes.hpp"

#include "sandbox/paths.hpp"

namespace twinbox::cli {

supervise::BoxStore box_store() { return supervise::BoxStore(sandbox::data_root() / "boxes"); }

}  // namespace twinbox::cli
