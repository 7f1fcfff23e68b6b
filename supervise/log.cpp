#include "supervise/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "supervise/directory_watch.hpp"
#include "supervise/line_reader.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view shape = "2026-01-31T08:00:00.123456789Z stdout F ";
constexpr auto stream_at = shape.find("stdout");
constexpr auto flag_at = shape.find("F ");
// While following: a killed supervisor changes no file.
constexpr auto look_again = std::chrono::milliseconds(250);

std::string to_lines(LogStream stream, std::string_view bytes) {
  const auto time = rfc3339(now());
  const std::string_view name = stream == LogStream::out ? "stdout" : "stderr";
  std::string lines;
  lines.reserve(bytes.size() + 2 * shape.size());
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const bool whole = end < bytes.size();
    lines.append(time).append(" ").append(name).append(whole ? " F " : " P ");
    lines.append(bytes.substr(0, end)).append("\n");
    bytes.remove_prefix(whole ? end + 1 : end);
  }
  return lines;
}

// Nullopt for what LogWriter did not write.
std::optional<LogEntry> parse(std::string_view line) {
  if (line.size() < shape.size()) return std::nullopt;
  const auto time = time_from_rfc3339(line.substr(0, stream_at - 1));
  const auto stream = line.substr(stream_at, flag_at - stream_at - 1);
  if (!time || (stream != "stdout" && stream != "stderr")) return std::nullopt;
  LogEntry entry{.time = *time,
                 .stream = stream == "stdout" ? LogStream::out : LogStream::err,
                 .text = std::string(line.substr(shape.size()))};
  if (line[flag_at] == 'F') entry.text += '\n';
  return entry;
}

std::uint64_t size_of(int file) {
  struct stat info {};
  return ::fstat(file, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// Calls `on_head` with the place where each line begins, the last first, until it returns false.
// After a newline at the very end an empty line begins. `text` reaches from there at least as far
// as a line's flag, where the file does.
using OnHead = std::function<bool(std::uint64_t head, std::string_view text)>;
void for_each_head_backwards(int file, const OnHead& on_head) {
  std::array<char, 65536> block;  // not cleared: a new log is empty
  const auto size = size_of(file);
  auto begin = size;
  while (begin > 0) {
    const auto end = begin;
    begin -= std::min<std::uint64_t>(begin, block.size() - shape.size());
    const auto bytes = std::span(block).first(std::min(size, end + shape.size()) - begin);
    base::pread_exact(file, std::as_writable_bytes(bytes), begin);
    const std::string_view text(bytes.data(), bytes.size());
    for (auto at = end - begin; at > 0; --at) {
      if (text[at - 1] == '\n' && !on_head(begin + at, text.substr(at))) return;
    }
    if (begin == 0) on_head(0, text);
  }
}

// Where the last `lines` lines of the box begin. An entry that has its newline ends one, and so
// does the last entry.
std::uint64_t start_of_tail(int file, std::size_t lines) {
  std::uint64_t start = 0;
  std::size_t found = 0;
  unsigned heads = 0;
  for_each_head_backwards(file, [&](std::uint64_t head, std::string_view text) {
    ++heads;  // the first is that of an entry to come
    const bool whole = text.size() > flag_at && text[flag_at] == 'F';
    if (heads == 2 || (heads > 2 && whole)) ++found;
    if (found > lines || (heads > 1 && lines == 0)) return false;
    start = head;
    return true;
  });
  return start;
}

// Nullopt where the box has not printed anything yet.
std::optional<LineReader> open_log(const fs::path& path, const LogQuery& query) {
  base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) base::throw_errno("cannot open {}", path.string());
  const auto start = query.tail ? start_of_tail(file.get(), *query.tail) : 0;
  return LineReader(std::move(file), start);
}

// Takes what is there now; false when nothing that follows is wanted.
bool drain(LineReader& lines, const LogQuery& query,
           const std::function<void(const LogEntry&)>& on_entry) {
  while (const auto line = lines.next()) {
    const auto entry = parse(*line);
    if (!entry || (query.since && entry->time < *query.since)) continue;
    if (query.until && entry->time > *query.until) return false;
    on_entry(*entry);
  }
  return !query.until || now() <= *query.until;
}

}  // namespace

LogWriter::LogWriter(const fs::path& file)
    : file_(base::open_file(file, O_RDWR | O_CREAT | O_APPEND, 0600)), name_(file.string()) {
  drop_torn_entry();
}

// A writer that was killed, or met a full disk, may have left the beginning of an entry: what comes
// next must not go on in the middle of it.
void LogWriter::drop_torn_entry() const {
  std::uint64_t end = 0;
  for_each_head_backwards(file_.get(), [&](std::uint64_t head, std::string_view) {
    end = head;
    return false;
  });
  if (end != size_of(file_.get()) && ::ftruncate(file_.get(), static_cast<off_t>(end)) != 0) {
    base::throw_errno("cannot shorten {}", name_);
  }
}

void LogWriter::write(LogStream stream, std::string_view bytes) {
  try {
    if (torn_) drop_torn_entry();
    torn_ = true;  // until it is whole
    base::write_all(file_.get(), to_lines(stream, bytes));
    torn_ = false;
  } catch (const base::Error& error) {
    if (!std::exchange(warned_, true)) {
      base::log(base::LogLevel::warning, "the log {} has gaps: {}", name_, error.message());
    }
  }
}

void read_log(const fs::path& file, const LogQuery& query,
              const std::function<void(const LogEntry&)>& on_entry,
              const std::function<bool()>& ended) {
  std::optional<DirectoryWatch> watch;
  if (query.follow) watch.emplace(file.parent_path());
  std::optional<LineReader> lines;
  while (true) {
    // Asked before the reading: what was written before the end is read.
    const bool last = !watch || watch->gone() || (ended && ended());
    if (!lines) lines = open_log(file, query);
    if (lines && !drain(*lines, query, on_entry)) return;
    if (last) return;
    watch->wait(look_again);
  }
}

}  // namespace twinbox::supervise
