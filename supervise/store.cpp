#include "supervise/store.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "supervise/events.hpp"
#include "supervise/names.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr auto spec_name = "config.json";
constexpr std::size_t id_length = 12;
constexpr int killed = 128 + 9;

// How long own() waits for a command that holds a box only for a moment.
constexpr auto patience = std::chrono::seconds(2);

bool is_id(const std::string& name) {
  return name.size() == id_length &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<std::string> ids_in(const fs::path& boxes) {
  std::vector<std::string> ids;
  for (auto& name : base::names_in(boxes)) {
    if (is_id(name)) ids.push_back(std::move(name));
  }
  return ids;
}

// Whether it has a workload, or had when its owner was killed.
bool ran(const BoxState& state) {
  return state.status != Status::created && state.status != Status::exited &&
         state.status != Status::dead;
}

// Whether a process owns, or should own, a box in this state.
bool wants_owner(const BoxState& state) { return state.supervisor != 0 || ran(state); }

// Whether the box is to vanish where nobody owns it.
bool wants_removal(const BoxRecord& record) {
  if (record.state.status == Status::removing) return true;
  return record.settings.remove_at_end &&
         (record.state.status != Status::created || wants_owner(record.state));
}

void end_of_orphan(BoxRecord& record) {
  auto& state = record.state;
  if (ran(state)) {
    state.status = Status::exited;
    state.exit_code = killed;
    state.error = "its supervisor was killed";
    state.finished = now();
  }
  state.pid = 0;
  state.supervisor = 0;
}

// A box whose record cannot be understood is no rubbish: another version's, or a damaged disk's.
void require_half_made(const fs::path& box) {
  const auto file = box / record_name;
  if (!fs::exists(file)) return;
  std::string reason = "its record has only now been written";
  try {
    record_from_json(base::read_file(file), file.string());
  } catch (const base::Error& error) {
    reason = error.message();
  }
  throw base::Error(base::ErrorKind::conflict, fmt::format("the box stays as it is: {}", reason),
                    fmt::format("remove {} if nobody wants it", box.string()));
}

}  // namespace

OwnedBox::~OwnedBox() {
  if (kept_) directory_.release();
}

sandbox::Spec OwnedBox::spec() const {
  if (spec_) return *spec_;
  const auto file = path() / spec_name;
  return sandbox::spec_from_json(base::read_file(file), file.string());
}

void OwnedBox::change(const std::function<void(BoxRecord&)>& change) {
  auto changed = record_;
  change(changed);
  auto text = to_json(changed);
  if (text != written_) replace_in(path(), record_name, text);
  written_ = std::move(text);
  record_ = std::move(changed);
}

bool OwnedBox::note(const std::function<void(BoxRecord&)>& change) {
  try {
    this->change(change);
    return true;
  } catch (const base::Error& error) {
    change(record_);
    if (base::is_out_of_room(error.number()) && overwrite_record()) return true;
    base::log(base::LogLevel::warning, "{}", error.what());
    return false;
  }
}

bool OwnedBox::overwrite_record() {
  try {
    auto text = to_json(record_);
    overwrite(path(), record_name, text);
    written_ = std::move(text);
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

void OwnedBox::write_spec(const sandbox::Spec& spec) {
  replace_in(path(), spec_name, sandbox::to_json(spec));
  spec_ = spec;
}

void OwnedBox::rename(std::string_view new_name) {
  const auto old_name = record_.name;
  const auto write_down = [&] { change([&](BoxRecord& record) { record.name = new_name; }); };
  Names(path().parent_path()).move(old_name, std::string(new_name), record_.id, write_down);
}

// Gone for everybody in one step; the rest may be left to a sweep.
void OwnedBox::remove() {
  if (!kept_) return;
  directory_.give_up();
  kept_ = false;
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

// A sweep, or a supervisor that is about to end, may hold the box for another moment.
OwnedBox BoxStore::own(const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (auto directory = sandbox::OwnedDirectory::take(this->directory(id))) {
      OwnedBox box(std::move(*directory), {});
      if (auto record = read_record(box.path())) {
        box.record_ = std::move(*record);
        return box;
      }
    }
    const auto current = find(id);
    const bool ends = current.state.supervisor == 0 || current.state.status == Status::exited;
    if (!ends || std::chrono::steady_clock::now() > deadline) {
      throw base::Error(base::ErrorKind::conflict,
                        fmt::format("box {} is in use by another command", current.name),
                        "try again in a moment");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
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
  if (is_id(wanted)) {
    if (auto record = read_record(boxes_ / wanted)) return std::move(*record);
  }
  if (const auto named = Names(boxes_).find(wanted)) {
    if (auto record = read_record(boxes_ / *named); record && record->name == wanted) {
      return std::move(*record);
    }
  }
  auto records = begin_with(wanted);
  if (records.size() == 1) return std::move(records.front());
  if (records.empty()) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("no such box: {}", reference),
                      "see: twinbox ps -a");
  }
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} boxes have ids that begin with {}", records.size(), reference),
                    "give more of the id");
}

std::vector<BoxRecord> BoxStore::begin_with(std::string_view text) const {
  std::vector<BoxRecord> records;
  if (text.empty()) return records;
  for (const auto& id : ids_in(boxes_)) {
    if (!id.starts_with(text)) continue;
    if (auto record = read_record(boxes_ / id)) records.push_back(std::move(*record));
  }
  return records;
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
  const auto found = base::names_in(boxes_);
  for (const auto& name : found) {
    const auto path = boxes_ / name;
    try {
      sweep_one(path, clean_up);
    } catch (const base::Error& error) {
      base::log(base::LogLevel::warning, "cannot undo what {} left: {}", path.string(),
                error.what());
    }
  }
  Names(boxes_).tidy(found.size());
}

void BoxStore::sweep_one(const fs::path& path, const CleanUp& clean_up) {
  // Any number of processes may remove at once what has been given up already.
  if (path.extension() == sandbox::gone_suffix) return base::remove_tree(path);
  if (!is_id(path.filename())) return;
  const auto before = read_record(path);
  if (before && !wants_owner(before->state) && !wants_removal(*before)) return;
  auto directory = sandbox::OwnedDirectory::take(path);
  if (!directory) return;
  OwnedBox box(std::move(*directory), {});
  auto record = read_record(path);  // what its owner wrote last
  if (!record) {
    require_half_made(path);
    clean_up({}, path.filename(), path);
    return box.remove();
  }
  box.record_ = std::move(*record);
  repair(box, clean_up);
}

void BoxStore::repair(OwnedBox& box, const CleanUp& clean_up) {
  const auto was = box.record();
  if (wants_owner(was.state)) clean_up(was.settings.engine, was.id, box.path());
  if (wants_removal(was)) {
    box.remove();
  } else if (wants_owner(was.state)) {
    std::error_code missing;
    fs::remove(box.path() / "control.sock", missing);
    if (!box.note(end_of_orphan)) return;  // and that it died is told by whoever can write it down
  }
  if (ran(was.state)) emit(was, "die", {{"exitCode", std::to_string(killed)}});
  if (wants_removal(was)) emit(was, "destroy");
}

}  // namespace twinbox::supervise
