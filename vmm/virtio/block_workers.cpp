#include "vmm/virtio/block_workers.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm::virtio {

BlockWorkers::BlockWorkers(const Disk& disk) : disk_(disk), finished_event_(base::make_eventfd()) {}

BlockWorkers::~BlockWorkers() {
  drain();
  for (auto& thread : threads_) thread.request_stop();
}

void BlockWorkers::submit(std::vector<BlockJob> jobs) {
  if (jobs.empty()) return;
  const auto count = jobs.size();
  std::size_t wanted = 0;
  {
    const std::lock_guard lock(mutex_);
    std::move(jobs.begin(), jobs.end(), std::back_inserter(waiting_));
    wanted = std::min(limit, waiting_.size() + executing_);
  }
  start_threads(wanted);
  if (threads_.empty()) return execute_here();
  for (std::size_t i = 0; i < std::min(count, limit); ++i) job_waits_.notify_one();
}

// As far as the host has room for them, for they are for speed only.
void BlockWorkers::start_threads(std::size_t wanted) {
  try {
    while (threads_.size() < wanted) {
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  } catch (const std::system_error& error) {
    base::log(base::LogLevel::debug, "no further thread for disk {}: {}", disk_.id, error.what());
  }
}

void BlockWorkers::execute_here() {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) execute_next(lock);
}

std::vector<BlockJob> BlockWorkers::take_finished() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void BlockWorkers::wait_until_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return waiting_.empty() && executing_ == 0; });
}

void BlockWorkers::drain() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  idle_.wait(lock, [this] { return executing_ == 0; });
  finished_.clear();
}

void BlockWorkers::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (job_waits_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    execute_next(lock);
  }
}

// Without the lock meanwhile.
void BlockWorkers::execute_next(std::unique_lock<std::mutex>& lock) {
  BlockJob job = std::move(waiting_.front());
  waiting_.pop_front();
  ++executing_;
  lock.unlock();
  job.result = execute_block_request(job.request, disk_);
  lock.lock();
  --executing_;
  finished_.push_back(std::move(job));
  // The loop takes all there is at once, so one signal per batch will do.
  if (finished_.size() == 1) base::signal_eventfd(finished_event_.get());
  if (executing_ == 0) idle_.notify_all();
}

}  // namespace twinbox::vmm::virtio
