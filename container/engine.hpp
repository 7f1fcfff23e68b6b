// The container backend, and the native baseline that shares its root file system code.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "container/device_rules.hpp"
#include "container/spares.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {

// Runs a workload in its own namespaces (mount, pid, uts, ipc, net, cgroup), with limits, docker's
// capabilities and a seccomp filter. The workload is PID 1 of its box.
//
// What the caller owes it:
// - root privileges, and /proc, /dev/null and the cgroup file systems mounted at their usual
//   places; no other file or program of the host is used, so it works from a lone static PID 1;
// - one thread: a box is started by a clone of the calling thread alone, and dies with it;
// - nobody else may reap the box's process (no waitpid(-1)); it is a child of the caller.
//
// The root is an overlay of request.root.directories. What the workload writes is kept in memory,
// as in a virtual machine: half of the box's memory limit (else of the host's memory) at most, and
// counted against it; or, with request.keep_files, in request.directory, where the next start of
// the box finds it.
class ContainerEngine : public sandbox::Engine {
 public:
  explicit ContainerEngine(DeviceControl devices = DeviceControl::required) : devices_(devices) {}
  std::string_view name() const override { return "container"; }
  void check_host() const override;
  std::unique_ptr<sandbox::Box> create(sandbox::BoxRequest request) override;
  // Makes ahead what box `id` will need whatever it runs; from a process that will create it, and
  // that shares its mounts with its children, who see so what it mounts later. `directory` is one
  // to mount on.
  void prepare(const std::string& id, const std::filesystem::path& directory) {
    spares_.emplace(make_spares(id, directory));
  }
  // And besides, its root, where it keeps files in `box`, its directory. Throws base::Error; what
  // cannot be made ahead is made with the box.
  void prepare_root(const std::vector<std::filesystem::path>& layers,
                    const std::filesystem::path& box);
  void clean_up(const std::string& id, const std::filesystem::path& directory) override;
  void run_file_task(const sandbox::StoppedBox& box, const sandbox::FileTask& task,
                     sandbox::Stdio stdio) override;
  std::vector<sandbox::FileChange> list_changes(const sandbox::StoppedBox& box) override;

 private:
  DeviceControl devices_;
  std::optional<Spares> spares_;
};

// Runs a workload as a plain process over the same root file system (an overlay and a chroot in a
// private mount namespace, with the host's /proc, /sys and /dev), with the same environment,
// directory, user and streams, and no isolation or limit: what the other engines are compared to.
class ProcessEngine : public sandbox::Engine {
 public:
  std::string_view name() const override { return "process"; }
  void check_host() const override;
  std::unique_ptr<sandbox::Box> create(sandbox::BoxRequest request) override;
  void clean_up(const std::string& id, const std::filesystem::path& directory) override;
  void run_file_task(const sandbox::StoppedBox& box, const sandbox::FileTask& task,
                     sandbox::Stdio stdio) override;
  std::vector<sandbox::FileChange> list_changes(const sandbox::StoppedBox& box) override;
};

}  // namespace twinbox::container
