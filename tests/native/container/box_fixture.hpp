// Runs workloads in boxes over a small image of busybox, for tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::testing {

// What a workload did.
struct BoxResult {
  sandbox::Outcome outcome;
  std::string out;
  std::string err;
  sandbox::Marks marks;

  int status() const { return outcome.status; }
};

class BoxFixture : public ::testing::Test {
 protected:
  using Adjust = std::function<void(sandbox::BoxRequest&)>;

  // Skips without root privileges.
  void SetUp() override;

  // Docker's defaults and `sh -c SCRIPT`.
  sandbox::BoxRequest request(const std::string& script);
  sandbox::BoxRequest request(std::vector<std::string> args);

  // Runs a box to its end. `input` becomes its standard input.
  BoxResult run(sandbox::BoxRequest request, const std::string& input = {});
  BoxResult run(const std::string& script) { return run(request(script)); }

  // The engine under test; the container engine unless a fixture says otherwise.
  virtual std::unique_ptr<sandbox::Engine> make_engine() const;

  // The image's root directory: busybox under its common names, and the usual directories.
  std::filesystem::path image() const { return directory_.path() / "image"; }
  std::filesystem::path box_directory(const sandbox::BoxRequest& made) const {
    return made.directory;
  }
  const std::filesystem::path& scratch() const { return directory_.path(); }
  // A script in the image that anyone may execute.
  void add_program(const std::string& path, const std::string& text) const;

 private:
  base::TemporaryDirectory directory_{"/tmp", "twinbox-container-test-"};
  int boxes_ = 0;
};

// A box that is running while a test looks at it.
class RunningBox {
 public:
  RunningBox(sandbox::Engine& engine, sandbox::BoxRequest request);
  RunningBox(const RunningBox&) = delete;
  RunningBox& operator=(const RunningBox&) = delete;
  ~RunningBox();

  sandbox::Box& box() { return *box_; }
  void write_input(const std::string& text);
  void close_input() { input_.reset(); }
  // Runs the loop until the condition holds; a test failure after a generous while.
  void run_until(const std::function<bool()>& condition);
  void wait_for_output(const std::string& text);
  BoxResult finish();
  const std::string& out() const { return result_.out; }
  bool ended() const { return ended_; }

 private:
  base::EventLoop loop_;
  base::Fd input_;
  base::Fd out_;
  base::Fd err_;
  BoxResult result_;
  bool ended_ = false;
  std::unique_ptr<sandbox::Box> box_;
};

// Every control group of box `id` that is there.
std::vector<std::filesystem::path> control_groups_of(const std::string& id);

// Waits for a condition that is nobody's event; a test failure after a generous while.
void eventually(const std::string& what, const std::function<bool()>& condition);

}  // namespace twinbox::testing
