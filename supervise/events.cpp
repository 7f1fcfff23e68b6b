#include "supervise/events.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/paths.hpp"
#include "supervise/directory_watch.hpp"
#include "supervise/line_reader.hpp"
#include "supervise/record.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t largest_file = 8 << 20;
constexpr auto look_again = std::chrono::milliseconds(250);

fs::path events_file() { return sandbox::data_root() / "events"; }
fs::path older_file() { return sandbox::data_root() / "events.1"; }

std::string to_line(const Event& event) {
  base::JsonWriter json(base::JsonWriter::NotUtf8::replaced);
  json.object([&] {
    json.member("time", event.time);
    json.member("action", event.action);
    json.member("id", event.id);
    json.member("attributes", event.attributes);
  });
  return json.text() + "\n";
}

Event from_line(std::string_view line) {
  const auto json = base::parse_json(line, "an event");
  const base::JsonView view(json, "an event");
  return {.time = view.get<std::int64_t>("time"),
          .action = view.get<std::string>("action"),
          .id = view.get<std::string>("id"),
          .attributes = view.get<std::map<std::string, std::string>>("attributes")};
}

struct stat status_of(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0) base::throw_errno("cannot look at the file");
  return info;
}

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

// Whether the file is the one that new events go to.
bool is_current(const struct stat& file) {
  struct stat named {};
  return ::stat(events_file().c_str(), &named) == 0 && is_same(file, named);
}

struct Appendable {
  base::Fd file;
  off_t size;
};

// Locked for this process alone.
Appendable open_to_append() {
  while (true) {
    auto file = base::open_file(events_file(), O_RDWR | O_CREAT | O_APPEND, 0600);
    if (::flock(file.get(), LOCK_EX) != 0) base::throw_errno("cannot lock it");
    const auto status = status_of(file.get());
    if (!is_current(status)) continue;  // made the older one while we waited
    if (status.st_size < largest_file) return {std::move(file), status.st_size};
    if (::rename(events_file().c_str(), older_file().c_str()) != 0) {
      base::throw_errno("cannot make room");
    }
  }
}

// As a whole or not at all, on a line of its own also behind what a killed process left.
void append_line(int file, off_t size, const std::string& line) {
  char last = '\n';
  if (size > 0)
    base::pread_exact(file, std::as_writable_bytes(std::span(&last, 1)),
                      static_cast<std::uint64_t>(size) - 1);
  const std::string_view separator = last == '\n' ? "" : "\n";
  try {
    base::write_all(file, fmt::format("{}{}", separator, line));
  } catch (const base::Error&) {
    [[maybe_unused]] const auto cut = ::ftruncate(file, size);
    throw;
  }
}

std::optional<LineReader> open_to_read(const fs::path& path) {
  base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno != ENOENT) base::throw_errno("cannot open {}", path.string());
  return file ? std::optional<LineReader>(std::in_place, std::move(file)) : std::nullopt;
}

// Reads on from where it stopped, also in the next file once the current one has become the older.
class EventReader {
 public:
  EventReader(const EventQuery& query, const std::function<void(const Event&)>& on_event,
              const std::function<bool()>& stop)
      : query_(query), on_event_(on_event), stop_(stop) {}

  // What is there now; false when it was told to stop.
  bool read() {
    while (true) {
      // Asked before the reading: what was written to it before is read.
      const bool last = current_ && is_current(status_of(current_->fd()));
      if (current_ && !drain(*current_)) return false;
      if (last) return true;
      if (current_) finished_ = std::exchange(current_, std::nullopt);
      if (!open_next()) return false;
      if (!current_) return true;
    }
  }

 private:
  // Opens the current file, after reading the older one that belongs before it.
  bool open_next() {
    std::optional<LineReader> older;
    do {
      current_ = open_to_read(events_file());
      older = open_to_read(older_file());
    } while (current_ &&
             !is_current(status_of(current_->fd())));  // it has just become the older one
    if (!older || (finished_ && is_same(status_of(older->fd()), status_of(finished_->fd()))))
      return true;
    finished_ = std::move(older);
    return drain(*finished_);
  }
  bool drain(LineReader& lines) {
    while (const auto line = lines.next()) {
      if (!line->empty()) take(*line);
      if (stop_ && stop_()) return false;
    }
    return true;
  }
  void take(std::string_view line) {
    try {
      const auto event = from_line(line);
      if (event.time < query_.since.value_or(0)) return;
      if (!query_.until || event.time <= *query_.until) on_event_(event);
    } catch (const base::Error&) {
      // The beginning of one whose writer was killed.
    }
  }

  const EventQuery& query_;
  const std::function<void(const Event&)>& on_event_;
  const std::function<bool()>& stop_;
  std::optional<LineReader> current_;
  std::optional<LineReader> finished_;  // open, so that no other file gets its number
};

}  // namespace

void emit(const BoxRecord& box, const std::string& action,
          const std::map<std::string, std::string>& more) {
  Event event{.time = 0, .action = action, .id = box.id, .attributes = box.settings.labels};
  event.attributes["name"] = box.name;
  event.attributes["image"] = box.settings.image;
  event.attributes["engine"] = box.settings.engine;
  for (const auto& [key, value] : more) event.attributes[key] = value;
  try {
    const auto [file, size] = open_to_append();
    event.time = now();  // under the lock, so that the file is in their order
    append_line(file.get(), size, to_line(event));
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "an event is lost: {}: {}", events_file().string(),
              error.message());
  }
}

void read_events(const EventQuery& query, const std::function<void(const Event&)>& on_event,
                 const std::function<bool()>& stop) {
  EventQuery wanted = query;
  if (!query.since && !query.until) wanted.since = now();
  base::make_directories(sandbox::data_root());
  DirectoryWatch watch(sandbox::data_root());
  EventReader reader(wanted, on_event, stop);
  while (true) {
    const bool last = watch.gone() || (query.until && now() > *query.until) || (stop && stop());
    if (!reader.read() || last) return;
    watch.wait(look_again);
  }
}

}  // namespace twinbox::supervise
