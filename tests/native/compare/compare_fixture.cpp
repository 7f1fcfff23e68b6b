#include "tests/native/compare/compare_fixture.hpp"

#include <stdlib.h>
#include <unistd.h>

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

fs::path busybox() { return fs::exists("/bin/busybox") ? "/bin/busybox" : "/usr/bin/busybox"; }

}  // namespace

std::string twinbox_program() { return fs::exists(TWINBOX_PROGRAM) ? TWINBOX_PROGRAM : "twinbox"; }

void CompareCommand::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "making boxes takes root privileges";
  if (::getenv("TWINBOX_TEST_IN_PLACE") != nullptr) return;
  ::setenv("TWINBOX_ROOT", (directory_.path() / "data").c_str(), 1);
  import_image();
}

base::CommandResult CompareCommand::twinbox(std::vector<std::string> args) const {
  args.insert(args.begin(), twinbox_program());
  return base::run_command(args);
}

Result CompareCommand::report() const {
  return result_from_json(base::read_file(out() / "report.json"), "report.json");
}

void CompareCommand::import_image() const {
  const auto root = directory_.path() / "image";
  for (const auto* const name : {"bin", "dev", "etc", "proc", "sys", "tmp"}) {
    fs::create_directories(root / name);
  }
  fs::copy_file(busybox(), root / "bin/busybox");
  for (const auto* const name : {"sh", "cat"}) fs::create_symlink("busybox", root / "bin" / name);
  const auto imported = twinbox({"image", "import", "busybox", root.string()});
  ASSERT_EQ(imported.status, 0) << imported.err;
}

}  // namespace twinbox::compare
