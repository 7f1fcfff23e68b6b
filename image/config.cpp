#include "image/config.hpp"

#include <nlohmann/json.hpp>

namespace twinbox::image {

using base::Json;
using Words = std::vector<std::string>;

Json to_json(const ImageConfig& config) {
  auto section = Json::object();
  if (!config.env.empty()) section["Env"] = config.env;
  if (!config.entrypoint.empty()) section["Entrypoint"] = config.entrypoint;
  if (!config.command.empty()) section["Cmd"] = config.command;
  if (!config.working_directory.empty()) section["WorkingDir"] = config.working_directory;
  if (!config.user.empty()) section["User"] = config.user;
  if (!config.stop_signal.empty()) section["StopSignal"] = config.stop_signal;
  if (!config.labels.empty()) section["Labels"] = config.labels;
  return {{"architecture", "amd64"},
          {"os", "linux"},
          {"created", config.created},
          {"config", section},
          {"rootfs", {{"type", "layers"}, {"diff_ids", config.diff_ids}}}};
}

namespace {

// Builders write absent lists and maps as null.
template <typename T>
T as_or_empty(const base::JsonView& section, std::string_view key) {
  const auto member = section.find(key);
  return member && !member->value().is_null() ? member->as<T>() : T{};
}

}  // namespace

ImageConfig config_from(const base::JsonView& view) {
  ImageConfig config;
  config.created = view.get_or<std::string>("created", "");
  config.diff_ids = view.at("rootfs").get<Words>("diff_ids");
  const auto section = view.find("config");
  if (!section || section->value().is_null()) return config;
  config.env = as_or_empty<Words>(*section, "Env");
  config.entrypoint = as_or_empty<Words>(*section, "Entrypoint");
  config.command = as_or_empty<Words>(*section, "Cmd");
  config.working_directory = section->get_or<std::string>("WorkingDir", "");
  config.user = section->get_or<std::string>("User", "");
  config.stop_signal = section->get_or<std::string>("StopSignal", "");
  config.labels = as_or_empty<std::map<std::string, std::string>>(*section, "Labels");
  return config;
}

}  // namespace twinbox::image
