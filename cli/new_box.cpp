#include "cli/new_box.hpp"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "cli/boxes.hpp"
#include "cli/engines.hpp"
#include "cli/new_copy.hpp"
#include "cli/run_spec.hpp"
#include "image/workload.hpp"
#include "supervise/events.hpp"

namespace twinbox::cli {
namespace {

std::unique_ptr<sandbox::Engine> engine_of(const supervise::BoxRecord& record) {
  return make_engine(record.settings.engine);
}

void write_id_file(const std::string& file, const std::string& id) {
  if (file.empty()) return;
  const auto opened = base::open_file(file, O_WRONLY | O_CREAT | O_EXCL);
  base::write_all(opened.get(), std::string_view(id));
}

}  // namespace

void check_id_file(const std::string& file) {
  if (file.empty() || !std::filesystem::exists(file)) return;
  throw base::Error(base::ErrorKind::conflict,
                    fmt::format("the file {} of a box's id is there already", file),
                    "make sure that the other box is not needed, or remove the file");
}

NewBox plan_box(const RunOptions& options) {
  check_id_file(options.id_file);
  auto wanted = make_engine(options.engine);
  NewBox box{
      .name = options.name,
      .id_file = options.id_file,
      .settings = {},
      .spec = {},
      .image = std::make_shared<image::PreparedImage>(image::Store().prepare(options.image))};
  box.spec = make_spec(options, *box.image);
  box.settings = make_settings(options, *box.image);
  box.settings.command = box.spec.process.args;
  box.settings.engine =
      usable_engine(std::move(wanted), {.image = options.image, .command = options.command})
          ->name();
  return box;
}

supervise::OwnedBox make_box(const NewBox& box, MadeBy by) {
  auto made = box_store().create(
      box.name, box.settings, box.spec, [by](supervise::BoxRecord& record, sandbox::Spec& spec) {
        if (by == MadeBy::supervisor) record.state.supervisor = ::getpid();
        if (spec.hostname.empty()) spec.hostname = record.id;
        image::set_default_variable(spec.process.env, "HOSTNAME=" + spec.hostname);
      });
  try {
    write_id_file(box.id_file, made.record().id);
  } catch (...) {
    made.remove();
    throw;
  }
  supervise::emit(made.record(), "create");
  return made;
}

supervise::SupervisorRequest launch_request(const NewBox& box) {
  using Root = supervise::SupervisorRequest::Root;
  std::vector<int> locks;
  for (const auto& lock : box.image->locks) locks.push_back(lock.get());
  return {.open = [box] { return make_box(box, MadeBy::supervisor); },
          .make_engine = engine_of,
          .prepare_root =
              [image = box.image, saved = box.saved](const supervise::BoxRecord&) {
                return Root{.files = image->root, .hold = image, .saved = saved};
              },
          .descriptors = std::move(locks),
          .die_with_parent = false};
}

supervise::SupervisorRequest launch_request(const supervise::BoxRecord& record) {
  using Root = supervise::SupervisorRequest::Root;
  return {.open = [id = record.id] { return box_store().own(id); },
          .make_engine = engine_of,
          .prepare_root =
              [](const supervise::BoxRecord& box) {
                const auto image = std::make_shared<image::PreparedImage>(
                    image::Store().prepare(box.settings.image, box.settings.image_id));
                return Root{.files = image->root, .hold = image, .saved = saved_in(box.settings)};
              },
          .descriptors = {},
          .die_with_parent = false};
}

}  // namespace twinbox::cli
