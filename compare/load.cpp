#include "compare/load.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "compare/boxes.hpp"

namespace twinbox::compare {
namespace {

// The time from its request to ready, in nanoseconds.
double run_one(const Start& start, LaunchRequest request, std::chrono::seconds timeout) {
  auto box = start(std::move(request));
  const bool ready = box.instance().wait_ready(timeout);
  const auto end = box.instance().finish(timeout);
  if (!ready || end.status != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("status {}: {}", end.status, reason_in(box.instance().errors())));
  }
  const auto& stamps = box.instance().stamps();
  return static_cast<double>(stamps.ready - stamps.request);
}

void start_all(const Start& start, std::vector<LaunchRequest> requests,
               std::chrono::seconds timeout, Boxes& running) {
  running.reserve(requests.size());
  for (auto& request : requests) {
    request.held_open = true;
    auto box = start(std::move(request));
    if (!box.instance().wait_ready(timeout)) {
      throw base::Error(base::ErrorKind::system,
                        fmt::format("one of {} that were to run already ended: {}", requests.size(),
                                    reason_in(box.instance().errors())));
    }
    running.add(std::move(box));
  }
}

void refuse(const std::optional<Death>& dead) {
  if (!dead) return;
  throw base::Error(base::ErrorKind::system,
                    fmt::format("of those that were to run already, {}", dead->told()));
}

}  // namespace

std::vector<Metric> load_metrics() {
  return {{launch_rate_metric, "launch rate", "1/s", Better::higher,
           "Starts per second with so many under way at any time: their number over the time from "
           "the first request until the last is gone.",
           "under way at the same time"},
          {beside_metric, "start-up beside others", "ns", Better::lower,
           "From the request until ready, of one start beside idle instances of the same engine.",
           "already running"}};
}

double launch_rate(const Start& start, std::vector<LaunchRequest> requests, int parallel,
                   std::chrono::seconds timeout) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;  // guards failure
  std::exception_ptr failure;
  const auto begin = base::monotonic_now();
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < parallel; ++i) {
      workers.emplace_back([&] {
        try {
          for (auto at = next++; at < requests.size(); at = next++) {
            run_one(start, std::move(requests[at]), timeout);
          }
        } catch (const std::exception&) {
          const std::scoped_lock lock(mutex);
          failure = std::current_exception();
          next = requests.size();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
  const auto took = static_cast<double>(base::monotonic_now() - begin) / 1e9;
  return static_cast<double>(requests.size()) / took;
}

std::vector<double> starts_beside(const Start& start, std::vector<LaunchRequest> others,
                                  std::vector<LaunchRequest> requests,
                                  std::chrono::seconds timeout) {
  Boxes running;
  start_all(start, std::move(others), timeout, running);
  std::vector<double> times;
  for (auto& request : requests) {
    wait_for_quiet();
    // Beside fewer than it is to be, a start tells something else.
    refuse(running.find_dead());
    times.push_back(run_one(start, std::move(request), timeout));
  }
  refuse(running.find_dead());
  refuse(running.finish(timeout));
  return times;
}

}  // namespace twinbox::compare
