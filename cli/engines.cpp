#include "cli/engines.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.hpp"
#include "container/engine.hpp"
#include "image/store.hpp"
#include "qemu/engine.hpp"
#include "qemu/lab.hpp"
#include "sandbox/state_store.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/engine.hpp"

namespace twinbox::cli {
namespace {

template <typename Type>
std::unique_ptr<sandbox::Engine> make() {
  return std::make_unique<Type>();
}

std::unique_ptr<sandbox::Engine> make_qemu() {
  return std::make_unique<qemu::QemuEngine>(
      qemu::QemuOptions{.prepare_kernel = vmm::prepare_kernel});
}

struct Entry {
  std::string_view name;
  std::unique_ptr<sandbox::Engine> (*make)();
};

constexpr std::array engines{
    Entry{"container", make<container::ContainerEngine>},
    Entry{"vm", make<vmm::VmEngine>},
    Entry{"qemu", make_qemu},
    Entry{"process", make<container::ProcessEngine>},
};

void clean_up(const std::string& engine, const std::string& id,
              const std::filesystem::path& directory) {
  for (const auto& entry : engines) {
    if (engine.empty() || engine == entry.name) entry.make()->clean_up(id, directory);
  }
}

}  // namespace

std::string engine_names() {
  std::string names;
  for (const auto& entry : engines) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  }
  return names;
}

std::unique_ptr<sandbox::Engine> make_engine(std::string_view name) {
  const auto* const found = std::ranges::find(engines, name, &Entry::name);
  if (found != engines.end()) return found->make();
  throw base::Error(base::ErrorKind::usage, fmt::format("there is no engine '{}'", name),
                    fmt::format("--as takes one of: {}", engine_names()));
}

void sweep_leftovers() {
  sandbox::sweep_boxes(sandbox::boxes_directory(), clean_up);
  image::Store().sweep();
  qemu::clean_up_qemu();
  qemu::clean_up_labs();
}

}  // namespace twinbox::cli
