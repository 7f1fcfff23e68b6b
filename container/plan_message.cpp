#include "container/plan_message.hpp"

#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <tuple>

#include "base/descriptor_message.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/syscall.hpp"
#include "sandbox/spec_message.hpp"

namespace twinbox::container {
namespace {

using Streams = std::array<int, 3>;

std::string text_of(PlanPart part, const InitPlan& plan) {
  std::vector<std::string> layers;
  for (const auto& layer : plan.layers) layers.push_back(layer.string());
  base::JsonWriter json;
  json.object([&] {
    if (part == PlanPart::whole) json.member_as_it_is("spec", spec_message(plan.spec));
    json.member("layers", layers);
    json.member("directory", plan.directory.string());
    json.member("in_memory", plan.writable == WritableLayer::memory);
    json.member("devices_controlled", plan.devices_controlled);
  });
  return json.text();
}

InitPlan plan_from(PlanPart part, const std::string& text) {
  const auto json = base::parse_json(text, "a box's plan");
  const base::JsonView view(json, "a box's plan");
  InitPlan plan;
  if (part == PlanPart::root) {
    plan.spec = sandbox::default_spec();
  } else {
    plan.spec = sandbox::spec_from_message(view.at("spec"));
  }
  for (const auto& layer : view.get<std::vector<std::string>>("layers")) {
    plan.layers.emplace_back(layer);
  }
  plan.directory = view.get<std::string>("directory");
  plan.writable = view.get<bool>("in_memory") ? WritableLayer::memory : WritableLayer::disk;
  plan.devices_controlled = view.get<bool>("devices_controlled");
  return plan;
}

}  // namespace

void send_plan(int socket, PlanPart part, const InitPlan& plan) {
  const auto text = text_of(part, plan);
  const std::uint64_t size = text.size();
  const Streams streams{plan.stdio.in, plan.stdio.out, plan.stdio.err};
  base::send_with_descriptors(
      socket, std::as_bytes(std::span(&size, 1)),
      part == PlanPart::whole ? std::span(streams) : std::span<const int>());
  base::write_all(socket, text);
}

ToldPlan receive_plan(int socket) {
  std::uint64_t size = 0;
  auto streams =
      base::receive_with_descriptors(socket, std::as_writable_bytes(std::span(&size, 1)));
  if (!streams || (!streams->empty() && streams->size() != std::tuple_size_v<Streams>)) {
    throw base::Error(base::ErrorKind::system, "a box's process was not told what to run");
  }
  std::string text(size, '\0');
  if (::recv(socket, text.data(), text.size(), MSG_WAITALL) != static_cast<ssize_t>(text.size())) {
    throw base::Error(base::ErrorKind::system, "a box's process was not told all of what to run");
  }
  const auto part = streams->empty() ? PlanPart::root : PlanPart::whole;
  ToldPlan told{.part = part, .plan = plan_from(part, text)};
  if (told.part == PlanPart::whole) {
    told.plan.stdio = {(*streams)[0].release(), (*streams)[1].release(), (*streams)[2].release()};
  }
  return told;
}

}  // namespace twinbox::container
