// Supervised boxes of scripts, and the commands that talk to them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "supervise/client.hpp"
#include "supervise/store.hpp"
#include "supervise/supervisor.hpp"

namespace twinbox::tests {

// A client with the workload's streams.
class Attachment {
 public:
  // With `input` its stdin too, which ends after it.
  Attachment(base::EventLoop& loop, supervise::BoxClient& client,
             const std::optional<std::string>& input = std::nullopt);
  ~Attachment();

  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }
  const std::optional<sandbox::Outcome>& outcome() const { return outcome_; }
  // Whether it was told the outcome and has read all that came before.
  bool ended() const { return outcome_ && !out_pipe_ && !err_pipe_; }
  // Reads nothing more until it is told so again.
  void stall(bool on);

 private:
  base::EventLoop& loop_;
  base::Fd out_pipe_;
  base::Fd err_pipe_;
  std::string out_;
  std::string err_;
  std::optional<sandbox::Outcome> outcome_;
};

class SupervisorFixture : public ::testing::Test {
 protected:
  SupervisorFixture();
  ~SupervisorFixture() override;

  // The supervisor of a new box that runs `script`; without one the box cannot be started. Its
  // first client is `client`.
  void launch(const std::optional<std::string>& script,
              const supervise::BoxSettings& settings = default_settings());
  // The same for the box that is there.
  void launch_again();
  static supervise::BoxSettings default_settings();

  void start();
  std::unique_ptr<supervise::BoxClient> connect();
  // Runs the loop until the condition holds; a test failure after a generous while.
  void run_until(const std::function<bool()>& condition);
  // Waits for the supervisor's own end.
  void join();
  // What the action throws.
  static base::Error error_of(const std::function<void()>& action);

  template <typename T>
  T ask(const std::function<void(sandbox::Answer<T>)>& question) {
    return supervise::ask<T>(loop, question);
  }
  void ask_done(const std::function<void(sandbox::Done)>& question) {
    ask<std::monostate>(question);
  }
  std::string log() const { return base::read_file(directory() / "log"); }
  supervise::BoxRecord record() const { return store.find(id); }
  std::filesystem::path directory() const { return store.directory(id); }

  // A script that runs until it is told to end.
  static constexpr auto waits = "echo ready; exec sleep 1000";

  base::TemporaryDirectory scratch{"/tmp", "twinbox-supervise-test-"};
  supervise::BoxStore store{scratch.path() / "boxes"};
  std::string id;
  base::EventLoop loop;
  pid_t supervisor = 0;
  std::unique_ptr<supervise::BoxClient> client;

 private:
  void launch(const std::function<supervise::OwnedBox()>& open);
};

}  // namespace twinbox::tests
