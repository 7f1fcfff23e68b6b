#include "vmm/devices/serial_input.hpp"

#include <sys/epoll.h>
#include <sys/stat.h>

#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {

SerialInput::SerialInput(base::EventLoop& loop, int descriptor, Deliver deliver)
    : loop_(loop),
      deliver_(std::move(deliver)),
      input_(base::duplicate(descriptor)),
      wake_(base::make_eventfd()) {
  loop_.add(wake_.get(), EPOLLIN | EPOLLET, [this](std::uint32_t) { pump(); });
  watch(true);
  if (!pollable_) wake();
}

SerialInput::~SerialInput() {
  loop_.remove(wake_.get());
  loop_.remove(input_.get());
}

void SerialInput::wake() { base::signal_eventfd(wake_.get()); }

// Only called where a read does not wait: for a watched descriptor, after the loop found it ready.
bool SerialInput::read_more() {
  std::size_t count = 0;
  try {
    count = base::read_some(input_.get(), buffer_).value_or(0);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::debug, "serial input ended: {}", error.what());
  }
  ended_ = count == 0;
  rest_ = std::span(buffer_).first(count);
  return !ended_;
}

void SerialInput::pump() {
  do {
    rest_ = rest_.subspan(deliver_(rest_));
    if (!rest_.empty()) return watch(false);
  } while (!pollable_ && !ended_ && read_more());
  watch(true);
}

void SerialInput::watch(bool on) {
  if (!pollable_ || loop_.watches(input_.get()) == (on && !ended_)) return;
  if (!on || ended_) return loop_.remove(input_.get());
  try {
    loop_.add(input_.get(), EPOLLIN, [this](std::uint32_t) {
      read_more();
      pump();
    });
  } catch (const base::Error&) {
    pollable_ = false;
  }
}

}  // namespace twinbox::vmm
