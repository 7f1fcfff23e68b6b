// The thread that runs libvirt's event loop, as its library asks of every user.
#pragma once

#include <atomic>
#include <thread>

namespace twinbox::qemu::libvirt {

class EventThread {
 public:
  EventThread();
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;
  ~EventThread();

 private:
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace twinbox::qemu::libvirt
