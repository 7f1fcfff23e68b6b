#include "cli/stopped_box.hpp"

#include "cli/boxes.hpp"
#include "cli/engines.hpp"

namespace twinbox::cli {

StoppedFiles::StoppedFiles(const supervise::BoxRecord& record)
    : owned_(box_store().own(record.id)),
      image_(image::Store().prepare(record.settings.image, record.settings.image_id)),
      engine_(make_engine(record.settings.engine)) {}

sandbox::StoppedBox StoppedFiles::box() const {
  return {.id = owned_.record().id, .directory = owned_.path(), .root = image_.root};
}

}  // namespace twinbox::cli
