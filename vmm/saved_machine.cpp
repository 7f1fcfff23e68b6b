#include "vmm/saved_machine.hpp"

#include <cerrno>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

fs::path configuration(const fs::path& directory) { return directory / "machine.json"; }

// What is of the machine that was saved, and not of the one that goes on.
void keep_shape(MachineConfig& machine) {
  machine.snapshot.clear();
  machine.ports.clear();
  for (auto& disk : machine.disks) disk.path.clear();
  for (auto& file : machine.image.files) file.path.clear();
  machine.serial_in = machine.serial_out = machine.report = -1;
}

std::string read_configuration(const fs::path& file) {
  try {
    return base::read_file(file);
  } catch (const base::Error& error) {
    if (error.number() != ENOENT) throw;
    throw base::Error(
        base::ErrorKind::not_found,
        fmt::format("the snapshot in {} is gone, or not whole", file.parent_path().string()),
        "see: twinbox snapshot ls; one that is not whole: twinbox snapshot rm");
  }
}

}  // namespace

fs::path saved_state(const fs::path& directory) { return directory / "machine.snapshot"; }

void write_saved_machine(const fs::path& directory, MachineConfig machine) {
  keep_shape(machine);
  base::write_file_atomic(configuration(directory), to_json(machine));
}

MachineConfig read_saved_machine(const fs::path& directory, const sandbox::RootFilesystem& root) {
  const auto file = configuration(directory);
  auto machine = machine_config_from_json(read_configuration(file), file.string());
  keep_shape(machine);  // a file that was changed names nothing of this host
  machine.snapshot = saved_state(directory).string();
  // Layers are in disks or in an image's memory; a place says more than its path.
  std::vector<std::string*> places;
  for (auto& disk : machine.disks) places.push_back(&disk.path);
  for (auto& image : machine.image.files) places.push_back(&image.path);
  if (root.disks.size() > places.size()) {
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("the image has {} layers, and the machine in {} {} disks",
                                  root.disks.size(), directory.string(), places.size()));
  }
  for (std::size_t i = 0; i < root.disks.size(); ++i) *places[i] = root.disks[i].string();
  return machine;
}

}  // namespace twinbox::vmm
