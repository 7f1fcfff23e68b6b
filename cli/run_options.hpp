// The flags of `run` and `create`, as they were given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.hpp"

namespace twinbox::cli {

// Texts are empty where a flag was not given.
struct RunOptions {
  std::string image;
  std::vector<std::string> command;

  std::string engine = "container";
  std::string name;
  bool interactive = false;
  bool terminal = false;
  bool remove = false;
  std::vector<std::string> attach;
  std::string restart;
  std::string stop_signal;
  std::string stop_timeout;
  std::vector<std::string> labels;
  std::vector<std::string> label_files;
  std::vector<std::string> annotations;
  std::string id_file;

  std::optional<std::string> entrypoint;
  std::vector<std::string> env;
  std::vector<std::string> env_files;
  std::string working_directory;
  std::string user;
  std::vector<std::string> groups;
  std::string hostname;
  bool init = false;

  std::string memory;
  std::string memory_swap;
  std::string cpus;
  std::string cpuset;
  std::string pids;
  std::vector<std::string> ulimits;
  std::string shm_size;
  bool oom_kill_disable = false;

  bool read_only = false;
  std::vector<std::string> tmpfs;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  bool privileged = false;
  std::vector<std::string> security;
  std::vector<std::string> sysctl;
  std::vector<std::string> devices;
  std::string kernel;
  bool cold = false;
  bool standby = true;

  // Of `run` alone.
  std::string from;  // a snapshot, in place of `image` and `command`
  bool detach = false;
  bool signal_proxy = true;
  std::string detach_keys;
  std::string pid_file;
  std::string marks;
  bool die_with_parent = false;

  // Declares the flags, bound to the fields above.
  void declare(Options& options);
  void declare_for_run(Options& options);
  // Takes what follows the flags, and which flags there were. Throws base::Error (usage) when there
  // is no image's name, or flags exclude each other.
  void take(std::vector<std::string> words, const Options& options);
};

}  // namespace twinbox::cli
