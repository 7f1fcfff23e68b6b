#include "cli/engine_flags.hpp"

#include <array>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

struct EngineFlag {
  std::string_view flag;
  std::string_view engines;  // those that it means nothing for, with blanks between
  std::string_view reason;
};

constexpr std::string_view no_namespaces =
    "a plain process shares this host's namespaces, limits and privileges";
constexpr std::string_view own_kernel = "a machine has its own kernel and devices";

constexpr std::array engine_flags{
    EngineFlag{"cpuset-cpus", "vm qemu", "a machine's CPUs are its own"},
    EngineFlag{"memory-swap", "vm qemu", "a machine has no swap"},
    EngineFlag{"oom-kill-disable", "vm qemu", "a machine's kernel keeps its own memory"},
    EngineFlag{"device", "vm qemu", own_kernel},
    EngineFlag{"kernel", "container process", "it shares this host's kernel; add --as vm"},
    EngineFlag{"cold", "container process", "it shares this host's kernel; add --as vm"},
    EngineFlag{"standby", "container process", "it has no machine; add --as vm"},
    EngineFlag{"hostname", "process", no_namespaces},
    EngineFlag{"init", "process", no_namespaces},
    EngineFlag{"memory", "process", no_namespaces},
    EngineFlag{"memory-swap", "process", no_namespaces},
    EngineFlag{"cpus", "process", no_namespaces},
    EngineFlag{"cpuset-cpus", "process", no_namespaces},
    EngineFlag{"pids-limit", "process", no_namespaces},
    EngineFlag{"shm-size", "process", no_namespaces},
    EngineFlag{"oom-kill-disable", "process", no_namespaces},
    EngineFlag{"tmpfs", "process", no_namespaces},
    EngineFlag{"cap-add", "process", no_namespaces},
    EngineFlag{"cap-drop", "process", no_namespaces},
    EngineFlag{"privileged", "process", no_namespaces},
    EngineFlag{"security-opt", "process", no_namespaces},
    EngineFlag{"sysctl", "process", no_namespaces},
    EngineFlag{"device", "process", no_namespaces},
};

bool has_word(std::string_view text, std::string_view word) {
  const auto at = text.find(word);
  if (at == std::string_view::npos || word.empty()) return false;
  const auto end = at + word.size();
  return (at == 0 || text[at - 1] == ' ') && (end == text.size() || text[end] == ' ');
}

}  // namespace

void check_flags_of_engine(const std::set<std::string>& flags, std::string_view engine) {
  for (const auto& entry : engine_flags) {
    if (!has_word(entry.engines, engine) || !flags.contains(std::string(entry.flag))) continue;
    throw base::Error(
        base::ErrorKind::unsupported,
        fmt::format("--{} means nothing for --as {}: {}", entry.flag, engine, entry.reason),
        fmt::format("leave --{} away, or choose another engine with --as", entry.flag));
  }
}

}  // namespace twinbox::cli
