#include "sandbox/served_process.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::FrameType;
using protocol::Stream;

std::string stream_name(Stream stream) {
  std::string payload;
  protocol::append_u32(payload, static_cast<std::uint32_t>(stream));
  return payload;
}

// Diagnostics may carry bytes of a path that are not UTF-8.
std::string dump(const base::Json& json) {
  return json.dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

base::Json error_to_json(const base::Error& error) {
  return {{"kind", static_cast<int>(error.kind())},
          {"message", error.message()},
          {"hint", error.hint()}};
}

}  // namespace

void send_outcome(FrameConnection& connection, std::uint32_t process, const Outcome& outcome) {
  if (outcome.error) {
    auto json = error_to_json(*outcome.error);
    json["status"] = outcome.status;
    return connection.send(FrameType::failed, process, dump(json));
  }
  connection.send(FrameType::exited, process,
                  dump({{"status", outcome.status}, {"oom_killed", outcome.oom_killed}}));
}

void send_reply(FrameConnection& connection, std::uint32_t process, std::uint32_t request,
                const std::variant<std::string, base::Error>& answer) {
  std::string payload;
  protocol::append_u32(payload, request);
  if (const auto* error = std::get_if<base::Error>(&answer)) {
    payload += dump({{"error", error_to_json(*error)}});
  } else {
    payload += R"({"value":)" + std::get<std::string>(answer) + "}";
  }
  if (payload.size() > protocol::max_payload) {
    const base::Error too_long(
        base::ErrorKind::unsupported,
        fmt::format("the answer takes {}, and {} is the longest that can be given",
                    base::format_size(payload.size()), base::format_size(protocol::max_payload)));
    return send_reply(connection, process, request, too_long);
  }
  connection.send(FrameType::reply, process, payload);
}

ServedProcess::ServedProcess(base::EventLoop& loop, std::shared_ptr<FrameConnection> connection,
                             std::uint32_t id, std::function<void()> on_gone)
    : loop_(loop), connection_(std::move(connection)), id_(id), on_gone_(std::move(on_gone)) {
  auto [in_read, in_write] = base::make_pipe();
  auto [out_read, out_write] = base::make_pipe();
  auto [err_read, err_write] = base::make_pipe();
  // Only our ends: the process's are open file descriptions of their own, and stay blocking.
  for (const auto* fd : {&in_write, &out_read, &err_read}) base::set_nonblocking(fd->get(), true);
  process_in_ = std::move(in_read);
  process_out_ = std::move(out_write);
  process_err_ = std::move(err_write);
  in_ = make_sink(std::move(in_write));
  out_ = make_source(Stream::out, std::move(out_read));
  err_ = make_source(Stream::err, std::move(err_read));
  out_->start();
  err_->start();
}

std::unique_ptr<StreamSink> ServedProcess::make_sink(base::Fd fd) {
  return std::make_unique<StreamSink>(
      loop_, std::move(fd),
      StreamSink::Handlers{.give_credit =
                               [this](std::uint32_t bytes) {
                                 auto payload = stream_name(Stream::in);
                                 protocol::append_u32(payload, bytes);
                                 connection_->send(FrameType::credit, id_, payload);
                               },
                           .on_closed =
                               [this](const base::Error&) {
                                 connection_->send(FrameType::stream_closed, id_,
                                                   stream_name(Stream::in));
                               },
                           .on_drained = [] {}});
}

std::unique_ptr<StreamSource> ServedProcess::make_source(Stream stream, base::Fd fd) {
  const auto type = stream == Stream::out ? FrameType::stdout_data : FrameType::stderr_data;
  return std::make_unique<StreamSource>(
      loop_, std::move(fd),
      StreamSource::Handlers{.send =
                                 [this, type, stream](std::string_view bytes) {
                                   if (!abandoned_) return connection_->send(type, id_, bytes);
                                   auto& from = stream == Stream::out ? *out_ : *err_;
                                   from.add_credit(static_cast<std::uint32_t>(bytes.size()));
                                 },
                             .on_end = [this] { settle(); }});
}

Stdio ServedProcess::process_ends() const {
  return {process_in_.get(), process_out_.get(), process_err_.get()};
}

void ServedProcess::close_process_ends() {
  for (auto* fd : {&process_in_, &process_out_, &process_err_}) fd->reset();
}

void ServedProcess::started() {
  close_process_ends();
  connection_->send(FrameType::started, id_, {});
}

void ServedProcess::conclude(Outcome outcome) {
  close_process_ends();
  outcome_ = std::move(outcome);
  in_.reset();
  // Descendants may hold the pipes open for ever; what the process itself wrote is in them now.
  out_->finish();
  err_->finish();
  settle();
}

void ServedProcess::settle() {
  if (!outcome_ || !out_->ended() || !err_->ended() || std::exchange(told_, true)) return;
  send_outcome(*connection_, id_, *outcome_);
  loop_.defer(on_gone_);
}

void ServedProcess::end(Outcome outcome) {
  process_.reset();
  if (!outcome_) conclude(std::move(outcome));
}

void ServedProcess::begin_anew() {
  if (in_ && in_->open()) {
    in_->begin_anew();
  } else {
    in_.reset();
    connection_->send(FrameType::stream_closed, id_, stream_name(Stream::in));
  }
  connection_->send(FrameType::started, id_, {});
  out_->begin_anew();
  err_->begin_anew();
}

void ServedProcess::abandon() {
  if (std::exchange(abandoned_, true)) return;
  in_.reset();
  for (auto* source : {out_.get(), err_.get()}) {
    if (outcome_) {
      source->close();
    } else {
      source->reopen();
    }
  }
}

StreamSource& ServedProcess::source(std::string_view payload) {
  const auto stream = protocol::read_u32(payload, 0);
  if (stream != static_cast<std::uint32_t>(Stream::out) &&
      stream != static_cast<std::uint32_t>(Stream::err)) {
    throw base::Error(base::ErrorKind::system, fmt::format("there is no output stream {}", stream));
  }
  return stream == static_cast<std::uint32_t>(Stream::out) ? *out_ : *err_;
}

void ServedProcess::take(const protocol::Frame& frame) {
  switch (frame.type) {
    case FrameType::stdin_data:
      if (in_) in_->push(frame.payload);
      return;
    case FrameType::stdin_end:
      if (in_) in_->finish();
      return;
    case FrameType::credit:
      return source(frame.payload).add_credit(protocol::read_u32(frame.payload, 4));
    case FrameType::stream_closed:
      // The process finds out by SIGPIPE, as it would with the consumer beside it.
      return source(frame.payload).close();
    case FrameType::resize:
      if (process_ && !outcome_) {
        process_->resize(
            {.columns = static_cast<std::uint16_t>(protocol::read_u32(frame.payload, 0)),
             .rows = static_cast<std::uint16_t>(protocol::read_u32(frame.payload, 4))});
      }
      return;
    case FrameType::signal:
      if (process_ && !outcome_) {
        process_->signal(static_cast<int>(protocol::read_u32(frame.payload, 0)));
      }
      return;
    default:
      throw base::Error(base::ErrorKind::system,
                        fmt::format("message {} about a process", static_cast<int>(frame.type)));
  }
}

}  // namespace twinbox::sandbox
