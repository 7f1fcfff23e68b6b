#include "supervise/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block = 65536;
// "2026-01-31T08:00:00.123456789Z stdout F "
constexpr std::size_t time_length = 30;
constexpr std::size_t prefix_length = time_length + sizeof " stdout F ";
constexpr int look_again_ms = 250;  // while following: whether the box has ended

std::string prefix(LogStream stream, bool whole) {
  return fmt::format("{} {} {} ", rfc3339(now()), stream == LogStream::out ? "stdout" : "stderr",
                     whole ? 'F' : 'P');
}

std::optional<LogEntry> parse(std::string_view line) {
  if (line.size() + 1 < prefix_length || line[time_length] != ' ') return std::nullopt;
  const auto time = time_from_rfc3339(line.substr(0, time_length));
  const auto stream = line.substr(time_length + 1, 6);
  if (!time || (stream != "stdout" && stream != "stderr")) return std::nullopt;
  LogEntry entry{.time = *time,
                 .stream = stream == "stdout" ? LogStream::out : LogStream::err,
                 .text = std::string(line.substr(prefix_length - 1))};
  if (line[time_length + 8] == 'F') entry.text += '\n';
  return entry;
}

// Where the last `lines` lines of the file begin.
std::uint64_t start_of_tail(int file, std::size_t lines) {
  auto at = static_cast<std::uint64_t>(::lseek(file, 0, SEEK_END));
  std::array<std::byte, block> buffer;
  std::size_t found = 0;
  bool last = true;  // the newline at the very end begins no line
  while (at > 0) {
    const auto size = std::min<std::uint64_t>(at, block);
    at -= size;
    base::pread_exact(file, std::span(buffer).first(size), at);
    for (auto i = size; i > 0; --i) {
      if (buffer[i - 1] != std::byte{'\n'} || std::exchange(last, false)) continue;
      if (++found >= lines) return at + i;
    }
  }
  return 0;
}

// Follows a file that grows.
class Follower {
 public:
  explicit Follower(const fs::path& file) : notify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!notify_ || ::inotify_add_watch(notify_.get(), file.c_str(), IN_MODIFY) < 0) {
      base::throw_errno("cannot follow {}", file.string());
    }
  }
  void wait() const {
    pollfd events{.fd = notify_.get(), .events = POLLIN, .revents = 0};
    ::poll(&events, 1, look_again_ms);
    std::array<std::byte, 4096> drained;
    while (base::read_some(notify_.get(), drained).value_or(0) > 0) {
    }
  }

 private:
  base::Fd notify_;
};

class Reader {
 public:
  Reader(const LogQuery& query, const std::function<void(const LogEntry&)>& on_entry)
      : query_(query), on_entry_(on_entry) {}

  // Everything that is there now; false when the query wants nothing later.
  bool read(int file) {
    std::array<std::byte, block> buffer;
    while (const auto count = base::read_some(file, buffer)) {
      if (*count == 0) break;
      pending_.append(reinterpret_cast<const char*>(buffer.data()), *count);
      if (!take_lines()) return false;
    }
    return true;
  }

 private:
  bool take_lines() {
    std::size_t start = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos;
         end = pending_.find('\n', start)) {
      const auto entry = parse(std::string_view(pending_).substr(start, end - start));
      start = end + 1;
      if (!entry || (query_.since && entry->time < *query_.since)) continue;
      if (query_.until && entry->time > *query_.until) return false;
      on_entry_(*entry);
    }
    pending_.erase(0, start);
    return true;
  }

  const LogQuery& query_;
  const std::function<void(const LogEntry&)>& on_entry_;
  std::string pending_;
};

}  // namespace

LogWriter::LogWriter(const fs::path& file)
    : file_(base::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600)), name_(file.string()) {}

void LogWriter::write(LogStream stream, std::string_view bytes) {
  if (lost_) return;
  std::string text;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    text += prefix(stream, end != std::string_view::npos);
    text += bytes.substr(0, end);
    text += '\n';
    bytes = end == std::string_view::npos ? std::string_view() : bytes.substr(end + 1);
  }
  try {
    base::write_all(file_.get(), text);
  } catch (const base::Error& error) {
    lost_ = true;
    base::log(base::LogLevel::warning, "the log {} ends here: {}", name_, error.message());
  }
}

void read_log(const fs::path& file, const LogQuery& query,
              const std::function<void(const LogEntry&)>& on_entry,
              const std::function<bool()>& ended) {
  const auto opened = base::open_file(file, O_RDONLY);
  std::optional<Follower> follower;
  if (query.follow) follower.emplace(file);
  if (query.tail) {
    const auto start = *query.tail == 0
                           ? ::lseek(opened.get(), 0, SEEK_END)
                           : static_cast<off_t>(start_of_tail(opened.get(), *query.tail));
    ::lseek(opened.get(), start, SEEK_SET);
  }
  Reader reader(query, on_entry);
  while (true) {
    // Asked before the reading: what was written before the end is read.
    const bool last = !follower || !ended || ended();
    if (!reader.read(opened.get()) || last) return;
    follower->wait();
  }
}

}  // namespace twinbox::supervise
