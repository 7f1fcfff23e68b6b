// What is written down of a box: how it was asked for, and what became of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervise/lifecycle.hpp"

namespace twinbox::supervise {

struct RestartPolicy {
  enum class Kind { no, on_failure, always, unless_stopped };
  Kind kind = Kind::no;
  unsigned maximum_retries = 0;  // of on_failure; 0: without end
};
// "no", "on-failure", "on-failure:3", "always", "unless-stopped", both ways. Throws base::Error
// (usage).
RestartPolicy restart_policy_from(std::string_view text);
std::string to_string(const RestartPolicy& policy);

// What was asked for beside the workload itself, which is in the box's config.json.
struct BoxSettings {
  std::string image;                 // as it was named
  std::string image_id;              // the digest of its config
  std::vector<std::string> command;  // the workload's, for lists of boxes
  std::size_t entrypoint_words = 0;  // how many of its first words are the entrypoint
  std::string engine;                // the one that runs it: "container", "vm", "qemu", "process"
  std::string requested_engine;      // what --as said: "vm", where "qemu" stands in for it
  std::string user;                  // as it was named; "": the superuser
  bool open_stdin = false;           // -i: keep stdin open without an attached client
  bool stdin_once = false;           // the end of the first client's stdin ends the workload's
  bool remove_at_end = false;        // --rm
  int stop_signal = 15;
  int stop_timeout = 10;  // seconds; -1: wait without end
  RestartPolicy restart;
  std::map<std::string, std::string> labels;
  std::string snapshot;     // that its workload goes on from; "": it is started
  std::string snapshot_id;  // of the one that had this name then
};

// Times are nanoseconds since the epoch; 0: not yet.
struct BoxState {
  Status status = Status::created;
  pid_t pid = 0;  // on the host: the workload's first process, or its machine's; 0 when not running
  pid_t supervisor = 0;
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;  // why it did not run, or was lost
  std::int64_t created = 0;
  std::int64_t started = 0;
  std::int64_t finished = 0;
  unsigned restart_count = 0;
};

struct BoxRecord {
  std::string id;  // 12 hexadecimal digits
  std::string name;
  BoxSettings settings;
  BoxState state;
};

// A member that is missing has its default, so that records outlive this version of twinbox; only
// those of a box's identity must be there.
std::string to_json(const BoxRecord& record);
BoxRecord record_from_json(std::string_view text, std::string_view source);

// The record in a box's directory; nullopt where there is no valid one: the box is being made, was
// never finished, or is gone. Throws base::Error when it is there and cannot be read.
std::optional<BoxRecord> read_record(const std::filesystem::path& box);
// Replaces `box`/`name` in one step for readers; an error names it and leaves what was there.
void replace_in(const std::filesystem::path& box, std::string_view name, std::string_view text);
// Writes over `box`/`name` in the room that the file has, for a disk which has no more. Readers may
// find a mix for an instant. An error names the file and leaves what was there: one of more than
// 4096 bytes is not written over.
void overwrite(const std::filesystem::path& box, std::string_view name, std::string text);
inline constexpr std::string_view record_name = "box.json";

}  // namespace twinbox::supervise
