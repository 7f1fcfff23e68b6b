#include "cli/launch.hpp"

#include <optional>
#include <utility>
#include <variant>

#include "base/error.hpp"
#include "cli/report.hpp"

namespace twinbox::cli {
namespace {

class Launch {
 public:
  Launch(const supervise::SupervisorRequest& request, const LaunchOptions& options)
      : options_(options),
        supervisor_(supervise::launch_supervisor(request)),
        client_(std::in_place, loop_, std::move(supervisor_.control)),
        foreground_(loop_, options.foreground) {}

  int run() {
    foreground_.follow(*client_, client_->attach(foreground_.stdio(), foreground_.on_end()));
    // Before the start: a short workload has ended before a later question arrives.
    client_->wait([this](const auto& answer) { take_end(answer); });
    client_->start([this](const auto& answer) { take_start(answer); });
    while (!foreground_.ended() && !(options_.detach && started_)) loop_.run();
    if (!foreground_.ended()) return 0;
    const auto& end = foreground_.wait();
    if (end.outcome) return finish(*end.outcome);
    return end.signal ? 128 + *end.signal : 0;
  }

 private:
  void take_start(const std::variant<supervise::Started, base::Error>& answer) {
    if (const auto* const error = std::get_if<base::Error>(&answer)) {
      failure_ = *error;
      return;
    }
    started_ = true;
    foreground_.tell_size();
    if (options_.on_started) options_.on_started(std::get<supervise::Started>(answer));
    loop_.stop();
  }

  void take_end(const std::variant<supervise::Ended, base::Error>& answer) {
    const auto* const ended = std::get_if<supervise::Ended>(&answer);
    marks_ = ended != nullptr ? ended->marks : sandbox::Marks();
    loop_.stop();
  }

  int finish(const sandbox::Outcome& outcome) {
    const auto& error = failure_ ? failure_ : outcome.error;
    if (error) report(*error);
    while (!marks_) loop_.run();  // an answer that comes, also from a supervisor that is gone
    client_.reset();              // the supervisor may wait for us
    if (options_.wait_until_gone) foreground_.wait_for_child(supervisor_.pid);
    if (options_.on_marks) options_.on_marks(*marks_);
    return outcome.status;
  }

  const LaunchOptions& options_;
  base::EventLoop loop_;
  supervise::Supervisor supervisor_;
  std::optional<supervise::BoxClient> client_;
  Foreground foreground_;
  bool started_ = false;
  std::optional<base::Error> failure_;
  std::optional<sandbox::Marks> marks_;
};

}  // namespace

int launch(const supervise::SupervisorRequest& request, const LaunchOptions& options) {
  return Launch(request, options).run();
}

}  // namespace twinbox::cli
