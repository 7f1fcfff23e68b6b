#include "cli/new_copy.hpp"

#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cli/engines.hpp"
#include "cli/flag_values.hpp"
#include "cli/run_spec.hpp"
#include "supervise/snapshot_store.hpp"

namespace twinbox::cli {
namespace {

// What is as it was when the box was saved, but for what a copy has for itself.
sandbox::Spec spec_of_copy(const RunOptions& options, const supervise::SnapshotRecord& snapshot) {
  auto spec = snapshot.spec;
  // For the processes that are to come; those that run have the old name in their environment.
  std::erase(spec.process.env, "HOSTNAME=" + spec.hostname);
  spec.hostname = options.hostname;
  return spec;
}

}  // namespace

image::PreparedImage image_of(const supervise::SnapshotRecord& snapshot) {
  const auto& settings = snapshot.box.settings;
  try {
    return image::Store().prepare(settings.image, settings.image_id);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    throw base::Error(error.kind(),
                      fmt::format("the image '{}' of the snapshot '{}' is gone ({})",
                                  settings.image, snapshot.name, settings.image_id),
                      "import it again, or remove the snapshot");
  }
}

std::filesystem::path saved_in(const supervise::BoxSettings& settings) {
  if (settings.snapshot.empty()) return {};
  const supervise::SnapshotStore snapshots;
  snapshots.find(settings.snapshot, settings.snapshot_id);
  return snapshots.directory(settings.snapshot);
}

NewBox plan_copy(RunOptions options) {
  check_id_file(options.id_file);
  check_hostname(options.hostname);
  const supervise::SnapshotStore snapshots;
  const auto snapshot = snapshots.find(options.from);
  const auto& was = snapshot.box.settings;
  make_engine(was.engine)->check_host();
  auto image = std::make_shared<image::PreparedImage>(image_of(snapshot));
  auto spec = spec_of_copy(options, snapshot);
  options.terminal = spec.process.terminal;
  auto settings = settings_of_copy(options, was);
  settings.snapshot = snapshot.name;
  settings.snapshot_id = snapshot.id;
  return {.name = options.name,
          .id_file = options.id_file,
          .settings = std::move(settings),
          .spec = std::move(spec),
          .image = std::move(image),
          .saved = snapshots.directory(snapshot.name)};
}

}  // namespace twinbox::cli
