#include "sandbox/state_store.hpp"

#include <unistd.h>

#include <ctime>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::sandbox {
namespace {

namespace fs = std::filesystem;
constexpr auto record_name = "box.json";

void write_record(const fs::path& directory, const BoxRecord& record) {
  const base::Json json{{"id", record.id},
                        {"engine", record.engine},
                        {"image", record.image},
                        {"pid", record.pid},
                        {"created", record.created}};
  // Under another name first: a reader must never see half of it. There is nothing to sync, since
  // a box does not survive a power cut.
  const auto draft = directory / "box.json.new";
  base::write_file(draft, json.dump());
  fs::rename(draft, directory / record_name);
}

BoxRecord parse_record(const fs::path& path) {
  const auto json = base::parse_json(base::read_file(path), path.string());
  const base::JsonView view(json, path);
  return {.id = view.get<std::string>("id"),
          .engine = view.get<std::string>("engine"),
          .image = view.get<std::string>("image"),
          .pid = view.get<pid_t>("pid"),
          .created = view.get<std::int64_t>("created")};
}

// None where it is not written yet, was never written, or did not survive a power cut.
std::optional<BoxRecord> read_record(const fs::path& directory) {
  try {
    return parse_record(directory / record_name);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

BoxDirectory BoxDirectory::create(const fs::path& boxes, std::string_view engine,
                                  std::string_view image) {
  BoxDirectory box(OwnedDirectory::create(boxes));
  write_record(box.path(), {.id = box.id(),
                            .engine = std::string(engine),
                            .image = std::string(image),
                            .pid = ::getpid(),
                            .created = std::time(nullptr)});
  return box;
}

fs::path boxes_directory() { return data_root() / "boxes"; }

std::vector<BoxRecord> list_boxes(const fs::path& boxes) {
  std::vector<BoxRecord> records;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(boxes, missing)) {
    if (entry.path().has_extension()) continue;  // given up, and about to vanish
    if (auto record = read_record(entry.path())) records.push_back(std::move(*record));
  }
  return records;
}

void sweep_boxes(const fs::path& boxes, const CleanUp& clean_up) {
  sweep_ownerless(boxes, [&](const fs::path& directory) {
    const auto record = read_record(directory);
    clean_up(record ? record->engine : std::string(), directory.filename(), directory);
  });
}

}  // namespace twinbox::sandbox
