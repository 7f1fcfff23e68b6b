// What a guest's reads of a disk cost on two monitors, side by side: twinbox-vmm's virtio-blk and
// virtio-pmem, and the virtio-blk of QEMU's microvm, with the same kernel, init and file. The guest
// (disk_reader) reads 4 KiB at random, 1 MiB in sequence, and that once more, past its page cache
// and one at a time. The file for virtio-pmem is taken as a layer that starts warm. A block device,
// such as null_blk with a time for each request, is read by virtio-blk at random too, by one, four
// and sixteen threads, with nothing of it in the host's page cache. Made for the deterministic lab,
// where a nanosecond is an executed instruction.
//
// Usage: block_vs_qemu GUEST-INIT [KERNEL [RANDOM-COUNT [SEQUENTIAL-COUNT [DEVICE]]]]
// Exits 1 when our virtio-blk or virtio-pmem is slower than QEMU's virtio-blk; sixteen reads at
// once are told of only, since QEMU tells its guest of more completions at a time.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "guest-images/guest_kernel.hpp"
#include "guest-images/initramfs.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/huge_layers.hpp"
#include "vmm/image_plan.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/template_store.hpp"

namespace twinbox {
namespace {

constexpr std::uint64_t memory = 128 * base::mebibyte;
constexpr std::uint64_t disk_size = 64 * base::mebibyte;

struct Job {
  std::string name;  // of disk_reader
  unsigned count = 0;
  std::uint64_t bytes = 0;  // of each read
  unsigned depth = 1;       // reads at once
  std::string device{};     // that is read in place of the file, and from its storage
};

// A monitor that is given a disk in its way.
struct Way {
  std::string name;
  std::string guest_disk;
  bool qemu = false;
};

struct Result {
  std::uint64_t nanoseconds = 0;
  std::map<std::string, std::uint64_t> counters;  // of KVM, since the machine was made
};

// What KVM has counted for the one machine that runs now.
std::map<std::string, std::uint64_t> kvm_counters() {
  constexpr const char* debug = "/sys/kernel/debug";
  ::mount("debugfs", debug, "debugfs", 0, nullptr);  // or it is there already
  std::map<std::string, std::uint64_t> counters;
  for (const auto* const name : {"exits", "mmio_exits", "halt_exits", "irq_injections"}) {
    const auto file = std::filesystem::path(debug) / "kvm" / name;
    std::error_code missing;
    if (std::filesystem::exists(file, missing)) counters[name] = std::stoull(base::read_file(file));
  }
  return counters;
}

// A monitor with its output in a pipe; ends with the object.
class Child {
 public:
  explicit Child(const std::vector<std::string>& args) {
    auto [ours, its] = base::make_pipe();
    auto words = args;
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) base::throw_errno("cannot start {}", args[0]);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(its.get(), STDOUT_FILENO);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    output_ = std::move(ours);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid_, SIGKILL);
    base::wait_for(pid_);
  }

  // The line that begins with `start`.
  std::string wait_for_line(const std::string& start) {
    std::string text;
    char letter = 0;
    std::string line;
    while (::read(output_.get(), &letter, 1) == 1) {
      text += letter;
      if (letter != '\n') {
        line += letter;
        continue;
      }
      if (line.starts_with(start)) return line;
      line.clear();
    }
    throw base::Error(base::ErrorKind::system, "the guest ended early: " + text);
  }

 private:
  pid_t pid_ = -1;
  base::Fd output_;
};

class Bench {
 public:
  Bench(const std::string& init, const std::string& kernel)
      : kernel_(guest_images::choose_kernel(kernel, guest_images::VirtioBus::mmio)) {
    vmm::make_templates_directory(vmm::templates_directory());
    image_ = vmm::prepare_kernel(kernel_.image).string();
    guest_images::write_initramfs(initrd_, {"dev"}, {{"init", base::read_file(init), 0755}});
    std::string content(disk_size, '\0');
    for (std::size_t i = 0; i < content.size(); i += 512) content[i] = static_cast<char>(i >> 9);
    base::write_file(disk_, content);
    const std::vector layers{disk_};
    layers_ = vmm::HugeLayers(vmm::templates_directory()).use(vmm::plan_image(layers, memory));
  }

  Result measure(const Way& way, const Job& job) {
    if (!job.device.empty()) base::write_file("/proc/sys/vm/drop_caches", "3");
    Child monitor(way.qemu ? qemu(way, job) : ours(way, job));
    const auto line = monitor.wait_for_line("done ");
    return {std::stoull(line.substr(line.rfind(' '))), kvm_counters()};
  }

 private:
  std::string command_line(const Way& way, const Job& job, unsigned devices) const {
    auto line = vmm::linux_command_line(
        vmm::GuestConsole::serial,
        fmt::format("{} disk={} job={} count={} depth={}", kernel_.parameters, way.guest_disk,
                    job.name, job.count, job.depth));
    if (devices > 0 && kernel_.firmware == guest_images::Firmware::mp_table)
      line += " " + vmm::virtio_parameters(devices);
    return line;
  }

