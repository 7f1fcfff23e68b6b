#include "container/engine.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/box.hpp"
#include "container/cgroup.hpp"
#include "container/changes.hpp"
#include "container/file_task.hpp"
#include "container/leftovers.hpp"
#include "container/root_setup.hpp"

namespace twinbox::container {
namespace {

using base::ErrorKind;

void check_root_user() {
  if (::geteuid() == 0) return;
  throw base::Error(ErrorKind::unsupported, "making a box takes root privileges",
                    "run twinbox as root, or with sudo");
}

void check_kernel() {
  // A call on no file: it fails, but in another way where the kernel does not know it.
  if (::mount_setattr(-1, "", 0, nullptr, 0) != 0 && errno == ENOSYS) {
    throw base::Error(ErrorKind::unsupported, "this kernel has no mount_setattr",
                      "twinbox needs Linux 5.14 or newer");
  }
  const base::Fd overlay(::fsopen("overlay", FSOPEN_CLOEXEC));  // loads it, too
  if (!overlay && errno == ENODEV) {
    throw base::Error(ErrorKind::unsupported, "this kernel has no overlay file system loaded",
                      "load it with: modprobe overlay");
  }
}

void check_cgroups() {
  if (host_cgroup_layout().usable()) return;
  throw base::Error(ErrorKind::unsupported,
                    "no cgroup file system with the memory, cpu or pids controller is mounted",
                    "mount one with: mount -t cgroup2 none /sys/fs/cgroup");
}

std::filesystem::path normal(const std::filesystem::path& directory) {
  return std::filesystem::absolute(directory).lexically_normal();
}

// Both engines keep a box's files in the same way.
void run_task_on_kept_files(const sandbox::StoppedBox& box, const sandbox::FileTask& task,
                            const sandbox::Stdio& stdio) {
  const auto open_root = [&] {
    return mount_kept_root(box.root.directories, normal(box.directory));
  };
  finish_file_task(launch_file_task(CLONE_NEWNS, open_root, task, stdio));
}

std::vector<sandbox::FileChange> changes_of_kept_files(const sandbox::StoppedBox& box) {
  const auto upper = box.directory / "upper";
  if (!std::filesystem::exists(upper)) return {};  // it never ran
  return find_changes(base::open_file(upper, O_PATH | O_DIRECTORY).get(), box.root.directories,
                      mount_places(sandbox::default_spec()));
}

}  // namespace

void ContainerEngine::check_host() const {
  check_root_user();
  check_kernel();
  check_cgroups();
}

std::unique_ptr<sandbox::Box> ContainerEngine::create(sandbox::BoxRequest request) {
  std::optional<Spares> spares;
  if (spares_ && spares_->id == request.id) {
    spares.emplace(*std::move(spares_));
    spares_.reset();
  }
  return std::make_unique<ProcessBox>(std::move(request), Isolation::full, devices_,
                                      std::move(spares));
}

void ContainerEngine::prepare_root(const std::vector<std::filesystem::path>& layers,
                                   const std::filesystem::path& box) {
  if (!spares_ || !spares_->init) return;
  InitPlan plan;
  plan.layers = layers;
  plan.directory = normal(box);
  plan.writable = WritableLayer::disk;
  plan.devices_controlled = spares_->devices_controlled;
  try {
    spares_->init->make_root(plan);
  } catch (const base::Error&) {
    spares_->init.reset();
    throw;
  }
}

void ContainerEngine::clean_up(const std::string& id, const std::filesystem::path& directory) {
  auto cgroup = Cgroup::adopt(host_cgroup_layout(), id);
  cgroup.kill_all();
  kill_processes_on_overlay(normal(directory));
  cgroup.remove();
}

void ContainerEngine::run_file_task(const sandbox::StoppedBox& box, const sandbox::FileTask& task,
                                    sandbox::Stdio stdio) {
  run_task_on_kept_files(box, task, stdio);
}

std::vector<sandbox::FileChange> ContainerEngine::list_changes(const sandbox::StoppedBox& box) {
  return changes_of_kept_files(box);
}

void ProcessEngine::check_host() const {
  check_root_user();
  check_kernel();
}

std::unique_ptr<sandbox::Box> ProcessEngine::create(sandbox::BoxRequest request) {
  return std::make_unique<ProcessBox>(std::move(request), Isolation::none);
}

void ProcessEngine::clean_up(const std::string&, const std::filesystem::path& directory) {
  kill_processes_on_overlay(normal(directory));
}

void ProcessEngine::run_file_task(const sandbox::StoppedBox& box, const sandbox::FileTask& task,
                                  sandbox::Stdio stdio) {
  run_task_on_kept_files(box, task, stdio);
}

std::vector<sandbox::FileChange> ProcessEngine::list_changes(const sandbox::StoppedBox& box) {
  return changes_of_kept_files(box);
}

}  // namespace twinbox::container
