#include "supervise/events.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/paths.hpp"
#include "supervise/record.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t largest_file = 16 << 20;
constexpr int look_again_ms = 250;

fs::path events_file() { return sandbox::data_root() / "events"; }

std::string to_line(const Event& event) {
  const base::Json json{{"time", event.time},
                        {"action", event.action},
                        {"id", event.id},
                        {"attributes", event.attributes}};
  return json.dump(-1, ' ', false, base::Json::error_handler_t::replace) + "\n";
}

Event from_line(std::string_view line) {
  const auto json = base::parse_json(line, "events");
  const base::JsonView view(json, "events");
  return {.time = view.get<std::int64_t>("time"),
          .action = view.get<std::string>("action"),
          .id = view.get<std::string>("id"),
          .attributes = view.get<std::map<std::string, std::string>>("attributes")};
}

// Under the lock. Readers that follow keep the place they have come to by starting over.
void drop_older_half(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0 || info.st_size < largest_file) return;
  std::string text(static_cast<std::size_t>(info.st_size / 2), '\0');
  base::pread_exact(file, std::as_writable_bytes(std::span(text)),
                    static_cast<std::uint64_t>(info.st_size) - text.size());
  text.erase(0, text.find('\n') + 1);
  if (::ftruncate(file, 0) != 0) base::throw_errno("cannot shorten the file of events");
  base::write_all(file, text);
}

// Reads the file again and again, each event once.
class Tail {
 public:
  Tail(int file, const EventQuery& query) : file_(file), query_(query) {}

  void read(const std::function<void(const Event&)>& on_event) {
    struct stat info {};
    if (::fstat(file_, &info) == 0 && info.st_size < at_) {  // its older half was dropped
      at_ = 0;
      pending_.clear();
    }
    std::array<char, 65536> buffer;
    for (auto count = ::pread(file_, buffer.data(), buffer.size(), at_); count > 0;
         count = ::pread(file_, buffer.data(), buffer.size(), at_)) {
      at_ += count;
      pending_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      take(pending_.substr(0, end), on_event);
      pending_.erase(0, end + 1);
    }
  }

 private:
  void take(const std::string& line, const std::function<void(const Event&)>& on_event) {
    try {
      const auto event = from_line(line);
      const bool known = event.time <= last_;
      last_ = std::max(last_, event.time);
      if (known || event.time < query_.since.value_or(0)) return;
      if (!query_.until || event.time <= *query_.until) on_event(event);
    } catch (const base::Error& error) {
      base::log(base::LogLevel::warning, "{}", error.message());
    }
  }

  int file_;
  const EventQuery& query_;
  off_t at_ = 0;
  std::int64_t last_ = 0;
  std::string pending_;
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
    const auto file = base::open_file(events_file(), O_RDWR | O_CREAT | O_APPEND, 0600);
    if (::flock(file.get(), LOCK_EX) != 0) base::throw_errno("cannot lock it");
    drop_older_half(file.get());
    event.time = now();  // under the lock, so that times only grow
    base::write_all(file.get(), to_line(event));
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "an event is lost: {}: {}", events_file().string(),
              error.message());
  }
}

void read_events(const EventQuery& query, const std::function<void(const Event&)>& on_event,
                 const std::function<bool()>& stop) {
  const auto file = base::open_file(events_file(), O_RDWR | O_CREAT | O_APPEND, 0600);
  const base::Fd notify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!notify || ::inotify_add_watch(notify.get(), events_file().c_str(), IN_MODIFY) < 0) {
    base::throw_errno("cannot follow {}", events_file().string());
  }
  Tail tail(file.get(), query);
  while (true) {
    const bool last = (query.until && now() >= *query.until) || (stop && stop());
    tail.read(on_event);
    if (last) return;
    pollfd more{.fd = notify.get(), .events = POLLIN, .revents = 0};
    ::poll(&more, 1, look_again_ms);
    std::array<std::byte, 4096> drained;
    while (base::read_some(notify.get(), drained).value_or(0) > 0) {
    }
  }
}

}  // namespace twinbox::supervise
