// What a workload is: the part of the OCI runtime-spec 1.1 config.json that every engine
// understands.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace twinbox::sandbox {

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

// In characters; 0 is "not known".
struct TerminalSize {
  std::uint16_t columns = 0;
  std::uint16_t rows = 0;
};

struct Process {
  std::vector<std::string> args;
  std::vector<std::string> env;  // "KEY=VALUE"
  std::string cwd = "/";
  User user;
  bool terminal = false;       // its streams are one new terminal
  TerminalSize terminal_size;  // process.consoleSize
  bool no_new_privileges = true;
  std::vector<std::string>
      capabilities;  // bounding, effective and permitted sets: "CAP_CHOWN", ...
  std::vector<Rlimit> rlimits;
  std::optional<int> oom_score_adj{};
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;

  bool operator==(const Mount&) const = default;
};

struct Resources {
  std::optional<std::uint64_t> memory_bytes;  // linux.resources.memory.limit
  std::optional<double> cpus;                 // linux.resources.cpu quota / period
  std::optional<std::int64_t> pids;           // linux.resources.pids.limit
  // linux.resources.memory.swap: memory and swap together; -1 is no limit. Without it there is none
  // beside a limited memory.
  std::optional<std::int64_t> memory_swap_bytes{};
  std::string cpuset_cpus{};      // linux.resources.cpu.cpus: "0-2,4"; empty: all
  bool oom_kill_disable = false;  // linux.resources.memory.disableOOMKiller

  bool operator==(const Resources&) const = default;
};

// A device node to make in /dev, which the box may use as `access` says.
struct Device {
  std::string path;
  char type = 'c';  // 'c' or 'b'
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t file_mode = 0666;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string access = "rwm";
};

enum class Seccomp {
  standard,  // the filter that twinbox was built with
  unconfined,
  profile,  // Spec::seccomp_profile
};

// The runtime-spec's `vm` section.
struct VirtualMachine {
  std::string kernel;  // a file, or a name that the engine knows; empty: its default
  std::string kernel_parameters;
  std::string initrd;
  bool cold = false;    // boot the kernel, whatever a template would save
  bool standby = true;  // take a machine that waits for such a workload, if there is one
};

struct Spec {
  Process process;
  bool root_readonly = false;
  std::string hostname;
  std::vector<Mount> mounts;  // beyond the root; the default ones are written out
  Resources resources;
  Seccomp seccomp = Seccomp::standard;
  std::string seccomp_profile;  // linux.seccomp as JSON text
  bool init = false;            // a small process 1 of ours reaps orphans and passes signals on
  std::map<std::string, std::string> sysctl;
  std::vector<Device> devices;  // beside the default ones
  bool all_devices = false;     // every device of the kernel that the box runs on, too
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::map<std::string, std::string> annotations;
  VirtualMachine vm;
  // Members of config.json that nothing here knows, as the JSON object they were read from;
  // to_json() writes them again.
  std::string unknown_members;
};

// Sets in `limits` what `changes` has.
void merge(Resources& limits, const Resources& changes);

// A workload with docker's defaults: mounts of /proc, /sys, /dev and below, capabilities, masked
// and read-only paths, PATH and HOME in the environment.
Spec default_spec();

// Whether mounts, capabilities, masked and read-only paths are as they are there.
bool has_standard_parts(const Spec& spec);

// The config.json of a spec, and back. `source` names the text in errors; an unknown field is
// kept and written again, a required feature that no engine has is an error that names the field.
std::string to_json(const Spec& spec);
Spec spec_from_json(std::string_view text, std::string_view source);
// The same without its unknown fields, of what was parsed already.
Spec spec_from_json(const base::JsonView& config);
// The `process` of a config.json alone.
std::string to_json(const Process& process);
Process process_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::sandbox
