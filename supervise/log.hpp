// What a box printed, kept in a file, losslessly, in the format of the Kubernetes container runtime
// interface: "2026-01-31T08:00:00.123456789Z stdout F text\n", with P in place of F where no
// newline followed the text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace twinbox::supervise {

enum class LogStream { out, err };

class LogWriter {
 public:
  // Goes on behind what is there.
  explicit LogWriter(const std::filesystem::path& file);
  // Never throws: what a full disk has no room for is lost, with one warning; the box goes on.
  void write(LogStream stream, std::string_view bytes);

 private:
  void drop_torn_entry() const;

  base::Fd file_;
  std::string name_;
  bool torn_ = false;  // the last entry is not whole
  bool warned_ = false;
};

struct LogEntry {
  std::int64_t time = 0;  // nanoseconds since the epoch
  LogStream stream = LogStream::out;
  std::string text;  // with its newline, where it had one
};

struct LogQuery {
  bool follow = false;                // until `ended` says that nothing follows
  std::optional<std::size_t> tail{};  // the last so many lines; those of both streams count
  std::optional<std::int64_t> since{};
  std::optional<std::int64_t> until{};
};

// Calls `on_entry` for each entry that the query selects; blocks while it follows, also before the
// file is there. `ended` is asked whenever something in the file's directory has changed, and now
// and then; that the directory has gone is an end too.
void read_log(const std::filesystem::path& file, const LogQuery& query,
              const std::function<void(const LogEntry&)>& on_entry,
              const std::function<bool()>& ended = {});

}  // namespace twinbox::supervise
