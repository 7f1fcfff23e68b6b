#include "tests/native/qemu/qemu_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/error.hpp"
#include "qemu/engine.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

std::string command_line(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/cmdline");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

void QemuFixture::SetUp() {
  CliFixture::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  try {
    qemu::QemuEngine().check_host();
  } catch (const base::Error& error) {
    GTEST_SKIP() << error.what();
  }
  const auto shared = sandbox::data_root();
  if (!fs::exists(shared / "kernels/stock/vmlinuz")) {
    GTEST_SKIP() << "there is no guest kernel in " << shared << ": run guest-images/fetch-kernel";
  }
  fs::create_directory_symlink(shared / "kernels", root() / "kernels");
  fs::create_directories(root() / "cache");
  for (const auto* const name : {"kernels", "initramfs", "libvirt"}) {
    fs::create_directories(shared / "cache" / name);
    fs::create_directory_symlink(shared / "cache" / name, root() / "cache" / name);
  }
}

Command QemuFixture::start_here(const Words& args, std::string input) const {
  return Command(TWINBOX_PROGRAM, args,
                 {"TWINBOX_ROOT=" + root().string(), "TWINBOX_RUN=" + run_directory().string()},
                 std::move(input));
}

Command QemuFixture::start_box(Words args, std::string input) const {
  args.insert(args.begin(), {"run", "--rm", "--die-with-parent", "-i", "--as", "qemu"});
  return start_here(args, std::move(input));
}

CommandResult QemuFixture::run_box(Words args, std::string input) const {
  return start_box(std::move(args), std::move(input)).finish();
}

QemuFixture::Words QemuFixture::qemus(const std::string& text) {
  Words found;
  for (const auto& name : names_in("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto line = command_line(name);
    if (line.find("qemu-system") != std::string::npos && line.find(text) != std::string::npos) {
      found.push_back(name);
    }
  }
  return found;
}

}  // namespace twinbox::testing
