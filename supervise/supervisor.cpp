#include "supervise/supervisor.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/stamp.hpp"
#include "supervise/control_connection.hpp"
#include "supervise/control_socket.hpp"
#include "supervise/detached.hpp"
#include "supervise/supervised_box.hpp"

namespace twinbox::supervise {
namespace {

namespace protocol = sandbox::protocol;
using protocol::FrameType;

constexpr std::array end_signals{SIGTERM, SIGINT};

class SupervisorProcess {
 public:
  SupervisorProcess(const SupervisorRequest& request, base::Fd first_client);
  // Returns when the box is at rest and everybody knows.
  void run();

 private:
  void add_client(base::Fd stream);
  void on_client_gone();
  void on_signal();

  base::EventLoop loop_;
  base::Fd signals_;
  std::shared_ptr<void> hold_;  // on the image
  std::optional<SupervisedBox> box_;
  base::Fd listener_;
  std::list<ControlConnection> clients_;
};

void leave_command_of(const SupervisorRequest& request, int first_client, pid_t parent) {
  auto kept = request.descriptors;
  kept.push_back(first_client);
  if (sandbox::cpu_counter() >= 0) kept.push_back(sandbox::cpu_counter());
  leave_command(std::move(kept));
  if (!request.die_with_parent) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != parent) ::_exit(1);  // it died before the call
}

// What it has to say from here on is kept with its box.
void log_into(const std::filesystem::path& file) {
  const auto log = base::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(log.get(), STDERR_FILENO);
}

// A box that was made for this run, and cannot be run, is not left behind where nobody wants it.
void drop_unstarted(OwnedBox& box) {
  if (box.record().settings.remove_at_end && box.record().state.status == Status::created) {
    box.remove();
  }
}

SupervisorProcess::SupervisorProcess(const SupervisorRequest& request, base::Fd first_client)
    : signals_(base::make_signalfd(end_signals)) {
  auto box = request.open();
  SupervisorRequest::Root root;
  std::unique_ptr<sandbox::Engine> engine;
  try {
    root = request.prepare_root(box.record());
    engine = request.make_engine(box.record());
    listener_ = listen_in(box.path());
    log_into(box.path() / "supervisor.log");
  } catch (const base::Error&) {
    drop_unstarted(box);
    throw;
  }
  hold_ = std::move(root.hold);
  box_.emplace(loop_, std::move(box), std::move(engine), std::move(root.files),
               std::move(root.saved));
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  loop_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) {
    base::Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) add_client(std::move(client));
  });
  add_client(std::move(first_client));
}

void SupervisorProcess::run() {
  const auto all_told = [this] {
    return box_->all_told() && std::ranges::all_of(clients_, &ControlConnection::drained);
  };
  while (!all_told()) loop_.run_once(std::chrono::seconds(60));
}

void SupervisorProcess::add_client(base::Fd stream) {
  clients_.emplace_back(loop_, std::move(stream), *box_, [this] { on_client_gone(); });
}

void SupervisorProcess::on_client_gone() {
  clients_.remove_if([](const ControlConnection& client) { return client.gone(); });
  if (clients_.empty()) box_->give_up();
}

void SupervisorProcess::on_signal() {
  signalfd_siginfo info{};
  while (base::read_some(signals_.get(), std::as_writable_bytes(std::span(&info, 1)))) {
  }
  if (box_->finished()) return;
  box_->stop({}, {}, [](const auto&) {});
  box_->give_up();
}

// Tells the command why there is no box, whatever it asks.
void refuse(base::Fd stream, const base::Error& error) {
  base::EventLoop loop;
  std::shared_ptr<sandbox::FrameConnection> connection;
  connection = sandbox::FrameConnection::open(
      loop, std::move(stream), "the client",
      [&](const protocol::Frame& frame) {
        if (frame.type == FrameType::attach) {
          sandbox::send_outcome(*connection, frame.process,
                                {sandbox::status_own_error, false, error});
        } else if (frame.type == FrameType::request) {
          sandbox::send_reply(*connection, 0, protocol::read_u32(frame.payload, 0), error);
        }
      },
      [&](const base::Error&) { loop.stop(); });
  connection->send(FrameType::hello, 0, base::Json{{"protocol", protocol::version}}.dump());
  loop.run();
}

[[noreturn]] void supervise(SupervisorProcess& process) {
  try {
    process.run();
    // The stack is worth no destructor any more; what an engine keeps for the whole process, such
    // as libvirt's driver, is.
    std::exit(0);
  } catch (const std::exception& error) {  // the next command finds the box without a supervisor
    base::log(base::LogLevel::error, "the box's supervisor has failed: {}", error.what());
  }
  ::_exit(1);
}

// Not to throw is not to go on as a second command.
[[noreturn]] void run_supervisor(const SupervisorRequest& request, base::Fd first_client,
                                 pid_t parent) noexcept {
  base::Fd spare;  // a client is gone with the supervisor that could not be made
  std::optional<SupervisorProcess> process;
  try {
    leave_command_of(request, first_client.get(), parent);
    spare = base::duplicate(first_client.get());
    process.emplace(request, std::move(first_client));
  } catch (const base::Error& error) {
    refuse(std::move(spare ? spare : first_client), error);
    ::_exit(1);
  } catch (const std::exception& error) {
    refuse(std::move(spare ? spare : first_client), {base::ErrorKind::internal, error.what()});
    ::_exit(1);
  }
  spare.reset();
  supervise(*process);
}

}  // namespace

Supervisor launch_supervisor(const SupervisorRequest& request) {
  auto [ours, theirs] = base::make_socket_pair();
  std::fflush(nullptr);  // or the new process would write it again at its end
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) base::throw_errno("cannot start the supervisor of a box");
  if (pid == 0) {
    ours.release();  // closed with all that is the command's
    run_supervisor(request, std::move(theirs), parent);
  }
  return {pid, std::move(ours)};
}

}  // namespace twinbox::supervise
