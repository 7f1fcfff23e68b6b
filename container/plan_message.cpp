#include "container/plan_message.hpp"

#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/syscall.hpp"

namespace twinbox::container {
namespace {

using Streams = std::array<int, 3>;

std::string text_of(const InitPlan& plan) {
  auto spec = plan.spec;
  const bool standard = take_standard_parts(spec);
  std::vector<std::string> layers;
  for (const auto& layer : plan.layers) layers.push_back(layer.string());
  base::JsonWriter json;
  json.object([&] {
    json.member("standard", standard);
    json.member_as_it_is("spec", to_json(spec));
    json.member("layers", layers);
    json.member("directory", plan.directory.string());
    json.member("in_memory", plan.writable == WritableLayer::memory);
    json.member("devices_controlled", plan.devices_controlled);
  });
  return json.text();
}

InitPlan plan_from(const std::string& text) {
  const auto json = base::parse_json(text, "a box's plan");
  const base::JsonView view(json, "a box's plan");
  InitPlan plan;
  plan.spec = sandbox::spec_from_json(view.at("spec"));
  if (view.get<bool>("standard")) put_standard_parts(plan.spec);
  for (const auto& layer : view.get<std::vector<std::string>>("layers")) {
    plan.layers.emplace_back(layer);
  }
  plan.directory = view.get<std::string>("directory");
  plan.writable = view.get<bool>("in_memory") ? WritableLayer::memory : WritableLayer::disk;
  plan.devices_controlled = view.get<bool>("devices_controlled");
  return plan;
}

// The size of the text, with the streams.
struct Head {
  std::uint64_t size = 0;
  Streams streams{-1, -1, -1};
};

// One message of a socket: its bytes, and room for the descriptors that go with them.
struct HeadMessage {
  explicit HeadMessage(std::uint64_t& size) : bytes{&size, sizeof size} {
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }

  iovec bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(Streams))> control{};
  msghdr header{};
};

void send_head(int socket, Head head) {
  HeadMessage message(head.size);
  auto* const rights = CMSG_FIRSTHDR(&message.header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(Streams));
  std::memcpy(CMSG_DATA(rights), head.streams.data(), sizeof(Streams));
  if (::sendmsg(socket, &message.header, MSG_NOSIGNAL) != sizeof head.size) {
    base::throw_errno("cannot tell a box's process what to run");
  }
}

Head receive_head(int socket) {
  Head head;
  HeadMessage message(head.size);
  const auto count = ::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  const auto* const rights = CMSG_FIRSTHDR(&message.header);
  if (count != sizeof head.size || rights == nullptr || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(sizeof(Streams))) {
    throw base::Error(base::ErrorKind::system, "a box's process was not told what to run");
  }
  std::memcpy(head.streams.data(), CMSG_DATA(rights), sizeof(Streams));
  return head;
}

}  // namespace

void send_plan(int socket, const InitPlan& plan) {
  const auto text = text_of(plan);
  send_head(socket,
            {.size = text.size(), .streams = {plan.stdio.in, plan.stdio.out, plan.stdio.err}});
  base::write_all(socket, text);
}

InitPlan receive_plan(int socket) {
  const auto head = receive_head(socket);
  std::string text(head.size, '\0');
  if (::recv(socket, text.data(), text.size(), MSG_WAITALL) != static_cast<ssize_t>(text.size())) {
    throw base::Error(base::ErrorKind::system, "a box's process was not told all of what to run");
  }
  auto plan = plan_from(text);
  plan.stdio = {head.streams[0], head.streams[1], head.streams[2]};
  return plan;
}

}  // namespace twinbox::container
