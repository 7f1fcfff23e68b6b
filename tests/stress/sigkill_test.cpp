// SIGKILL at random moments of every verb: what is told afterwards is true, and nothing is left.
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <sstream>
#include <thread>

#include "base/fd.hpp"
#include "base/json.hpp"
#include "tests/stress/stress.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

enum class Before { nothing, created, running, paused };
enum class Victim { command, supervisor, workload };  // a machine's workload is its monitor, here

struct Verb {
  Words words;  // "@" is the box
  Before before = Before::running;
};

const char* to_string(Victim victim) {
  switch (victim) {
    case Victim::command:
      return "the command";
    case Victim::supervisor:
      return "the supervisor";
    default:
      return "the workload, or its monitor";
  }
}

class SigkillOfVerbs : public Stress {
 protected:
  Words service(Words verb) const {
    verb.insert(verb.end(), {"--name", "victim"});
    return box(verb, {"busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"});
  }

  std::vector<Verb> verbs() const {
    return {{service({"create"}), Before::nothing},
            {service({"run", "-d"}), Before::nothing},
            {service({"run"}), Before::nothing},
            {service({"run", "--rm"}), Before::nothing},
            {{"start", "@"}, Before::created},
            {{"start", "-a", "@"}, Before::created},
            {{"exec", "@", "sh", "-c", "echo x; sleep 0.1"}},
            {{"attach", "@"}},
            {{"logs", "-f", "@"}},
            {{"stop", "-t", "1", "@"}},
            {{"kill", "@"}},
            {{"kill", "@"}, Before::paused},
            {{"pause", "@"}},
            {{"unpause", "@"}, Before::paused},
            {{"restart", "-t", "1", "@"}},
            {{"rm", "-f", "@"}},
            {{"wait", "@"}},
            {{"cp", "@:/bin/busybox", copy()}},
            {{"cp", "/bin/busybox", "@:/tmp/copy"}},
            {{"diff", "@"}},
            {{"stats", "@"}},
            {{"top", "@"}},
            {{"inspect", "@"}},
            {{"rename", "@", "renamed"}},
            {{"update", "--pids-limit", "99", "@"}},
            {{"ps", "-a"}},
            {{"events"}}};
  }

  // Boxes are kept from round to round where making one takes long.
  bool keeps_boxes() const { return plan().engine != "container"; }

  void prepare(Before before) {
    const auto states = lines({"ps", "-a", "--format", "{{.ID}} {{.State}}"});
    const bool runs = states.size() == 1 && states.front().ends_with(" running");
    if (before == Before::nothing || before == Before::created || !runs) {
      remove_all_and_expect_nothing_left(ids_);
      ids_.clear();
      if (before == Before::nothing) return;
      ids_ = lines(service(before == Before::created ? Words{"create"} : Words{"run", "-d"}));
    }
    ASSERT_EQ(ids_.size(), 1U);
    if (before == Before::paused) lines({"pause", ids_.front()});
  }

