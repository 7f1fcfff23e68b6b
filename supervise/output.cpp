#include "supervise/output.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace twinbox::supervise {

void Output::begin(base::Fd out, base::Fd err) {
  for (auto& one : streams_) one.credited = one.sent;
  stream(LogStream::out).source = source(LogStream::out, std::move(out));
  stream(LogStream::err).source = source(LogStream::err, std::move(err));
  for (auto& one : streams_) one.source->start();
}

std::unique_ptr<sandbox::StreamSource> Output::source(LogStream which, base::Fd fd) {
  return std::make_unique<sandbox::StreamSource>(
      loop_, std::move(fd),
      sandbox::StreamSource::Handlers{
          .send = [this, which](std::string_view bytes) { deliver(which, bytes); },
          .on_end = [this] { on_end(); }});
}

void Output::finish(std::function<void()> on_drained) {
  on_drained_ = std::move(on_drained);
  for (auto& one : streams_) {
    if (one.source) one.source->finish();
  }
  on_end();
}

void Output::on_end() {
  const bool all = std::ranges::all_of(
      streams_, [](const Stream& one) { return !one.source || one.source->ended(); });
  if (const auto done = all ? std::exchange(on_drained_, nullptr) : nullptr) done();
}

void Output::deliver(LogStream which, std::string_view bytes) {
  log_.write(which, bytes);
  stream(which).sent += bytes.size();
  for (const auto& [id, entry] : listeners_) entry.listener(which, bytes);
  if (listeners_.empty()) pass_on_credit(which);
}

Output::ListenerId Output::add(Listener listener) {
  Entry entry{.listener = std::move(listener), .taken = {}};
  for (std::size_t i = 0; i < streams_.size(); ++i) entry.taken[i] = streams_[i].sent;
  listeners_.emplace(++last_id_, std::move(entry));
  return last_id_;
}

void Output::remove(ListenerId id) {
  if (listeners_.erase(id) == 0) return;
  for (const auto which : {LogStream::out, LogStream::err}) pass_on_credit(which);
}

void Output::credit(ListenerId id, LogStream which, std::uint32_t bytes) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  auto& taken = found->second.taken[static_cast<std::size_t>(which)];
  if (bytes > stream(which).sent - taken) {
    throw base::Error(base::ErrorKind::system, "credit for bytes that were never sent");
  }
  taken += bytes;
  pass_on_credit(which);
}

void Output::pass_on_credit(LogStream which) {
  auto& one = stream(which);
  auto slowest = one.sent;
  for (const auto& [id, entry] : listeners_) {
    slowest = std::min(slowest, entry.taken[static_cast<std::size_t>(which)]);
  }
  const auto more = slowest - std::min(slowest, one.credited);
  one.credited += more;
  if (more > 0 && one.source) one.source->add_credit(static_cast<std::uint32_t>(more));
}

}  // namespace twinbox::supervise
