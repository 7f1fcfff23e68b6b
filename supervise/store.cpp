#include "supervise/store.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "supervise/names.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr auto record_name = "box.json";
constexpr auto spec_name = "config.json";
constexpr std::size_t id_length = 12;
constexpr int killed = 128 + 9;

// Under another name first: a reader must never see half of it. There is nothing to sync, since no
// running box survives a power cut.
void replace_file(const fs::path& path, const std::string& text) {
  const auto draft = path.string() + ".new";
  base::write_file(draft, text);
  if (::rename(draft.c_str(), path.c_str()) != 0) {
    base::throw_errno("cannot write {}", path.string());
  }
}

// None where it is not written yet, was never written, or the box is gone.
std::optional<BoxRecord> read_record(const fs::path& directory) {
  try {
    const auto path = directory / record_name;
    return record_from_json(base::read_file(path), path.string());
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

bool is_id(const std::string& name) {
  return name.size() == id_length &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<std::string> ids_in(const fs::path& boxes) {
  std::vector<std::string> ids;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(boxes, missing)) {
    auto name = entry.path().filename().string();
    if (is_id(name)) ids.push_back(std::move(name));
  }
  return ids;
}

// Whether a process owns, or should own, a box with this record.
bool wants_owner(const BoxState& state) { return state.supervisor != 0; }

}  // namespace

OwnedBox::~OwnedBox() {
  if (kept_) directory_.release();
}

sandbox::Spec OwnedBox::spec() const {
  const auto file = path() / spec_name;
  return sandbox::spec_from_json(base::read_file(file), file.string());
}

void OwnedBox::change(const std::function<void(BoxRecord&)>& change) {
  auto changed = record_;
  change(changed);
  replace_file(path() / record_name, to_json(changed));
  record_ = std::move(changed);
}

void OwnedBox::write_spec(const sandbox::Spec& spec) {
  replace_file(path() / spec_name, sandbox::to_json(spec));
}

void OwnedBox::rename(std::string_view new_name) {
  const Names names(path().parent_path());
  const auto old_name = record_.name;
  names.claim(std::string(new_name), record_.id);
  try {
    change([&](BoxRecord& record) { record.name = new_name; });
  } catch (...) {
    names.release(std::string(new_name), record_.id);
    throw;
  }
  names.release(old_name, record_.id);
}

// The directory goes with directory_, after its name, so that a name never leads to a box that is
// half removed.
void OwnedBox::remove() {
  if (!std::exchange(kept_, false)) return;
  Names(path().parent_path()).release(record_.name, record_.id);
  const sandbox::OwnedDirectory removed = std::move(directory_);
}

OwnedBox BoxStore::create(std::string_view name, const BoxSettings& settings, sandbox::Spec spec,
                          const Complete& complete) {
  BoxRecord record{.id = {}, .name = {}, .settings = settings, .state = {}};
  record.state.created = now();
  OwnedBox box(sandbox::OwnedDirectory::create(boxes_), std::move(record));
  const auto id = box.directory_.name();
  try {
    const Names names(boxes_);
    box.record_.id = id;
    if (name.empty()) {
      box.record_.name = names.claim_any(id);
    } else {
      names.claim(std::string(name), id);
      box.record_.name = name;
    }
    if (complete) complete(box.record_, spec);
    box.write_spec(spec);
    box.change([](BoxRecord&) {});
  } catch (...) {
    box.remove();
    throw;
  }
  return box;
}

OwnedBox BoxStore::own(const std::string& id) {
  auto directory = sandbox::OwnedDirectory::take(this->directory(id));
  auto record = directory ? read_record(directory->path()) : std::nullopt;
  if (!record) {
    if (directory) directory->release();
    const auto current = find(id);
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("box {} is in use by another command", current.name),
                      "try again in a moment");
  }
  return {std::move(*directory), std::move(*record)};
}

std::vector<BoxRecord> BoxStore::list() const {
  std::vector<BoxRecord> records;
  for (const auto& id : ids_in(boxes_)) {
    if (auto record = read_record(boxes_ / id)) records.push_back(std::move(*record));
  }
  std::ranges::sort(records, [](const BoxRecord& one, const BoxRecord& other) {
    return one.state.created > other.state.created;
  });
  return records;
}

BoxRecord BoxStore::find(std::string_view reference) const {
  const std::string wanted(reference);
  std::vector<std::string> candidates;
  if (is_id(wanted)) candidates.push_back(wanted);
  if (const auto named = Names(boxes_).find(wanted)) candidates.push_back(*named);
  for (const auto& id : candidates) {
    if (auto record = read_record(boxes_ / id)) return std::move(*record);
  }
  candidates = wanted.empty() ? std::vector<std::string>() : ids_in(boxes_);
  std::erase_if(candidates, [&](const std::string& id) { return !id.starts_with(wanted); });
  if (candidates.size() > 1) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("{} boxes have ids that begin with {}", candidates.size(), wanted),
        "give more of the id");
  }
  auto record = candidates.empty() ? std::nullopt : read_record(boxes_ / candidates.front());
  if (record) return std::move(*record);
  throw base::Error(base::ErrorKind::not_found, fmt::format("no such box: {}", reference),
                    "see: twinbox ps -a");
}

fs::path BoxStore::directory(const std::string& id) const { return boxes_ / id; }

sandbox::Spec BoxStore::spec(const std::string& id) const {
  const auto file = boxes_ / id / spec_name;
  return sandbox::spec_from_json(base::read_file(file), file.string());
}

void BoxStore::rename(const std::string& id, std::string_view new_name) {
  own(id).rename(new_name);
}

void BoxStore::sweep(const CleanUp& clean_up) {
  std::error_code missing;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(boxes_, missing)) found.push_back(entry.path());
  for (const auto& path : found) {
    try {
      sweep_one(path, clean_up);
    } catch (const base::Error& error) {
      base::log(base::LogLevel::warning, "cannot undo what {} left: {}", path.string(),
                error.what());
    }
  }
}

void BoxStore::sweep_one(const fs::path& path, const CleanUp& clean_up) {
  // Given up already; any number of processes may remove it at once.
  if (!is_id(path.filename())) return base::remove_tree(path);
  const auto before = read_record(path);
  if (before && !wants_owner(before->state) &&
      !(before->settings.remove_at_end && before->state.status == Status::exited)) {
    return;
  }
  auto directory = sandbox::OwnedDirectory::take(path);
  if (!directory) return;
  auto record = read_record(path);  // what its owner wrote last
  if (!record) {
    clean_up({}, path.filename(), path);
    return Names(boxes_).release_all(path.filename());
  }
  OwnedBox box(std::move(*directory), std::move(*record));
  if (wants_owner(box.record().state))
    clean_up(box.record().settings.engine, box.record().id, path);
  if (box.record().settings.remove_at_end) return box.remove();
  if (wants_owner(box.record().state)) box.change(end_of_orphan);
}

void BoxStore::end_of_orphan(BoxRecord& record) {
  auto& state = record.state;
  if (state.status != Status::created) {
    state.status = Status::exited;
    state.exit_code = killed;
    state.error = "its supervisor was killed";
    state.finished = now();
  }
  state.pid = 0;
  state.supervisor = 0;
}

}  // namespace twinbox::supervise
