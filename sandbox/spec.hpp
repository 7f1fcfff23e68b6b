// What a workload is: the part of the OCI runtime-spec 1.1 config.json that every engine
// understands.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

struct Process {
  std::vector<std::string> args;
  std::vector<std::string> env;  // "KEY=VALUE"
  std::string cwd = "/";
  User user;
  bool terminal = false;
  bool no_new_privileges = true;
  std::vector<std::string>
      capabilities;  // bounding, effective and permitted sets: "CAP_CHOWN", ...
  std::vector<Rlimit> rlimits;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
};

struct Resources {
  std::optional<std::uint64_t> memory_bytes;  // linux.resources.memory.limit
  std::optional<double> cpus;                 // linux.resources.cpu quota / period
  std::optional<std::int64_t> pids;           // linux.resources.pids.limit
};

// The runtime-spec's `vm` section.
struct VirtualMachine {
  std::string kernel;  // empty: the stock kernel
  std::string kernel_parameters;
  std::string initrd;
};

struct Spec {
  Process process;
  bool root_readonly = false;
  std::string hostname;
  std::vector<Mount> mounts;  // beyond the root; the default ones are written out
  Resources resources;
  bool seccomp = true;  // the default filter; false: unconfined
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::map<std::string, std::string> annotations;
  VirtualMachine vm;
};

// A workload with docker's defaults: mounts of /proc, /sys, /dev and below, capabilities, masked
// and read-only paths, PATH and HOME in the environment.
Spec default_spec();

// The config.json of a spec, and back. `source` names the text in errors; an unknown field is
// ignored, a required feature that no engine has is an error that names the field.
std::string to_json(const Spec& spec);
Spec spec_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::sandbox
