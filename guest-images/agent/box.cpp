#include "guest-images/agent/box.hpp"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "container/engine.hpp"
#include "container/hostname.hpp"
#include "guest-images/agent/identity.hpp"
#include "sandbox/spec_message.hpp"

namespace twinbox::agent {
namespace {

namespace fs = std::filesystem;

const fs::path run_directory = "/run/twinbox";

struct BoxMessage {
  sandbox::Spec spec;
  std::vector<Disk> disks;
  std::uint64_t clock_ns = 0;
};

std::vector<Disk> disks_from(const base::JsonView& list) {
  std::vector<Disk> disks;
  for (const auto& disk : list.elements()) {
    disks.push_back({disk.get<std::string>("device"), disk.get_or<std::uint64_t>("start", 0),
                     disk.get_or<std::uint64_t>("size", 0)});
  }
  return disks;
}

BoxMessage parse_message(std::string_view text) {
  const auto json = base::parse_json(text, "start_box");
  const base::JsonView view(json, "start_box");
  BoxMessage message{.spec = sandbox::spec_from_message(view.at("spec")),
                     .disks = disks_from(view.at("disks")),
                     .clock_ns = view.get_or<std::uint64_t>("clock_ns", 0)};
  // The machine itself is as large as the workload may be.
  auto& limits = message.spec.resources;
  limits.memory_bytes.reset();
  limits.memory_swap_bytes.reset();
  // A machine has whole processors; a part of one is left to the kernel in it.
  if (limits.cpus && *limits.cpus == std::floor(*limits.cpus)) limits.cpus.reset();
  return message;
}

void mount_cgroups() {
  static const bool mounted = ::mount("cgroup2", "/sys/fs/cgroup", "cgroup2",
                                      MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
  if (!mounted) throw base::Error(base::ErrorKind::system, "cannot mount cgroup2");
}

// The kernel hands out pages in another order each time.
constexpr unsigned rehearsals = 3;

std::string box_id(unsigned number) { return fmt::format("{:012x}", number); }

fs::path box_directory(unsigned number) { return run_directory / fmt::format("box-{}", number); }

// Where the disk's part has a device of its own. An earlier box of this machine may have made it.
std::string device_of(const Disk& disk, std::size_t number) {
  if (disk.size == 0) return disk.device;
  blkpg_partition part{};
  part.start = static_cast<long long>(disk.start);
  part.length = static_cast<long long>(disk.size);
  part.pno = static_cast<int>(number + 1);
  blkpg_ioctl_arg request{
      .op = BLKPG_ADD_PARTITION, .flags = 0, .datalen = sizeof part, .data = &part};
  const auto device = base::open_file(disk.device, O_RDONLY);
  if (::ioctl(device.get(), BLKPG, &request) != 0 && errno != EBUSY) {
    base::throw_errno("cannot make a partition of {}", disk.device);
  }
  return fmt::format("{}p{}", disk.device, part.pno);
}

fs::path mount_layer(const Disk& disk, std::size_t number) {
  const auto target = run_directory / "layers" / std::to_string(number);
  base::make_directories(target);
  const auto device = device_of(disk, number);
  // Of what is in memory already no copies are made.
  const char* const options = device.starts_with("/dev/pmem") ? "dax=always" : nullptr;
  if (::mount(device.c_str(), target.c_str(), "erofs", MS_RDONLY | MS_NODEV | MS_NOATIME,
              options) != 0 &&
      errno != EBUSY) {  // an earlier box of this machine uses it too
    base::throw_errno("cannot mount the layer on {}", device);
  }
  return target;
}

std::vector<fs::path> mount_layers(const std::vector<Disk>& disks) {
  std::vector<fs::path> layers;
  for (const auto& disk : disks) layers.push_back(mount_layer(disk, layers.size()));
  return layers;
}

class BoxRunner : public sandbox::BoxProcess {
 public:
  explicit BoxRunner(std::shared_ptr<sandbox::Box> box) : box_(std::move(box)) {}
  void signal(int number) override { box_->signal(number); }
  void resize(sandbox::TerminalSize size) override { box_->resize(size); }

 private:
  std::shared_ptr<sandbox::Box> box_;
};

// Known for as long as its box waits for it.
class FurtherProcess : public sandbox::BoxProcess {
 public:
  FurtherProcess(std::unique_ptr<sandbox::BoxProcess> process,
                 std::set<const sandbox::BoxProcess*>& known)
      : process_(std::move(process)), known_(known) {
    known_.insert(process_.get());
  }
  FurtherProcess(const FurtherProcess&) = delete;
  FurtherProcess& operator=(const FurtherProcess&) = delete;
  ~FurtherProcess() override { known_.erase(process_.get()); }

  void signal(int number) override { process_->signal(number); }
  void resize(sandbox::TerminalSize size) override { process_->resize(size); }

 private:
  std::unique_ptr<sandbox::BoxProcess> process_;
  std::set<const sandbox::BoxProcess*>& known_;
};

}  // namespace

Boxes::Boxes(base::EventLoop& loop, std::function<void()> on_executed)
    : loop_(loop),
      on_executed_(std::move(on_executed)),
      engine_(
          std::make_unique<container::ContainerEngine>(container::DeviceControl::where_possible)) {}

Boxes::~Boxes() = default;

std::unique_ptr<sandbox::BoxProcess> Boxes::start(
    std::uint32_t id, std::string_view text, sandbox::ServedProcess& workload,
    std::function<void(const sandbox::Outcome&)> on_exit) {
  auto message = parse_message(text);
  if (message.clock_ns != 0) set_clock(message.clock_ns);
  mount_cgroups();
  sandbox::BoxRequest request{.id = box_id(++count_),
                              .directory = box_directory(count_),
                              .spec = std::move(message.spec),
                              .root = {},
                              .stdio = workload.process_ends(),
                              .on_executed =
                                  [this, &workload] {
                                    on_executed_();
                                    workload.started();
                                  },
                              // In this machine's memory, where it can be looked at.
                              .keep_files = true};
  request.root.directories =
      message.disks.empty() ? expected_layers() : mount_layers(message.disks);
  base::make_directories(request.directory);
  const std::shared_ptr<sandbox::Box> box = engine_->create(std::move(request));
  boxes_[id] = box;
  box->start(loop_, std::move(on_exit));
  return std::make_unique<BoxRunner>(box);
}

std::vector<std::shared_ptr<sandbox::Box>> Boxes::running() const {
  std::vector<std::shared_ptr<sandbox::Box>> running;
  for (const auto& [id, weak] : boxes_) {
    auto box = weak.lock();
    if (box && !box->processes().empty()) running.push_back(std::move(box));
  }
  return running;
}

void Boxes::freeze() {
  for (const auto& box : running()) box->pause([](const auto&) {});
  if (count_ > 0) return;
  mount_cgroups();
  const auto furniture = run_directory / "furniture";
  base::make_directories(furniture);
  if (::mount(nullptr, "/", nullptr, MS_SHARED, nullptr) != 0) {
    base::throw_errno("cannot share mounts with boxes");
  }
  engine_->prepare(box_id(1), furniture);
}

void Boxes::thaw() {
  for (const auto& box : running()) box->resume([](const auto&) {});
}

void Boxes::become_copy(const std::string& hostname) {
  for (const auto& box : running()) {
    if (!hostname.empty()) container::HostnameOf(box->processes().front()).set(hostname);
    on_executed_();
  }
}

void Boxes::expect_image(const base::JsonView& disks, std::function<void()> done) {
  expected_disks_ = disks_from(disks);
  const auto layers = expected_layers();
  const auto directory = box_directory(count_ + 1);
  base::make_directories(directory);
  engine_->prepare_root(layers, directory);
  rehearse(rehearsals, std::move(done));
}

// Mounted when they are asked for first.
const std::vector<fs::path>& Boxes::expected_layers() {
  if (expected_.empty()) expected_ = mount_layers(expected_disks_);
  return expected_;
}

// Its workload is the stub that executes one, which ends where it finds itself executed.
void Boxes::rehearse(unsigned times, std::function<void()> done) {
  const auto directory = box_directory(0);
  base::make_directories(directory);
  const auto nothing = base::open_file("/dev/null", O_RDWR);
  auto spec = sandbox::default_spec();
  spec.process.args = {"/proc/self/exe"};
  rehearsal_ = engine_->create({.id = box_id(0),
                                .directory = directory,
                                .spec = std::move(spec),
                                .root = {.directories = expected_, .disks = {}},
                                .stdio = {nothing.get(), nothing.get(), nothing.get()},
                                .on_executed = {},
                                .keep_files = true});
  boxes_[0] = rehearsal_;
  rehearsal_->start(loop_, [this, directory, times, done = std::move(done)](const auto&) {
    loop_.defer([this, directory, times, done] {
      rehearsal_.reset();
      try {
        base::remove_tree(directory);
      } catch (const base::Error& error) {
        base::log_line(base::LogLevel::warning, error.what());
      }
      if (times > 1) return rehearse(times - 1, done);
      done();
    });
  });
}

sandbox::Box& Boxes::at(std::uint32_t id) const {
  const auto found = boxes_.find(id);
  const auto box = found == boxes_.end() ? nullptr : found->second.lock();
  if (box) return *box;
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("there is no box {} in this machine", id));
}

std::unique_ptr<sandbox::BoxProcess> Boxes::exec(std::uint32_t box, sandbox::ExecRequest request) {
  return std::make_unique<FurtherProcess>(at(box).exec(std::move(request)), further_);
}

bool Boxes::own(pid_t child) const {
  const auto is_first = [child](const auto& entry) {
    const auto box = entry.second.lock();
    const auto processes = box ? box->processes() : std::vector<pid_t>();
    return !processes.empty() && processes.front() == child;
  };
  return std::ranges::any_of(further_, [child](auto* process) { return process->owns(child); }) ||
         std::ranges::any_of(boxes_, is_first);
}

}  // namespace twinbox::agent
