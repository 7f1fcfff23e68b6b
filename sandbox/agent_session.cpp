#include "sandbox/agent_session.hpp"

#include <sys/random.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "sandbox/agent_session_core.hpp"
#include "sandbox/spec_message.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::FrameType;

std::string dump(const base::Json& json) {
  try {
    return json.dump();
  } catch (const base::Json::exception&) {
    throw base::Error(base::ErrorKind::usage, "an argument or variable is not valid UTF-8");
  }
}

std::uint64_t nanoseconds_since_epoch() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// As much as a random number generator needs to be seeded.
std::string fresh_entropy() {
  std::array<std::uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    base::throw_errno("cannot get random numbers");
  }
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

// Where layers are, as start_box and go_on say it.
void write_disks(base::JsonWriter& json, std::span<const AgentDisk> disks) {
  json.array("disks", [&] {
    for (const auto& disk : disks) {
      json.object([&] {
        json.member("device", disk.device);
        if (disk.size == 0) return;
        json.member("start", disk.start);
        json.member("size", disk.size);
      });
    }
  });
}

}  // namespace

std::string go_on_expecting(std::span<const AgentDisk> disks) {
  base::JsonWriter json;
  json.object([&] {
    json.member("clock_ns", nanoseconds_since_epoch());
    json.member("entropy", fresh_entropy());
    json.member("hostname", std::string());
    write_disks(json, disks);
  });
  return protocol::encode(FrameType::go_on, 0, json.text());
}

AgentSession::AgentSession(base::EventLoop& loop, base::Fd stream, SessionHandlers handlers,
                           std::string peer)
    : core_(std::make_shared<Core>(loop, std::move(handlers))) {
  core_->open(std::move(stream), std::move(peer));
}

AgentSession::~AgentSession() { core_->close(); }

AgentSession::ProcessId AgentSession::start_command(const AgentCommand& command, Stdio stdio,
                                                    ProcessHandlers handlers) {
  const base::Json json{{"args", command.args}, {"env", command.env}, {"cwd", command.cwd}};
  return core_->start(FrameType::start_command, dump(json), stdio, std::move(handlers));
}

AgentSession::ProcessId AgentSession::start_box(const AgentBox& box, Stdio stdio,
                                                ProcessHandlers handlers) {
  base::JsonWriter json;
  json.object([&] {
    json.member_as_it_is("spec", spec_message(box.spec));
    write_disks(json, box.disks);
    json.member("clock_ns", nanoseconds_since_epoch());
  });
  return core_->start(FrameType::start_box, json.text(), stdio, std::move(handlers));
}

AgentSession::ProcessId AgentSession::adopt_box(Stdio stdio, ProcessHandlers handlers) {
  return core_->adopt(stdio, std::move(handlers));
}

AgentSession::ProcessId AgentSession::start_exec(ProcessId box, const ExecRequest& request) {
  base::Json json{{"box", box}};
  if (request.task) {
    json["task"] = {{"kind", to_string(request.task->kind)}, {"path", request.task->path}};
  } else {
    json["process"] = base::parse_json(to_json(request.process), "process");
  }
  return core_->start(FrameType::start_exec, dump(json), request.stdio,
                      {.on_started = request.on_executed, .on_end = request.on_exit});
}

AgentSession::ProcessId AgentSession::attach(Stdio stdio, ProcessHandlers handlers) {
  const base::Json wanted{{"stdin", stdio.in >= 0}};
  return core_->start(FrameType::attach, wanted.dump(), stdio, std::move(handlers));
}

void AgentSession::resize(ProcessId process, TerminalSize size) {
  if (!core_->runs(process)) return;
  std::string payload;
  protocol::append_u32(payload, size.columns);
  protocol::append_u32(payload, size.rows);
  core_->send(FrameType::resize, process, std::move(payload));
}

void AgentSession::request(ProcessId box, std::string_view json, Answer<std::string> answer) {
  core_->request(box, json, std::move(answer));
}

void AgentSession::signal(ProcessId process, int number) {
  if (!core_->runs(process)) return;
  std::string payload;
  protocol::append_u32(payload, static_cast<std::uint32_t>(number));
  core_->send(FrameType::signal, process, std::move(payload));
}

void AgentSession::request_memory(std::function<void(std::string_view json)> on_memory) {
  core_->request_memory(std::move(on_memory));
}

void AgentSession::freeze(Done on_frozen) { core_->freeze(std::move(on_frozen)); }

void AgentSession::go_on() { core_->go_on(); }

void AgentSession::go_on_as_copy(std::string_view hostname) {
  const base::Json identity{{"clock_ns", nanoseconds_since_epoch()},
                            {"entropy", fresh_entropy()},
                            {"hostname", hostname}};
  core_->go_on_as_copy(dump(identity));
}

const std::optional<base::Error>& AgentSession::lost() const { return core_->lost(); }

void AgentSession::power_off() { core_->send(FrameType::power_off, 0, {}); }

}  // namespace twinbox::sandbox
