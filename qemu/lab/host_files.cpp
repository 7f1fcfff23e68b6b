#include "qemu/lab/host_files.hpp"

#include <array>
#include <sstream>
#include <string>
#include <string_view>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "qemu/lab_init_script.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view busybox = "/usr/bin/busybox";

// In the order of their dependencies: what a module needs comes before it.
constexpr std::array lab_modules{
    "virt/lib/irqbypass",
    "arch/x86/kvm/kvm",
    "arch/x86/kvm/kvm-amd",
    "drivers/firmware/qemu_fw_cfg",
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
    "drivers/char/virtio_console",
    "fs/overlayfs/overlay",
    "drivers/block/loop",
    "lib/libcrc32c",
    "fs/erofs/erofs",
    "drivers/net/veth",
    "drivers/net/tun",
};

// Those that the agent loads in a guest, whose initramfs is made of them.
constexpr std::array guest_module_directories{"drivers/virtio",
                                              "drivers/block/virtio_blk.ko",
                                              "drivers/char/virtio_console.ko",
                                              "drivers/char/hw_random",
                                              "drivers/nvdimm",
                                              "fs/erofs",
                                              "fs/overlayfs",
                                              "lib/libcrc32c.ko",
                                              "lib/lz4",
                                              "modules.order",
                                              "modules.builtin"};

fs::path stock_kernel() {
  const fs::path stock = sandbox::data_root() / "kernels/stock";
  if (fs::exists(stock / "version") && fs::exists(stock / "vmlinuz")) return stock;
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("there is no kernel for the lab in {}", stock.string()),
                    "run guest-images/fetch-kernel, or scripts/quickstart");
}

std::string first_line(const fs::path& file) {
  const auto text = base::read_file(file);
  return text.substr(0, text.find('\n'));
}

void add_busybox(LabContents& contents) {
  if (!fs::exists(busybox)) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("{} is missing", busybox),
                      "install the package busybox-static");
  }
  const auto applets = base::run_command({std::string(busybox), "--list"});
  std::istringstream names(applets.out);
  for (std::string name; std::getline(names, name);) {
    contents.add_link("/usr/bin/" + name, "busybox");
  }
  contents.add_program(busybox);
}

void add_host(LabContents& contents) {
  for (const std::string merged : {"bin", "sbin"}) contents.add_link("/" + merged, "usr/bin");
  contents.add_link("/usr/sbin", "bin");
  for (const std::string merged : {"lib", "lib64"}) {
    contents.add_directory("/usr/" + merged);
    contents.add_link("/" + merged, "usr/" + merged);
  }
  for (const auto* directory :
       {"/dev", "/proc", "/sys", "/run", "/root", "/out", "/host", "/var"}) {
    contents.add_directory(directory);
  }
  contents.add_directory("/tmp", 01777);
  contents.add_text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  contents.add_text("/etc/group", "root:x:0:\ntty:x:5:\n");
  contents.add_text("/etc/hosts", "127.0.0.1 localhost lab\n");
  contents.add_text("/init", std::string(lab_init_script), 0755);
}

struct Extra {
  fs::path source;
  fs::path target;
};

Extra parse_extra(const std::string& extra) {
  const auto colon = extra.rfind(":/");
  const bool renamed = colon != std::string::npos && !fs::exists(extra);
  const fs::path source = fs::absolute(renamed ? extra.substr(0, colon) : extra);
  return {.source = source, .target = renamed ? fs::path(extra.substr(colon + 1)) : source};
}

void add_kernel_modules(LabContents& contents, const fs::path& stock) {
  const fs::path modules = fs::path("lib/modules") / first_line(stock / "version");
  std::string list;
  for (const std::string name : lab_modules) {
    const fs::path target = "/usr" / modules / "kernel" / (name + ".ko");
    contents.add_file(stock / "modules" / modules / "kernel" / (name + ".ko"), target);
    list += target.string() + "\n";
  }
  contents.add_text("/etc/lab/modules", list);
}

void add_data(LabContents& contents, const fs::path& stock) {
  const fs::path root = sandbox::data_root();
  for (const std::string name : {"images", "layers"}) {
    if (fs::exists(root / name)) contents.add_tree(root / name, root / name);
  }
  for (const std::string name : {"version", "config", "vmlinuz"}) {
    contents.add_file(stock / name, stock / name);
  }
  const fs::path tuned = root / "kernels/tuned";
  for (const std::string name : {"version", "config", "vmlinux", "persistent-memory"}) {
    if (fs::exists(tuned / name)) contents.add_file(tuned / name, tuned / name);
  }
  const fs::path modules = stock / "modules/lib/modules" / first_line(stock / "version");
  for (const std::string name : guest_module_directories) {
    for (const fs::path& path : {modules / name, modules / "kernel" / name}) {
      if (fs::exists(path)) contents.add_tree(path, path);
    }
  }
  // Of what is kept to save time only the unpacked kernels: the rest is named by where it stands on
  // this host, so it would be of no use in the lab, and each change of it would mean a new lab.
  const fs::path kernels = root / "cache/kernels";
  if (fs::exists(kernels)) contents.add_tree(kernels, kernels);
}

}  // namespace

LabContents standard_contents() {
  LabContents contents;
  const fs::path stock = stock_kernel();
  add_host(contents);
  add_busybox(contents);
  add_kernel_modules(contents, stock);
  add_data(contents, stock);
  for (const std::string name : {"twinbox", "twinbox-vmm", "twinbox-agent"}) {
    contents.add_program(sandbox::program_path(name), "/usr/bin/" + name);
  }
  return contents;
}

bool extra_is_there(const std::string& extra) { return fs::exists(parse_extra(extra).source); }

void add_extra(LabContents& contents, const std::string& extra) {
  const auto [source, target] = parse_extra(extra);
  if (!fs::exists(source)) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("{} is not there", source.string()));
  }
  if (fs::is_directory(source)) {
    // Of a link what it leads to, as with programs: the link alone would lead nowhere in the lab.
    contents.add_tree(fs::canonical(source), target);
  } else {
    contents.add_program(source, target);
  }
}

}  // namespace twinbox::qemu
