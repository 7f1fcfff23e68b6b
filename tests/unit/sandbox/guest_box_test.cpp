#include "sandbox/guest_box.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/syscall.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::Frame;
using protocol::FrameType;

// A machine whose life the test decides.
class FakeMachine : public GuestMachine {
 public:
  void start(base::EventLoop& loop, Handlers handlers) override {
    loop_ = &loop;
    handlers_ = std::move(handlers);
  }
  void kill() override {
    ++kills_;
    agent_.reset();
    if (handlers_.on_end) end("killed");
  }
  std::vector<pid_t> processes() const override { return {}; }
  std::string last_words() const override { return last_words_; }
  void pause(Done done) override { done(std::monostate{}); }
  void resume(Done done) override { done(std::monostate{}); }
  void save(const std::filesystem::path& directory, Done done) override {
    saved_in_ = directory;
    save_done_ = std::move(done);
  }

  // The guest's end of a new port.
  void open_port(Agent agent = Agent::starts) {
    auto [ours, guests] = base::make_socket_pair();
    agent_ = std::move(guests);
    handlers_.on_port(std::move(ours), agent);
  }
  void say(FrameType type, std::uint32_t process, std::string_view payload) {
    base::write_all(agent_.get(), protocol::encode(type, process, payload));
  }
  void hang_up() { agent_.reset(); }
  void end(const std::string& reason, bool never_ran = false) {
    // From the loop, as the real ones.
    loop_->add_timer({}, [on_end = std::exchange(handlers_.on_end, nullptr), reason, never_ran] {
      on_end({.reason = base::Error(base::ErrorKind::system, reason), .never_ran = never_ran});
    });
  }
  const std::filesystem::path& saved_in() const { return saved_in_; }
  void answer_save(const std::variant<std::monostate, base::Error>& answer) {
    std::exchange(save_done_, nullptr)(answer);
  }
  // What the host has sent so far.
  std::vector<Frame> received() {
    base::set_nonblocking(agent_.get(), true);
    std::vector<Frame> frames;
    std::array<std::byte, 4096> buffer{};
    while (const auto count = base::read_some(agent_.get(), buffer)) {
      if (*count == 0) break;
      decoder_.feed(std::span(buffer).first(*count),
                    [&](Frame frame) { frames.push_back(std::move(frame)); });
    }
    base::set_nonblocking(agent_.get(), false);
    return frames;
  }

  int kills_ = 0;
  std::string last_words_;

 private:
  base::EventLoop* loop_ = nullptr;
  Handlers handlers_;
  base::Fd agent_;
  protocol::Decoder decoder_;
  std::filesystem::path saved_in_;
  Done save_done_;
};

class GuestBoxTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t workload = 1;

  void start() {
    auto machine = std::make_unique<FakeMachine>();
    machine_ = machine.get();
    BoxRequest request{.id = "0123456789ab",
                       .directory = "/nonexistent",
                       .spec = default_spec(),
                       .root = {.directories = {}, .disks = {"/one", "/two"}},
                       .stdio = {.in = null_.get(), .out = out_.get(), .err = null_.get()},
                       .on_executed = [this] { executed_ = true; }};
    box_ = std::make_unique<GuestBox>(std::move(request), std::move(machine));
    box_->start(loop_, [this](const Outcome& outcome) { outcome_ = outcome; });
  }
  void boot() {
    machine_->open_port();
    machine_->say(FrameType::hello, 0,
                  base::Json{{"protocol", protocol::version}, {"kernel", "6.1"}}.dump());
  }
  void start_workload() {
    start();
    boot();
    settle();
    machine_->say(FrameType::started, workload, {});
    settle();
  }
  // Dispatches until nothing more happens by itself.
  void settle() {
    while (loop_.run_once(std::chrono::milliseconds(50))) {
    }
  }
  void wait_for_end() {
    for (int i = 0; i < 600 && !outcome_; ++i) loop_.run_once(std::chrono::milliseconds(100));
    ASSERT_TRUE(outcome_);
  }

  base::EventLoop loop_;
  base::Fd null_ = base::open_file("/dev/null", O_RDWR);
  base::Fd out_{::memfd_create("out", MFD_CLOEXEC)};
  FakeMachine* machine_ = nullptr;
  std::unique_ptr<GuestBox> box_;
  bool executed_ = false;
  std::optional<Outcome> outcome_;
};

// It does not wait for a hello, which comes only once the agent has heard of us.
TEST_F(GuestBoxTest, TellsASavedAgentFirstWhoItIsNow) {
  start();
  machine_->open_port(GuestMachine::Agent::saved);
  settle();

  const auto frames = machine_->received();

  ASSERT_GE(frames.size(), 2U);
  EXPECT_EQ(FrameType::go_on, frames[0].type);
  const auto identity = base::parse_json(frames[0].payload, "go_on");
  EXPECT_EQ(64U, identity.at("entropy").get<std::string>().size());
  EXPECT_GT(identity.at("clock_ns").get<std::uint64_t>(), 1'700'000'000'000'000'000U);
  EXPECT_EQ(FrameType::start_box, frames[1].type);
}

