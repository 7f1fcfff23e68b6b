#include "cli/boxes.hpp"

#include "sandbox/paths.hpp"

namespace twinbox::cli {

supervise::BoxStore box_store() { return supervise::BoxStore(sandbox::boxes_directory()); }

}  // namespace twinbox::cli
