#include "supervise/control_connection.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "sandbox/box_words.hpp"
#include "supervise/control_words.hpp"
#include "supervise/events.hpp"

namespace twinbox::supervise {
namespace {

using base::Json;
using base::JsonView;
using sandbox::protocol::Frame;
using sandbox::protocol::FrameType;
using sandbox::protocol::Stream;

LogStream log_stream(std::string_view payload) {
  const auto number = sandbox::protocol::read_u32(payload, 0);
  if (number != 1 && number != 2) {
    throw base::Error(base::ErrorKind::system, fmt::format("there is no output stream {}", number));
  }
  return number == 1 ? LogStream::out : LogStream::err;
}

std::string input_stream() {
  std::string payload;
  sandbox::protocol::append_u32(payload, static_cast<std::uint32_t>(Stream::in));
  return payload;
}

}  // namespace

ControlConnection::ControlConnection(base::EventLoop& loop, base::Fd stream, SupervisedBox& box,
                                     std::function<void()> on_gone)
    : loop_(loop), box_(box), on_gone_(std::move(on_gone)) {
  connection_ = sandbox::FrameConnection::open(
      loop, std::move(stream), "the client", [this](const Frame& frame) { take(frame); },
      [this](const base::Error&) { lose(); });
  connection_->send(FrameType::hello, 0, Json{{"protocol", sandbox::protocol::version}}.dump());
}

ControlConnection::~ControlConnection() {
  for (auto& [id, attachment] : attachments_) {
    box_.output().remove(attachment.listener);
    attachment.in.reset();
    end_input(attachment);
  }
  for (const auto& [id, weak] : processes_) {
    if (const auto process = weak.lock()) process->abandon();
  }
  connection_->close();
}

void ControlConnection::lose() {
  gone_ = true;
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) on_gone_();
  });
}

void ControlConnection::take(const Frame& frame) {
  if (box_.finished()) return;  // it hears so when this process ends
  switch (frame.type) {
    case FrameType::request:
      return request(frame);
    case FrameType::attach:
      return attach(frame);
    case FrameType::start_exec:
      return exec(frame);
    default:
      return take_process_frame(frame);
  }
}

void ControlConnection::take_process_frame(const Frame& frame) {
  const auto attached = attachments_.find(frame.process);
  if (attached != attachments_.end()) return take_attachment_frame(attached->second, frame);
  // One that is not there any more has ended while this frame was on its way.
  const auto found = processes_.find(frame.process);
  if (found == processes_.end()) return;
  if (const auto process = found->second.lock()) process->take(frame);
}

void ControlConnection::take_attachment_frame(Attachment& attachment, const Frame& frame) {
  namespace protocol = sandbox::protocol;
  switch (frame.type) {
    case FrameType::stdin_data:
      if (!attachment.in) attachment.in = make_input(frame.process);
      return attachment.in->push(frame.payload);
    case FrameType::stdin_end:
      return attachment.in ? attachment.in->finish() : end_input(attachment);
    case FrameType::credit:
      return box_.output().credit(attachment.listener, log_stream(frame.payload),
                                  protocol::read_u32(frame.payload, 4));
    case FrameType::stream_closed:
      // It wants no more of one stream; the workload goes on, as with docker.
      return;
    case FrameType::signal:
      return box_.signal(static_cast<int>(protocol::read_u32(frame.payload, 0)));
    case FrameType::resize:
      return box_.resize(
          {.columns = static_cast<std::uint16_t>(protocol::read_u32(frame.payload, 0)),
           .rows = static_cast<std::uint16_t>(protocol::read_u32(frame.payload, 4))});
    default:
      throw base::Error(base::ErrorKind::system,
                        fmt::format("message {} to a workload", static_cast<int>(frame.type)));
  }
}

void ControlConnection::attach(const Frame& frame) {
  const auto id = frame.process;
  const auto wanted = base::parse_json(frame.payload, "attach");
  const auto& record = box_.record();
  try {
    box_.check_attachable();
  } catch (const base::Error& error) {
    return sandbox::send_outcome(*connection_, id, {sandbox::status_own_error, false, error});
  }
  auto& attachment = attachments_[id];
  attachment.gives_input = JsonView(wanted, "attach").get_or<bool>("stdin", true);
  attachment.listener = box_.output().add([this, id](LogStream stream, std::string_view bytes) {
    connection_->send(stream == LogStream::out ? FrameType::stdout_data : FrameType::stderr_data,
                      id, bytes);
  });
  box_.on_end([this, id, alive = std::weak_ptr(alive_)](const Ended& ended) {
    if (!alive.expired()) end_attachment(id, ended.outcome);
  });
  if (record.state.status == Status::running) emit(record, "attach");
}

