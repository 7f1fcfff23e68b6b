#include "vmm/machine_config.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace twinbox::vmm {

using base::Json;
using base::JsonView;

std::string to_json(const MachineConfig& config) {
  Json disks = Json::array();
  for (const auto& disk : config.disks) {
    disks.push_back({{"path", disk.path}, {"read_only", disk.read_only}, {"drive", disk.drive}});
  }
  Json files = Json::array();
  for (const auto& file : config.image.files) {
    files.push_back({{"path", file.path}, {"offset", file.offset}, {"size", file.size}});
  }
  Json ports = Json::array();
  for (const auto& port : config.ports) {
    ports.push_back({{"name", port.name}, {"descriptor", port.descriptor}});
  }
  return Json{{"snapshot", config.snapshot},
              {"kernel", config.kernel},
              {"notes_writes", config.notes_writes},
              {"linux64", config.linux64},
              {"initrd", config.initrd},
              {"command_line", config.command_line},
              {"memory_bytes", config.memory_bytes},
              {"cpus", config.cpus},
              {"disks", disks},
              {"image", {{"size", config.image.size}, {"files", files}}},
              {"ports", ports},
              {"serial_in", config.serial_in},
              {"serial_out", config.serial_out},
              {"report", config.report},
              {"boot_limit_ms", config.boot_limit_ms}}
      .dump();
}

namespace {

ImageConfig image_from_json(const JsonView& view) {
  ImageConfig image;
  image.size = view.get_or<std::uint64_t>("size", 0);
  if (const auto files = view.find("files")) {
    for (const auto& file : files->elements()) {
      image.files.push_back({file.get<std::string>("path"), file.get<std::uint64_t>("offset"),
                             file.get<std::uint64_t>("size")});
    }
  }
  return image;
}

}  // namespace

MachineConfig machine_config_from_json(std::string_view text, std::string_view source) {
  const Json json = base::parse_json(text, source);
  const JsonView view(json, std::string(source));
  MachineConfig config;
  config.snapshot = view.get_or<std::string>("snapshot", "");
  config.kernel = config.snapshot.empty() ? view.get<std::string>("kernel") : "";
  config.notes_writes = view.get_or<bool>("notes_writes", true);
  config.linux64 = view.get_or<bool>("linux64", false);
  config.initrd = view.get_or<std::string>("initrd", "");
  config.command_line = view.get_or<std::string>("command_line", "");
  config.memory_bytes = view.get<std::uint64_t>("memory_bytes");
  config.cpus = view.get_or<unsigned>("cpus", 1);
  if (const auto disks = view.find("disks")) {
    for (const auto& disk : disks->elements()) {
      config.disks.push_back({disk.get<std::string>("path"), disk.get_or<bool>("read_only", false),
                              disk.get_or<bool>("drive", false)});
    }
  }
  if (const auto image = view.find("image")) config.image = image_from_json(*image);
  if (const auto ports = view.find("ports")) {
    for (const auto& port : ports->elements()) {
      config.ports.push_back({port.get<std::string>("name"), port.get<int>("descriptor")});
    }
  }
  config.serial_in = view.get_or<int>("serial_in", -1);
  config.serial_out = view.get_or<int>("serial_out", -1);
  config.report = view.get_or<int>("report", -1);
  config.boot_limit_ms = view.get_or<std::uint64_t>("boot_limit_ms", 0);
  return config;
}

}  // namespace twinbox::vmm
