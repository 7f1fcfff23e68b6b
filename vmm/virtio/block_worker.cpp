#include "vmm/virtio/block_worker.hpp"

#include <iterator>
#include <utility>

#include "base/syscall.hpp"

namespace twinbox::vmm::virtio {

BlockWorker::BlockWorker(const Disk& disk) : disk_(disk), finished_event_(base::make_eventfd()) {}

BlockWorker::~BlockWorker() {
  drain();
  thread_.request_stop();
}

void BlockWorker::submit(std::vector<BlockJob> jobs) {
  if (jobs.empty()) return;
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  {
    const std::lock_guard lock(mutex_);
    std::move(jobs.begin(), jobs.end(), std::back_inserter(waiting_));
  }
  changed_.notify_all();
}

std::vector<BlockJob> BlockWorker::take_finished() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void BlockWorker::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !executing_; });
}

void BlockWorker::drain() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  changed_.wait(lock, [this] { return !executing_; });
  finished_.clear();
}

void BlockWorker::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    BlockJob job = std::move(waiting_.front());
    waiting_.pop_front();
    executing_ = true;
    lock.unlock();
    job.result = execute_block_request(job.request, disk_);
    lock.lock();
    executing_ = false;
    finished_.push_back(std::move(job));
    // The loop takes all there is at once, so one signal per batch will do.
    if (finished_.size() == 1) base::signal_eventfd(finished_event_.get());
    changed_.notify_all();
  }
}

}  // namespace twinbox::vmm::virtio
