// The threads that execute a disk's requests, so that the event loop never waits for storage, and a
// request not for all before it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "vmm/virtio/block_request.hpp"
#include "vmm/virtio/chain.hpp"

namespace twinbox::vmm::virtio {

struct BlockJob {
  DescriptorChain chain;
  BlockRequest request;
  BlockResult result;
};

class BlockWorkers {
 public:
  // More would keep a disk busier, and each has a stack.
  static constexpr std::size_t limit = 4;

  // The disk is borrowed. A thread starts when there is a job for it: an unused disk costs none.
  // Where the host has room for none, the submitter executes its jobs itself.
  explicit BlockWorkers(const Disk& disk);
  ~BlockWorkers();

  void submit(std::vector<BlockJob> jobs);
  // An eventfd that is signalled (for an edge-triggered watch) when there are finished jobs.
  int finished_descriptor() const { return finished_event_.get(); }
  std::vector<BlockJob> take_finished();
  // Returns when every job is finished.
  void wait_until_idle();
  // Drops every job, after waiting for those that are executing.
  void drain();

 private:
  void start_threads(std::size_t wanted);
  void execute_here();
  void run(const std::stop_token& stop);
  void execute_next(std::unique_lock<std::mutex>& lock);

  const Disk& disk_;
  base::Fd finished_event_;
  std::mutex mutex_;  // guards what follows; innermost
  std::condition_variable_any job_waits_;
  std::condition_variable idle_;
  std::deque<BlockJob> waiting_;
  std::vector<BlockJob> finished_;
  std::size_t executing_ = 0;
  std::vector<std::jthread> threads_;  // the submitter's; not guarded
};

}  // namespace twinbox::vmm::virtio
