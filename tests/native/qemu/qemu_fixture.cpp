#include "tests/native/qemu/qemu_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

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
  fs::create_directories(shared / "cache");
  fs::remove_all(root() / "cache");
  fs::create_directory_symlink(shared / "kernels", root() / "kernels");
  fs::create_directory_symlink(shared / "cache", root() / "cache");
}

Command QemuFixture::start_box(Words args, std::string input) const {
  args.insert(args.begin(), {"run", "--as", "qemu"});
  return start(args, std::move(input));
}

CommandResult QemuFixture::run_box(Words args, std::string input) const {
  return start_box(std::move(args), std::move(input)).finish();
}

std::vector<std::string> qemus_of(const std::string& id) {
  std::vector<std::string> found;
  for (const auto& name : names_in("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (command_line(name).find("guest=" + id + ",") != std::string::npos) found.push_back(name);
  }
  return found;
}

std::string argument_of(const std::string& pid, const std::string& text) {
  std::istringstream arguments(command_line(pid));
  for (std::string argument; std::getline(arguments, argument, '\0');) {
    if (argument.find(text) != std::string::npos) return argument;
  }
  return {};
}

}  // namespace twinbox::testing
