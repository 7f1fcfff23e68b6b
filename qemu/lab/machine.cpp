#include "qemu/lab/machine.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "qemu/lab/emulator_mend.hpp"

namespace twinbox::qemu {
namespace {

constexpr const char* qemu_program = "qemu-system-x86_64";

// EPYC less what TCG does not emulate (QEMU would warn of each), plus what KVM needs. KVM is not
// told when a guest enables states for XSAVE, and Linux doubts a processor that does not count
// them.
constexpr const char* cpu_model =
    "EPYC,+svm,+npt,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,"
    "-nrip-save,-xsave,-avx,-avx2,-f16c,-fma";

constexpr const char* kernel_options =
    "console=ttyS0 quiet panic=-1 reboot=t tsc=reliable i8042.noaux i8042.nomux i8042.nopnp "
    "i8042.dumbkbd";

// Where execvp finds it; empty where it does not.
std::string file_in_path(std::string_view program) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    auto file = directory + "/" + std::string(program);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::uint64_t available_memory() {
  std::istringstream lines(base::read_file("/proc/meminfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("MemAvailable:")) {
      return std::strtoull(line.c_str() + 13, nullptr, 10) * base::kibibyte;
    }
  }
  return ~std::uint64_t{0};
}

// With more, the emulated host locks up once in some dozens of boots, its processors in an endless
// int3 while it patches its own code: TCG's threads and code that changes do not go together.
constexpr unsigned outer_cpus = 1;

void add_timing(std::vector<std::string>& args, LabTiming timing) {
  if (timing == LabTiming::deterministic) {
    // Every instruction is a nanosecond; the clock's start and all random numbers are fixed too.
    args.insert(args.end(), {"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc",
                             "base=2024-01-01T00:00:00,clock=vm", "-seed", "1"});
  } else {
    args.insert(args.end(), {"-accel", "tcg,thread=single", "-rtc", "base=utc"});
  }
}

void add_ports(std::vector<std::string>& args, const LabMachineConfig& config) {
  // With an ioeventfd a port's notification waits for QEMU's main loop, at no certain time.
  args.insert(args.end(), {"-device", "virtio-serial-pci,ioeventfd=off,max_ports=31"});
  int number = 0;
  for (const auto& port : config.ports) {
    ++number;  // port 0 is kept for a console
    args.insert(args.end(),
                {"-chardev",
                 fmt::format("socket,id=port{},fd={}{}", number, port.socket,
                             port.listening ? ",server=on,wait=off" : ""),
                 "-device",
                 fmt::format("virtserialport,chardev=port{0},nr={0},name={1}", number, port.name)});
  }
}

base::Fd in_memory_file(std::string_view text) {
  base::Fd file(::memfd_create("script", MFD_CLOEXEC));
  if (!file) base::throw_errno("cannot make a file in memory");
  base::write_all(file.get(), text);
  return file;
}

// Runs between fork and exec; only system calls.
[[noreturn]] void become_qemu(char* const* argv, const LabMachineConfig& config, int script,
                              pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::setsid();  // a terminal's Ctrl-C is for the command in the lab
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null_fd, 0);
  // These streams and the serial console are opened apart, each with its own place in the file.
  ::fcntl(config.log, F_SETFL, ::fcntl(config.log, F_GETFL) | O_APPEND);
  ::dup2(config.log, 1);
  ::dup2(config.log, 2);
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const auto& port : config.ports) ::fcntl(port.socket, F_SETFD, 0);
  ::fcntl(config.log, F_SETFD, 0);
  if (script >= 0) ::fcntl(script, F_SETFD, 0);
  ::execvp(argv[0], argv);
  ::_exit(127);
}

// A QEMU that ends at once, for an argument or a library, has no memory to mend a moment before it
// can be seen to have ended.
bool ends_at_once(int pidfd) {
  pollfd waited{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, 200) > 0;
}

void warn_of_interrupts() {
  base::log(base::LogLevel::warning,
            "{} is not a QEMU that the lab can mend: it may interrupt a guest in the lab twice, "
            "which then works twice or stops for ever "
            "(docs/decisions/interrupts-on-emulated-svm.md)",
            file_in_path(qemu_program));
}

}  // namespace