  // As the record of the one box that there may be has it; 0 when there is none.
  pid_t pid_of(Victim victim) const {
    for (const auto& name : names_of_boxes()) {
      const auto text = text_of(root() / "boxes" / name / "box.json");
      const auto record = base::Json::parse(text, nullptr, false);
      if (record.is_discarded()) continue;
      return record["state"][victim == Victim::supervisor ? "supervisor" : "pid"].get<pid_t>();
    }
    return 0;
  }
  Words names_of_boxes() const {
    Words names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(root() / "boxes", missing)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  void kill(const Command& command, Victim victim) const {
    if (victim == Victim::command) return command.signal(SIGKILL);
    const auto pid = pid_of(victim);
    if (pid <= 0) return;
    // The handle first: whom it means then is checked.
    const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (process && leftovers().is_ours(pid)) {
      ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    }
  }

  // A verb that would go on for ever is ended too.
  static void end(Command& command) {
    const auto over = [&] {
      return text_of(status_of(command)).find("State:\tZ") != std::string::npos;
    };
    for (int i = 0; i < 25 && !over(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    command.signal(SIGKILL);
    command.reap();
  }
  static fs::path status_of(const Command& command) {
    return fmt::format("/proc/{}/status", command.pid());
  }

  // What ps and inspect say of each box is so, as soon as whoever was killed is gone.
  void expect_the_truth() {
    std::string said;
    EXPECT_TRUE(comes_true([&] {
      said.clear();
      for (const auto& id : lines({"ps", "-aq"})) {
        // One that ends in between is not there any more, and is not listed the next time.
        const auto told = twinbox({"inspect", "--format", "{{.State.Status}} {{.State.Pid}}", id});
        said += fmt::format("{}: {}{}", id, told.out, told.err);
        if (told.status != 0 || !is_true(told.out)) return false;
      }
      return true;
    })) << said;
  }
  bool is_true(const std::string& told) const {
    std::istringstream words(told);
    std::string status;
    pid_t pid = -1;
    words >> status >> pid;
    if (status == "running" || status == "paused") return pid > 0 && leftovers().is_ours(pid);
    return (status == "created" || status == "exited") && pid == 0 &&
           leftovers().processes().empty();
  }

  // One that is said to run does, or was killed a moment ago.
  void expect_it_serves() {
    for (const auto& id : lines({"ps", "-q"})) {
      std::string said;
      EXPECT_TRUE(comes_true([&] { return serves_or_has_ended(id, said); })) << said;
    }
    expect_the_truth();
  }
  // What a killed command had asked for, such as a pause, may be done only now.
  bool serves_or_has_ended(const std::string& id, std::string& said) {
    if (state_of(id) == "paused") twinbox({"unpause", id});
    const auto served = twinbox({"exec", id, "echo", "served"});
    said = served.err;
    return served.out == "served\n" || state_of(id) == "exited" || state_of(id).empty();
  }
  std::string state_of(const std::string& id) const {
    const auto state = twinbox({"inspect", "--format", "{{.State.Status}}", id}).out;
    return state.substr(0, state.find('\n'));
  }

  void round(const Verb& verb, Victim victim, std::chrono::microseconds moment) {
    prepare(verb.before);
    auto words = verb.words;
    for (auto& word : words) {
      if (word.starts_with('@')) word.replace(0, 1, ids_.at(0));
    }
    {
      const auto command = start(words);
      std::this_thread::sleep_for(moment);
      kill(*command, victim);
      end(*command);
    }
    for (const auto& name : names_of_boxes()) {
      if (name.size() == 12) ids_.push_back(name);
    }
    fs::remove(copy());
    expect_the_truth();
    expect_it_serves();
    if (!keeps_boxes()) remove_all_and_expect_nothing_left(ids_);
    const auto left = lines({"ps", "-aq"});
    if (left.size() == 1) ids_ = left;
  }

  std::string copy() const { return scratch() / "copy"; }

  Words ids_;  // of the boxes since nothing was there
};

TEST_F(SigkillOfVerbs, AtRandomMomentsLeavesTheTruthAndNothingElse) {
  std::mt19937 random(plan().seed);
  const auto all = verbs();
  constexpr unsigned stride = 10;  // few rounds meet verbs of all kinds too
  ASSERT_EQ(std::gcd(stride, all.size()), 1U);
  // Long enough for a machine to come up in the midst of it.
  const unsigned longest_start = plan().engine == "container" ? 40'000 : 4'000'000;
  const unsigned longest = plan().engine == "container" ? 30'000 : 300'000;
  for (unsigned i = 0; i < plan().rounds; ++i) {
    const auto& verb = all[i * stride % all.size()];
    // Each verb meets each victim in turn.
    const auto victim = static_cast<Victim>((i + i / all.size()) % 3);
    const bool starts = verb.before == Before::nothing || verb.before == Before::created;
    const std::chrono::microseconds moment(random() % (starts ? longest_start : longest));
    SCOPED_TRACE(fmt::format("seed {}, round {}: {} killed {} us into: twinbox {}", plan().seed, i,
                             to_string(victim), moment.count(), fmt::join(verb.words, " ")));
    round(verb, victim, moment);
    if (HasFailure()) return;  // what follows says nothing new
  }
  remove_all_and_expect_nothing_left(ids_);
}

}  // namespace
}  // namespace twinbox::testing
