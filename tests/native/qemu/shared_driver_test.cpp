// Boxes of one process, which share libvirt's driver.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "image/store.hpp"
#include "qemu/engine.hpp"
#include "sandbox/owned_directory.hpp"
#include "sandbox/paths.hpp"
#include "tests/native/qemu/qemu_fixture.hpp"

namespace twinbox::testing {
namespace {

class SharedDriver : public QemuFixture {
 protected:
  void SetUp() override {
    QemuFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Other test cases of this process have stores of their own, but the same driver.
    static const base::TemporaryDirectory runs;
    ::setenv("TWINBOX_ROOT", root().c_str(), 1);
    ::setenv("TWINBOX_RUN", runs.path().c_str(), 1);
    ::setenv("TWINBOX_BIN", std::filesystem::path(TWINBOX_PROGRAM).parent_path().c_str(), 1);
  }
  void TearDown() override {
    if (previous_root_) ::setenv("TWINBOX_ROOT", previous_root_->c_str(), 1);
    if (!previous_root_) ::unsetenv("TWINBOX_ROOT");
    ::unsetenv("TWINBOX_RUN");
    ::unsetenv("TWINBOX_BIN");
  }

  struct RunningBox {
    sandbox::OwnedDirectory directory;
    std::unique_ptr<sandbox::Box> box;
    std::optional<sandbox::Outcome> outcome;
  };

  std::unique_ptr<RunningBox> start_workload(const Words& args) {
    std::unique_ptr<RunningBox> running(
        new RunningBox{sandbox::OwnedDirectory::create(sandbox::boxes_directory()), {}, {}});
    auto spec = sandbox::default_spec();
    spec.process.args = args;
    running->box = engine_.create({.id = running->directory.name(),
                                   .directory = running->directory.path(),
                                   .spec = std::move(spec),
                                   .root = image_.prepare("busybox").root,
                                   .stdio = {null_.get(), null_.get(), 2}});
    running->box->start(loop_, [target = running.get()](const sandbox::Outcome& outcome) {
      target->outcome = outcome;
    });
    return running;
  }
  int status_of(const RunningBox& running) {
    while (!running.outcome) loop_.run_once(std::chrono::seconds(1));
    EXPECT_FALSE(running.outcome->error) << running.outcome->error->what();
    return running.outcome->status;
  }

 private:
  static std::optional<std::string> environment(const char* name) {
    const char* const value = ::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }

  std::optional<std::string> previous_root_ = environment("TWINBOX_ROOT");
  base::Fd null_ = base::open_file("/dev/null", O_RDWR);
  base::EventLoop loop_;
  qemu::QemuEngine engine_;
  image::Store image_{root()};
};

TEST_F(SharedDriver, RunsBoxesSideBySide) {
  auto one = start_workload({"sh", "-c", "exit 3"});
  auto two = start_workload({"sh", "-c", "exit 4"});
  EXPECT_EQ(status_of(*one), 3);
  one.reset();
  EXPECT_EQ(status_of(*two), 4);
}

TEST_F(SharedDriver, RunsBoxesOneAfterTheOther) {
  for (const int status : {5, 6}) {
    const auto box = start_workload({"sh", "-c", "exit " + std::to_string(status)});
    EXPECT_EQ(status_of(*box), status);
    EXPECT_EQ(box->box->processes().size(), 0U);
  }
}

TEST_F(SharedDriver, EndsABoxThatIsGivenUpWhileItStarts) {
  const auto id = start_workload({"true"})->directory.name();
  EXPECT_EQ(qemus("guest=" + id + ","), Words{});
}

}  // namespace
}  // namespace twinbox::testing
