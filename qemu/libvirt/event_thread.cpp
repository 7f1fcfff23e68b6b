#include "qemu/libvirt/event_thread.hpp"

#include "qemu/libvirt/library.hpp"

namespace twinbox::qemu::libvirt {

EventThread::EventThread() {
  static const bool registered = library().virEventRegisterDefaultImpl() == 0;
  if (!registered) throw_libvirt_error("cannot start libvirt's event loop");
  thread_ = std::thread([this] {
    while (!stopping_ && library().virEventRunDefaultImpl() == 0) {
    }
  });
}

EventThread::~EventThread() {
  stopping_ = true;
  // An event of its own, due at once, so that the loop looks.
  library().virEventAddTimeout(
      0, [](int timer, void*) { library().virEventRemoveTimeout(timer); }, nullptr, nullptr);
  thread_.join();
}

}  // namespace twinbox::qemu::libvirt