TEST_F(GuestBoxTest, GoesOnWithTheWorkloadOfASavedAgent) {
  start();
  machine_->open_port(GuestMachine::Agent::saved_at_work);
  settle();
  const auto frames = machine_->received();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(FrameType::go_on, frames[0].type);
  for (const auto& frame : frames) EXPECT_NE(FrameType::start_box, frame.type);
  machine_->say(FrameType::hello, 0,
                base::Json{{"protocol", protocol::version}, {"kernel", "6.1"}}.dump());
  settle();
  EXPECT_FALSE(executed_);

  machine_->say(FrameType::started, workload, {});
  machine_->say(FrameType::exited, workload, R"({"status": 7})");

  wait_for_end();
  EXPECT_TRUE(executed_);
  EXPECT_EQ(7, outcome_->status);
}

class SavedGuestBoxTest : public GuestBoxTest {
 protected:
  void save() {
    box_->save("/where", [this](const auto& answer) { answers_.push_back(answer); });
    settle();
  }
  std::vector<FrameType> received_types() {
    settle();
    std::vector<FrameType> types;
    for (const auto& frame : machine_->received()) types.push_back(frame.type);
    return types;
  }
  std::string refusal() {
    try {
      save();
    } catch (const base::Error& error) {
      return error.message();
    }
    return "accepted";
  }

  std::vector<std::variant<std::monostate, base::Error>> answers_;
};

TEST_F(SavedGuestBoxTest, IsSavedWhileItsAgentIsFrozenAndSaysNothingItself) {
  start_workload();
  machine_->received();
  save();
  EXPECT_EQ(std::vector{FrameType::freeze}, received_types());
  box_->signal(SIGHUP);
  EXPECT_EQ("the box is being saved", refusal());
  EXPECT_EQ("", machine_->saved_in());

  machine_->say(FrameType::frozen, 0, "");
  EXPECT_EQ(std::vector<FrameType>{}, received_types());
  EXPECT_EQ("/where", machine_->saved_in());
  EXPECT_TRUE(answers_.empty());
  machine_->answer_save(std::monostate{});

  EXPECT_EQ((std::vector{FrameType::go_on, FrameType::signal}), received_types());
  ASSERT_EQ(1U, answers_.size());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(answers_[0]));
}

TEST_F(SavedGuestBoxTest, GoesOnWhereItCannotBeSaved) {
  start_workload();
  machine_->received();
  save();
  machine_->say(FrameType::frozen, 0, "it does not stand still");
  EXPECT_EQ((std::vector{FrameType::freeze, FrameType::go_on}), received_types());
  save();
  machine_->say(FrameType::frozen, 0, "");
  settle();
  machine_->answer_save(base::Error(base::ErrorKind::system, "the disk is full"));
  EXPECT_EQ((std::vector{FrameType::freeze, FrameType::go_on}), received_types());

  ASSERT_EQ(2U, answers_.size());
  EXPECT_EQ("it does not stand still", std::get<base::Error>(answers_[0]).message());
  EXPECT_EQ("the disk is full", std::get<base::Error>(answers_[1]).message());
}

TEST_F(SavedGuestBoxTest, SaysSoWhereItEndsMeanwhile) {
  start_workload();
  save();
  machine_->say(FrameType::exited, workload, R"({"status": 0})");
  wait_for_end();
  ASSERT_EQ(1U, answers_.size());
  EXPECT_EQ("the box ended while it was being saved", std::get<base::Error>(answers_[0]).message());
}

TEST_F(GuestBoxTest, RunsTheWorkloadOnTheLayersAndEndsTheMachineWithIt) {
  start();
  boot();
  settle();
  const auto frames = machine_->received();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames[0].type, FrameType::start_box);
  const auto message = base::parse_json(frames[0].payload, "start_box");
  EXPECT_EQ(message["disks"], (base::Json{{{"device", "/dev/vda"}}, {{"device", "/dev/vdb"}}}));
  machine_->say(FrameType::started, workload, {});
  machine_->say(FrameType::stdout_data, workload, "hello");
  machine_->say(FrameType::exited, workload, R"({"status": 7})");
  wait_for_end();
  EXPECT_EQ(outcome_->status, 7);
  EXPECT_FALSE(outcome_->error);
  EXPECT_TRUE(executed_);
  EXPECT_EQ(machine_->kills_, 1);
  std::array<std::byte, 5> written{};
  base::pread_exact(out_.get(), written, 0);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(written.data()), written.size()),
            "hello");
  for (const auto mark : {Mark::booted, Mark::executed, Mark::gone}) {
    EXPECT_TRUE(box_->marks().at(mark)) << to_string(mark);
  }
}

