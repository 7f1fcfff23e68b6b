#include "box_fixture.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <span>
#include <thread>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/cgroup_layout.hpp"
#include "container/engine.hpp"
#include "tests/support/collect_pipe.hpp"

namespace twinbox::testing {

namespace fs = std::filesystem;

namespace {

// Far beyond anything but a hang, since the machine may be busy.
constexpr auto patience = std::chrono::seconds(60);

constexpr std::array commands{
    "sh",       "cat",     "echo",     "true",  "false", "id",    "pwd",    "env",    "hostname",
    "ls",       "head",    "grep",     "sleep", "kill",  "mount", "umount", "touch",  "mkdir",
    "rm",       "mknod",   "ifconfig", "ps",    "dd",    "tail",  "wc",     "chroot", "ping",
    "readlink", "unshare", "chmod",    "stat",  "seq",   "awk",   "tr",     "date"};

fs::path busybox() {
  for (const auto* path : {"/bin/busybox", "/usr/bin/busybox"}) {
    if (fs::exists(path)) return path;
  }
  throw base::Error(base::ErrorKind::not_found, "these tests need busybox-static");
}

void make_image(const fs::path& root) {
  for (const auto* name : {"bin", "tmp", "etc", "root", "proc", "sys", "dev"}) {
    fs::create_directories(root / name);
  }
  fs::permissions(root / "tmp", fs::perms::all | fs::perms::sticky_bit);
  fs::copy_file(busybox(), root / "bin/busybox");
  for (const auto* name : commands) fs::create_symlink("busybox", root / "bin" / name);
  base::write_file(root / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
}

}  // namespace

void BoxFixture::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "making boxes takes root privileges";
  make_image(image());
}

std::unique_ptr<sandbox::Engine> BoxFixture::make_engine() const {
  return std::make_unique<container::ContainerEngine>();
}

sandbox::BoxRequest BoxFixture::request(std::vector<std::string> args) {
  sandbox::BoxRequest made;
  made.id = fmt::format("{:08x}{:04x}", ::getpid(), ++boxes_);
  made.directory = scratch() / made.id;
  fs::create_directories(made.directory);
  made.spec = sandbox::default_spec();
  made.spec.process.args = std::move(args);
  made.spec.hostname = "testbox";
  made.root.directories = {image()};
  return made;
}

sandbox::BoxRequest BoxFixture::request(const std::string& script) {
  return request(std::vector<std::string>{"sh", "-c", script});
}

BoxResult BoxFixture::run(sandbox::BoxRequest made, const std::string& input) {
  const auto engine = make_engine();
  RunningBox running(*engine, std::move(made));
  running.write_input(input);
  running.close_input();
  return running.finish();
}

void BoxFixture::add_program(const std::string& path, const std::string& text) const {
  const auto file = image() / fs::path(path).relative_path();
  fs::create_directories(file.parent_path());
  base::write_file(file, text);
  fs::permissions(file, fs::perms(0755));
}

RunningBox::RunningBox(sandbox::Engine& engine, sandbox::BoxRequest request) {
  auto [in_read, in_write] = base::make_pipe();
  auto [out_read, out_write] = base::make_pipe();
  auto [err_read, err_write] = base::make_pipe();
  request.stdio = {in_read.get(), out_write.get(), err_write.get()};
  input_ = std::move(in_write);
  out_ = std::move(out_read);
  err_ = std::move(err_read);
  for (const auto* pipe : {&out_, &err_}) base::set_nonblocking(pipe->get(), true);
  loop_.add(out_.get(), EPOLLIN,
            [this](std::uint32_t) { tests::collect_pipe(loop_, out_, result_.out); });
  loop_.add(err_.get(), EPOLLIN,
            [this](std::uint32_t) { tests::collect_pipe(loop_, err_, result_.err); });
  box_ = engine.create(std::move(request));
  box_->start(loop_, [this](const sandbox::Outcome& outcome) {
    result_.outcome = outcome;
    ended_ = true;
  });
}

RunningBox::~RunningBox() = default;

void RunningBox::write_input(const std::string& text) { base::write_all(input_.get(), text); }

void RunningBox::run_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    loop_.run_once(std::chrono::milliseconds(100));
    ASSERT_LT(std::chrono::steady_clock::now(), deadline)
        << "nothing came; stdout: " << result_.out << " stderr: " << result_.err;
  }
}

void RunningBox::wait_for_output(const std::string& text) {
  run_until([&] { return result_.out.find(text) != std::string::npos; });
}

BoxResult RunningBox::finish() {
  input_.reset();
  run_until([this] { return ended_ && !out_ && !err_; });
  result_.marks = box_->marks();
  return result_;
}

std::vector<fs::path> control_groups_of(const std::string& id) {
  const auto layout = container::host_cgroup_layout();
  std::vector<fs::path> candidates;
  if (!layout.unified.empty()) candidates.push_back(layout.unified / ("twinbox-" + id));
  for (const auto& hierarchy : layout.hierarchies) {
    candidates.push_back(hierarchy.mount_point / ("twinbox-" + id));
  }
  std::erase_if(candidates, [](const fs::path& path) { return !fs::exists(path); });
  return candidates;
}

void eventually(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace twinbox::testing
