#include "qemu/libvirt/machine.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <exception>
#include <thread>
#include <utility>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "qemu/libvirt/embedded_driver.hpp"

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr int patience_ms = 10'000;

// What the thread that starts QEMU found out.
struct StartedDomain {
  virDomainPtr domain = nullptr;
  pid_t pid = -1;
  sandbox::Stamp entered;  // when QEMU was started; what CPU time had been spent is not known
  sandbox::Stamp created;  // when its processors ran
};

sockaddr_un socket_address(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the path {} is too long for a socket", path.string()),
                      "set TWINBOX_ROOT to a shorter one");
  }
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  return address;
}

base::Fd connect_to(const fs::path& path) {
  base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = socket_address(path);
  if (!fd ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    base::throw_errno("cannot connect to QEMU at {}", path.string());
  }
  return fd;
}

pid_t read_pid(const fs::path& file) {
  const auto text = base::read_file(file);
  pid_t pid = -1;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid > 0) return pid;
  throw base::Error(base::ErrorKind::system, fmt::format("{} holds no pid", file.string()));
}

// libvirt writes the pid file just before it executes QEMU.
std::uint64_t time_of_change(const fs::path& file) {
  struct stat status {};
  timespec now{};
  if (::stat(file.c_str(), &status) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return 0;
  const auto age =
      (now.tv_sec - status.st_mtim.tv_sec) * 1'000'000'000 + (now.tv_nsec - status.st_mtim.tv_nsec);
  return base::monotonic_now() - static_cast<std::uint64_t>(age);
}

StartedDomain start_domain(const DomainConfig& config) {
  auto& driver = EmbeddedDriver::of_this_process();
  StartedDomain result;
  result.domain = driver.start(config.name, domain_xml(config));
  result.created = sandbox::Stamp::now();
  const auto pid_file = driver.pid_file(config.name);
  try {
    result.pid = read_pid(pid_file);
    result.entered.monotonic_ns = time_of_change(pid_file);
  } catch (...) {
    driver.forget(result.domain);
    throw;
  }
  return result;
}

std::string printable_tail(const fs::path& file) {
  constexpr std::size_t most = 2048;
  std::string text;
  try {
    text = base::read_file(file);
  } catch (const base::Error&) {
    return {};
  }
  if (text.size() > most) text.erase(0, text.size() - most);
  std::erase_if(text, [](char c) { return c != '\n' && c != '\t' && (c < ' ' || c > '~'); });
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// It left libvirt's side and became our child, unless we had ended by then.
void reap(pid_t pid) { ::waitpid(pid, nullptr, WNOHANG); }

void kill_and_wait(pid_t pid) {
  const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (process) {
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
    ::poll(&gone, 1, patience_ms);
  }
  reap(pid);
}

class Machine : public sandbox::GuestMachine {
 public:
  explicit Machine(DomainConfig config) : config_(std::move(config)) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() override;

  void start(base::EventLoop& loop, Handlers handlers) override;
  void kill() override;
  std::vector<pid_t> processes() const override {
    return pidfd_ ? std::vector{domain_.pid} : std::vector<pid_t>{};
  }
  std::string last_words() const override { return printable_tail(config_.console); }
  void pause(sandbox::Done done) override {
    EmbeddedDriver::of_this_process().suspend(domain_.domain);
    done(std::monostate{});
  }
  void resume(sandbox::Done done) override {
    EmbeddedDriver::of_this_process().resume(domain_.domain);
    done(std::monostate{});
  }
  void save(const std::filesystem::path&, sandbox::Done) override { sandbox::refuse_to_save(); }

 private:
  void run_starter();
  void on_started();
  void connect_port();
  void on_gone();
  void end(const End& end);

  DomainConfig config_;
  base::EventLoop* loop_ = nullptr;
  Handlers handlers_;
  std::thread starter_;  // libvirt's calls wait for QEMU
  base::Fd starter_done_;
  std::exception_ptr start_error_;  // this and domain_ are the starter's until it is done
  StartedDomain domain_;
  base::Fd pidfd_;
  base::Error reason_{base::ErrorKind::system, "its QEMU ended"};
  bool kill_wanted_ = false;
  bool gone_ = false;
};

void Machine::start(base::EventLoop& loop, Handlers handlers) {
  loop_ = &loop;
  handlers_ = std::move(handlers);
  socket_address(config_.port_socket);
  starter_done_ = base::make_eventfd();
  loop.add(starter_done_.get(), EPOLLIN, [this](std::uint32_t) { on_started(); });
  starter_ = std::thread([this] { run_starter(); });
}

void Machine::run_starter() {
  try {
    domain_ = start_domain(config_);
  } catch (...) {
    start_error_ = std::current_exception();
  }
  base::signal_eventfd(starter_done_.get());
}

void Machine::on_started() {
  loop_->remove(starter_done_.get());
  starter_.join();
  try {
    if (start_error_) std::rethrow_exception(start_error_);
    pidfd_ = base::open_pidfd(domain_.pid);
  } catch (const base::Error& error) {
    return end({.reason = error, .never_ran = true});
  }
  loop_->add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_gone(); });
  handlers_.on_mark(sandbox::Mark::entered, domain_.entered);
  handlers_.on_mark(sandbox::Mark::created, domain_.created);
  if (kill_wanted_) return kill();
  connect_port();
}

void Machine::connect_port() {
  base::Fd port;
  try {
    port = connect_to(config_.port_socket);
  } catch (const base::Error& error) {
    reason_ = error;
    return kill();
  }
  handlers_.on_port(std::move(port), Agent::starts);
}

void Machine::kill() {
  kill_wanted_ = true;
  if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

void Machine::on_gone() {
  loop_->remove(pidfd_.get());
  pidfd_.reset();
  gone_ = true;
  reap(domain_.pid);
  end({.reason = reason_});
}

void Machine::end(const End& end) {
  const auto on_end = std::exchange(handlers_, {}).on_end;
  if (on_end) on_end(end);
}

Machine::~Machine() {
  if (starter_.joinable()) {
    loop_->remove(starter_done_.get());
    starter_.join();
  }
  if (pidfd_) loop_->remove(pidfd_.get());
  if (domain_.domain == nullptr) return;
  if (!gone_) kill_and_wait(domain_.pid);
  EmbeddedDriver::of_this_process().forget(domain_.domain);
}

}  // namespace

std::unique_ptr<sandbox::GuestMachine> make_machine(DomainConfig config) {
  return std::make_unique<Machine>(std::move(config));
}

}  // namespace twinbox::qemu::libvirt