TEST_F(GuestBoxTest, KeepsSignalsUntilThereIsAnAgent) {
  start();
  box_->signal(SIGTERM);
  boot();
  box_->signal(SIGHUP);
  settle();
  std::vector<std::uint32_t> signals;
  for (const auto& frame : machine_->received()) {
    if (frame.type == FrameType::signal) signals.push_back(protocol::read_u32(frame.payload, 0));
  }
  EXPECT_EQ(signals, (std::vector<std::uint32_t>{SIGTERM, SIGHUP}));
}

TEST_F(GuestBoxTest, AKilledWorkloadIsToldByItsAgent) {
  start_workload();
  box_->signal(SIGKILL);
  settle();
  EXPECT_EQ(machine_->kills_, 0);
  machine_->say(FrameType::stdout_data, workload, "last");
  machine_->say(FrameType::exited, workload, R"({"status": 137})");
  wait_for_end();
  EXPECT_EQ(outcome_->status, 137);
  EXPECT_EQ(::lseek(out_.get(), 0, SEEK_END), 4);
}

TEST_F(GuestBoxTest, APausedMachineIsKilledAtOnce) {
  start_workload();
  box_->pause([](const auto&) {});
  box_->signal(SIGKILL);
  EXPECT_EQ(machine_->kills_, 1);
  wait_for_end();
  EXPECT_EQ(outcome_->status, 137);
  EXPECT_FALSE(outcome_->error) << outcome_->error->message();
}

TEST_F(GuestBoxTest, AKillThatAPauseOvertakesIsNotLost) {
  start_workload();
  box_->signal(SIGKILL);
  box_->pause([](const auto&) {});
  wait_for_end();
  EXPECT_EQ(outcome_->status, 137);
}

TEST_F(GuestBoxTest, AKilledGuestThatHangsIsEndedFromOutside) {
  start_workload();
  box_->signal(SIGKILL);
  wait_for_end();
  EXPECT_EQ(machine_->kills_, 1);
  EXPECT_EQ(outcome_->status, 137);
}

TEST_F(GuestBoxTest, AKilledMachineNeedNotComeUpFirst) {
  start();
  machine_->open_port();
  settle();
  box_->signal(SIGKILL);
  wait_for_end();
  EXPECT_EQ(outcome_->status, 137);
  EXPECT_FALSE(executed_);
}

TEST_F(GuestBoxTest, TellsWhyAMachineNeverRan) {
  start();
  machine_->last_words_ = "old lines";
  machine_->end("no such kernel", true);
  wait_for_end();
  EXPECT_EQ(outcome_->status, status_own_error);
  EXPECT_EQ(outcome_->error->message(), "no such kernel");
}

TEST_F(GuestBoxTest, TellsWhyAMachineEndedAndItsLastWords) {
  start();
  machine_->last_words_ = "Kernel panic";
  machine_->end("triple fault");
  wait_for_end();
  EXPECT_EQ(outcome_->status, status_own_error);
  const auto& message = outcome_->error->message();
  EXPECT_NE(message.find("before its workload ran"), std::string::npos) << message;
  EXPECT_NE(message.find("triple fault"), std::string::npos) << message;
  EXPECT_NE(message.find("Kernel panic"), std::string::npos) << message;
}

TEST_F(GuestBoxTest, TellsWhyAMachineEndedWhileItsWorkloadRan) {
  start();
  boot();
  settle();
  machine_->say(FrameType::started, workload, {});
  settle();
  machine_->hang_up();
  machine_->end("killed by a stranger");
  wait_for_end();
  EXPECT_EQ(outcome_->status, status_own_error);
  const auto& message = outcome_->error->message();
  EXPECT_NE(message.find("while its workload ran: killed by a stranger"), std::string::npos)
      << message;
}

TEST_F(GuestBoxTest, EndsAMachineWhoseAgentIsLost) {
  start();
  boot();
  settle();
  machine_->hang_up();
  wait_for_end();
  EXPECT_EQ(outcome_->status, status_own_error);
  EXPECT_GE(machine_->kills_, 1);
}

TEST_F(GuestBoxTest, TellsAFailureOfTheAgentAsItIs) {
  start();
  boot();
  settle();
  machine_->last_words_ = "beside the point";
  machine_->say(FrameType::failed, workload, R"({"status": 125, "message": "cannot mount"})");
  wait_for_end();
  EXPECT_EQ(outcome_->status, 125);
  EXPECT_EQ(outcome_->error->message(), "cannot mount");
}

TEST(DiskName, FollowsTheKernels) {
  EXPECT_EQ(disk_name(0), "vda");
  EXPECT_EQ(disk_name(25), "vdz");
  EXPECT_EQ(disk_name(26), "vdaa");
  EXPECT_EQ(disk_name(26 + 26 * 26 - 1), "vdzz");
}

}  // namespace
}  // namespace twinbox::sandbox