  std::vector<std::string> ours(const Way& way, const Job& job) const {
    vmm::MachineConfig config;
    config.kernel = image_;
    config.linux64 = true;
    config.initrd = initrd_;
    config.memory_bytes = memory;
    config.command_line = command_line(way, job, 3);  // beside it an rng and a balloon
    config.serial_out = STDOUT_FILENO;
    if (way.guest_disk == "/dev/pmem0") {
      config.image = layers_.image;
    } else {
      config.disks = {{.path = disk_of(job), .read_only = true}};
    }
    base::write_file(config_, vmm::to_json(config));
    return {sandbox_program(), "--config=" + config_.string()};
  }

  std::vector<std::string> qemu(const Way& way, const Job& job) const {
    return {"qemu-system-x86_64",
            "-M",
            "microvm,acpi=off,rtc=off,auto-kernel-cmdline=on,x-option-roms=off,pit=off,pic=off,"
            "isa-serial=on,accel=kvm",
            "-cpu",
            "host,kvm-pv-eoi=off",  // as our monitor in the lab, see vmm/builder.cpp
            "-m",
            "128M",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-serial",
            "stdio",
            "-bios",
            "qboot.rom",
            "-kernel",
            image_,
            "-initrd",
            initrd_.string(),
            "-append",
            command_line(way, job, 0),
            "-drive",
            fmt::format("id=disk,file={},format=raw,if=none,readonly=on", disk_of(job)),
            "-device",
            "virtio-blk-device,drive=disk"};
  }

  std::string disk_of(const Job& job) const {
    return job.device.empty() ? disk_.string() : job.device;
  }

  static std::string sandbox_program() {
    const char* const directory = std::getenv("TWINBOX_BIN");
    return fmt::format("{}/twinbox-vmm", directory == nullptr ? "/usr/bin" : directory);
  }

  base::TemporaryDirectory directory_;
  std::filesystem::path initrd_ = directory_.path() / "initrd";
  std::filesystem::path disk_ = directory_.path() / "disk";
  std::filesystem::path config_ = directory_.path() / "machine.json";
  guest_images::GuestKernel kernel_;
  std::string image_;
  vmm::LayersInUse layers_;
};

// Per read, what a job took beyond a guest that only boots.
std::string per_read(const Result& result, const Result& idle, const Job& job) {
  std::string text;
  for (const auto& [name, count] : result.counters) {
    const auto before = idle.counters.at(name);
    text += fmt::format("  {} {:.2f}", name,
                        static_cast<double>(count - std::min(count, before)) / job.count);
  }
  return text;
}

const std::vector<Way> ways{{"twinbox virtio-blk", "/dev/vda"},
                            {"qemu virtio-blk", "/dev/vda", true},
                            {"twinbox virtio-pmem", "/dev/pmem0"}};

// Prints what a job takes each way; false where one of ours is slower than QEMU's virtio-blk.
bool compare(Bench& bench, const Job& job) {
  std::map<std::string, double> rates;
  for (const auto& way : ways) {
    if (!job.device.empty() && way.guest_disk != "/dev/vda") continue;
    auto nothing = job;
    nothing.count = 0;
    const auto idle = bench.measure(way, nothing);
    const auto result = bench.measure(way, job);
    const auto rate = 1e9 * job.count / static_cast<double>(result.nanoseconds);
    rates[way.name] = rate;
    fmt::print("{:10} {:7} B  {:2} at once{}  {:20} {:8.0f}/s {:8.1f} MiB/s  per read:{}\n",
               job.name, job.bytes, job.depth, job.device.empty() ? "" : ", cold", way.name, rate,
               rate * static_cast<double>(job.bytes) / (1 << 20), per_read(result, idle, job));
    std::fflush(stdout);
  }
  return std::ranges::all_of(
      rates, [&](const auto& one) { return one.second >= rates.at("qemu virtio-blk"); });
}

int run(const std::string& init, const std::string& kernel, unsigned random, unsigned sequential,
        const std::string& device) {
  Bench bench(init, kernel);
  std::vector<Job> jobs{{"random", random, 4096},
                        {"sequential", sequential, 1U << 20},
                        {"again", sequential, 1U << 20}};
  for (const unsigned depth : {1U, 4U, 16U}) {
    if (!device.empty()) jobs.push_back({"random", random / 4, 4096, depth, device});
  }
  bool faster = true;
  for (const auto& job : jobs) faster = (compare(bench, job) || job.depth == 16) && faster;
  return faster ? 0 : 1;
}

}  // namespace
}  // namespace twinbox

int main(int count, char** values) {
  const std::vector<std::string> words(values + 1, values + count);
  if (words.empty() || words.size() > 5) {
    fmt::print(stderr,
               "usage: block_vs_qemu GUEST-INIT [KERNEL [RANDOM-COUNT [SEQUENTIAL-COUNT "
               "[DEVICE]]]]\n");
    return 2;
  }
  const auto number = [&](std::size_t index, unsigned otherwise) {
    return words.size() > index ? static_cast<unsigned>(std::stoul(words[index])) : otherwise;
  };
  try {
    return twinbox::run(words[0], words.size() > 1 ? words[1] : "tuned", number(2, 2000),
                        number(3, 64), words.size() > 4 ? words[4] : "");
  } catch (const std::exception& error) {
    fmt::print(stderr, "block_vs_qemu: {}\n", error.what());
    return 125;
  }
}