void check_lab_host(const LabMachineConfig& config) {
  if (file_in_path(qemu_program).empty()) {
    throw base::Error(base::ErrorKind::not_found,
                      fmt::format("the lab needs {}, which is not in PATH", qemu_program),
                      "install the package qemu-system-x86");
  }
  const auto available = available_memory();
  if (available < config.memory_bytes) {
    throw base::Error(
        base::ErrorKind::system,
        fmt::format("the lab takes {} of memory and this host has {} to spare",
                    base::format_size(config.memory_bytes), base::format_size(available)),
        "end other programs, or ask for less with --memory");
  }
}

std::vector<std::string> qemu_arguments(const LabMachineConfig& config, int script_fd) {
  std::vector<std::string> args{qemu_program,  "-name",    "twinbox-lab", "-no-user-config",
                                "-nodefaults", "-display", "none",        "-no-reboot",
                                "-machine",    "pc",       "-cpu",        cpu_model};
  add_timing(args, config.timing);
  args.insert(args.end(),
              {"-smp", std::to_string(outer_cpus), "-m",
               fmt::format("{}K", config.memory_bytes / base::kibibyte), "-kernel",
               config.kernel.string(), "-initrd", config.image.string(), "-append",
               fmt::format("{} {}twinbox.ports={}", kernel_options,
                           config.timing == LabTiming::deterministic ? "nokaslr norandmaps " : "",
                           config.ports.size()),
               "-chardev", fmt::format("file,id=log,path=/proc/self/fd/{},append=on", config.log),
               "-serial", "chardev:log"});
  add_ports(args, config);
  if (script_fd >= 0) {
    args.insert(args.end(), {"-fw_cfg", fmt::format("name=opt/twinbox/script,file=/proc/self/fd/{}",
                                                    script_fd)});
  }
  return args;
}

// Calls the other constructor first: from there on the destructor ends the child also when this one
// throws.
LabMachine::LabMachine(const LabMachineConfig& config) : LabMachine() {
  check_lab_host(config);
  const base::Fd script = config.script.empty() ? base::Fd() : in_memory_file(config.script);
  auto args = qemu_arguments(config, script.get());
  std::vector<char*> argv;
  for (auto& argument : args) argv.push_back(argument.data());
  argv.push_back(nullptr);
  auto [executed, not_yet] = base::make_pipe();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) base::throw_errno("cannot start {}", qemu_program);
  if (pid_ == 0) become_qemu(argv.data(), config, script.get(), parent);
  not_yet.reset();
  base::read_to_end(executed.get());  // its writing end is closed on exec
  const bool mended = mend_interrupts(pid_);
  pidfd_ = base::open_pidfd(pid_);
  if (!mended && !ends_at_once(pidfd_.get())) warn_of_interrupts();
}

LabMachine::~LabMachine() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);  // not reaped yet, so the number is still its own
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void LabMachine::wait() {
  base::wait_for(pid_);
  pid_ = -1;
}

std::uint64_t least_lab_memory(std::uint64_t image_bytes) {
  // While it boots, the image is there twice, and its unpacked half may fill half of the memory.
  return 2 * image_bytes + 384 * base::mebibyte;
}

std::uint64_t default_lab_memory(std::uint64_t image_bytes) {
  const auto wanted = std::max(2 * base::gibibyte, least_lab_memory(image_bytes) + base::gibibyte);
  return (wanted + base::mebibyte - 1) / base::mebibyte * base::mebibyte;
}

void pass_on_warnings(const std::filesystem::path& log) {
  // As base::log begins it: a line of the lab's console does not.
  constexpr std::string_view beginning = "twinbox: warning: ";
  std::istringstream lines(base::read_file(log));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(beginning)) continue;
    base::log_line(base::LogLevel::warning, std::string_view(line).substr(beginning.size()));
  }
}

std::string log_tail(int log) {
  struct stat info {};
  if (::fstat(log, &info) != 0) return {};
  constexpr off_t most = 2048;
  const off_t start = std::max<off_t>(0, info.st_size - most);
  std::string text(static_cast<std::size_t>(info.st_size - start), '\0');
  const auto count = ::pread(log, text.data(), text.size(), start);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  std::erase_if(text, [](char c) { return c != '\n' && c != '\t' && (c < ' ' || c > '~'); });
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace twinbox::qemu