void ControlConnection::end_attachment(std::uint32_t id, const sandbox::Outcome& outcome) {
  const auto attachment = attachments_.extract(id);
  box_.output().remove(attachment.mapped().listener);
  sandbox::send_outcome(*connection_, id, outcome);
}

std::unique_ptr<sandbox::StreamSink> ControlConnection::make_input(std::uint32_t id) {
  return std::make_unique<sandbox::StreamSink>(
      loop_, box_.input().writer(),
      sandbox::StreamSink::Handlers{.give_credit =
                                        [this, id](std::uint32_t bytes) {
                                          auto payload = input_stream();
                                          sandbox::protocol::append_u32(payload, bytes);
                                          connection_->send(FrameType::credit, id, payload);
                                        },
                                    .on_closed =
                                        [this, id](const base::Error&) {
                                          connection_->send(FrameType::stream_closed, id,
                                                            input_stream());
                                        },
                                    .on_drained =
                                        [this, id] {
                                          const auto found = attachments_.find(id);
                                          if (found != attachments_.end()) end_input(found->second);
                                        }});
}

void ControlConnection::end_input(const Attachment& attachment) {
  if (attachment.gives_input && !box_.finished()) box_.input_ended();
}

void ControlConnection::exec(const Frame& frame) {
  const auto process = box_.serve(connection_, frame.process);
  processes_[frame.process] = process;
  try {
    auto request = sandbox::exec_from_json(frame.payload).request;
    const bool told = !request.task;  // as an event
    request.stdio = process->process_ends();
    request.on_executed = [&box = box_, process = process.get(), told] {
      if (told) emit(box.record(), "exec_start");
      process->started();
    };
    request.on_exit = [&box = box_, process = process.get(),
                       told](const sandbox::Outcome& outcome) {
      if (told) emit(box.record(), "exec_die", {{"exitCode", std::to_string(outcome.status)}});
      process->conclude(outcome);
    };
    const auto action = request.task ? Action::copy : Action::exec;
    process->run_by(box_.running_box(action).exec(std::move(request)));
  } catch (const base::Error& error) {
    process->conclude({.status = sandbox::status_own_error, .oom_killed = false, .error = error});
  }
}

void ControlConnection::request(const Frame& frame) {
  const auto number = sandbox::protocol::read_u32(frame.payload, 0);
  const Reply reply = [connection = std::weak_ptr(connection_), number](const auto& answer) {
    if (const auto open = connection.lock()) sandbox::send_reply(*open, 0, number, answer);
  };
  try {
    const auto json =
        base::parse_json(std::string_view(frame.payload).substr(sizeof number), "request");
    carry_out(JsonView(json, "request"), reply);
  } catch (const base::Error& error) {
    reply(error);
  }
}

void ControlConnection::carry_out(const JsonView& request, const Reply& reply) {
  const auto what = request.get<std::string>("do");
  if (carry_out_on_life(what, request, reply) || carry_out_question(what, request, reply)) return;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("this supervisor does not know '{}'", what),
                    "the box was started by another version of twinbox: restart it");
}

bool ControlConnection::carry_out_on_life(std::string_view what, const JsonView& request,
                                          const Reply& reply) {
  const auto done = sandbox::as_json<std::monostate>(reply);
  const auto number = [&](std::string_view key) {
    const auto field = request.find(key);
    return field ? std::optional(field->as<int>()) : std::nullopt;
  };
  if (what == "start") {
    box_.start([this, reply](const auto& answer) {
      if (const auto* error = std::get_if<base::Error>(&answer)) return reply(*error);
      reply(to_json(Started{.id = box_.record().id, .pid = box_.record().state.pid}));
    });
  } else if (what == "stop") {
    box_.stop(number("timeout"), number("signal"), done);
  } else if (what == "restart") {
    box_.restart(number("timeout"), number("signal"), done);
  } else if (what == "kill") {
    box_.kill(request.get<int>("signal"), done);
  } else if (what == "pause") {
    box_.pause(done);
  } else if (what == "unpause") {
    box_.unpause(done);
  } else if (what == "save") {
    box_.save(request.get<std::string>("directory"), done);
  } else if (what == "update") {
    box_.update(sandbox::resources_from_json(request.at("limits")), policy_in(request), done);
  } else if (what == "rename") {
    box_.rename(request.get<std::string>("name"));
    done(std::monostate{});
  } else if (what == "remove") {
    box_.remove(done);
  } else {
    return false;
  }
  return true;
}

bool ControlConnection::carry_out_question(std::string_view what, const JsonView& request,
                                           const Reply& reply) {
  if (what == "wait") {
    box_.on_end([reply](const Ended& ended) { reply(to_json(ended)); });
  } else if (what == "statistics" || what == "processes" || what == "changes") {
    sandbox::ask_box(box_.running_box(Action::copy), request, reply);
  } else {
    return false;
  }
  return true;
}

}  // namespace twinbox::supervise
