// What a running box tells of itself, and the JSON that it is carried in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::sandbox {

// Counters and levels of one moment. Counters run from the box's start.
struct Statistics {
  std::uint64_t time_ns = 0;  // CLOCK_MONOTONIC where the box runs
  std::uint64_t cpu_ns = 0;   // processor time used
  unsigned cpus = 0;          // processors that the box may use
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;  // the host's (or guest's) memory where there is no limit
  std::uint64_t pids = 0;
  std::uint64_t pids_limit = 0;  // 0: none
  std::uint64_t block_read_bytes = 0;
  std::uint64_t block_written_bytes = 0;
  std::uint64_t network_received_bytes = 0;
  std::uint64_t network_sent_bytes = 0;
};

struct ProcessEntry {
  pid_t pid = 0;  // where the box runs: on the host, or in the guest
  pid_t ppid = 0;
  std::uint32_t uid = 0;
  std::int64_t started = 0;  // seconds since the epoch
  std::string terminal;      // "pts/0"; "?" without one
  std::uint64_t cpu_ns = 0;
  char state = '?';  // proc_pid_stat(5): 'R', 'S', 'Z', ...
  int nice = 0;
  unsigned threads = 1;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_bytes = 0;
  std::string name;     // of the program, at most 15 characters
  std::string command;  // with its arguments, blanks between
};

struct FileChange {
  enum class Kind : char { added = 'A', changed = 'C', deleted = 'D' };
  Kind kind = Kind::added;
  std::string path;
  std::uint64_t size = 0;  // in bytes, of a file that was added or changed
};

// What FileTask::describe writes. The file's name is not in it: a guest would choose it.
struct PathInfo {
  std::uint64_t size = 0;
  std::uint32_t mode = 0;     // as in struct stat, with the file's type
  std::int64_t modified = 0;  // seconds since the epoch
  std::string link_target;    // of a symbolic link
};

std::string to_json(const Statistics& statistics);
std::string to_json(const std::vector<ProcessEntry>& entries);
std::string to_json(const std::vector<FileChange>& changes);
std::string to_json(const PathInfo& info);
// `source` names the text in errors.
Statistics statistics_from_json(std::string_view text, std::string_view source);
std::vector<ProcessEntry> processes_from_json(std::string_view text, std::string_view source);
std::vector<FileChange> changes_from_json(std::string_view text, std::string_view source);
PathInfo path_info_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::sandbox
