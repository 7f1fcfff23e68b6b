#include "tests/native/cli/cli_fixture.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "base/json.hpp"
#include "base/syscall.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

void make_image_source(const fs::path& directory) {
  for (const auto* const name : {"bin", "dev", "etc", "proc", "root", "sys", "tmp"}) {
    fs::create_directories(directory / name);
  }
  fs::copy_file("/bin/busybox", directory / "bin/busybox");
  for (const auto* const applet :
       {"sh", "cat", "echo", "true", "false", "sleep", "id", "env", "pwd", "hostname", "touch",
        "kill", "head", "wc", "stty", "grep", "test"}) {
    fs::create_symlink("busybox", directory / "bin" / applet);
  }
  base::write_file(directory / "etc/passwd",
                   "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/tmp:/bin/sh\n");
  base::write_file(directory / "etc/group", "root:x:0:\nweb:x:34:\n");
}

base::Json json_of(const fs::path& path) {
  return base::parse_json(base::read_file(path), path.string());
}

}  // namespace

void CliFixture::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "boxes need root";
  make_image_source(image_source());
  const auto made = twinbox({"image", "import", "busybox", image_source()});
  ASSERT_EQ(made.status, 0) << made.err;
}

void CliFixture::TearDown() {
  for (const auto& id : names_in(root() / "boxes")) kill_supervisor_of(id);
  if (!names_in(root() / "boxes").empty()) twinbox({"image", "ls"});
}

void CliFixture::kill_supervisor_of(const std::string& id) const {
  try {
    const pid_t supervisor = json_of(root() / "boxes" / id / "box.json")["state"]["supervisor"];
    if (supervisor <= 0) return;
    const auto process = base::open_pidfd(supervisor);
    ::kill(supervisor, SIGKILL);
    pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
    ::poll(&gone, 1, 10'000);
  } catch (const base::Error&) {
    return;  // it is gone already
  }
}

void CliFixture::sweep_until_no_box_is_left() const {
  for (int i = 0; i < 3000 && !names_in(root() / "boxes").empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_EQ(twinbox({"image", "ls"}).status, 0);
  }
  EXPECT_EQ(names_in(root() / "boxes"), Words{});
}

Command CliFixture::start(const Words& args, std::string input) const {
  return Command(TWINBOX_PROGRAM, args, {"TWINBOX_ROOT=" + root().string()}, std::move(input));
}

CommandResult CliFixture::twinbox(const Words& args, std::string input) const {
  return start(args, std::move(input)).finish();
}

fs::path CliFixture::blob(const std::string& digest) const {
  return root() / "images/blobs/sha256" / digest.substr(digest.find(':') + 1);
}

std::string CliFixture::config_digest() const {
  const std::string manifest = json_of(root() / "images/index.json")["manifests"][0]["digest"];
  return json_of(blob(manifest))["config"]["digest"];
}

std::string CliFixture::layer_digest() const {
  const std::string manifest = json_of(root() / "images/index.json")["manifests"][0]["digest"];
  return json_of(blob(manifest))["layers"][0]["digest"];
}

void CliFixture::damage(const fs::path& file) {
  auto text = base::read_file(file);
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  base::write_file(file, text);
}

void CliFixture::enter_own_mount_namespace() const {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(directory, missing)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace twinbox::testing
