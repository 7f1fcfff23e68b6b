// The store while processes that use it are killed at any moment.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <random>
#include <set>

#include "../../unit/supervise/store_fixture.hpp"
#include "base/error.hpp"
#include "supervise/events.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr std::size_t workers = 6;
constexpr int kills = 150;

// Does what commands and supervisors do, until it is killed.
class Worker {
 public:
  Worker(BoxStore store, unsigned seed) : store_(std::move(store)), random_(seed) {}

  // Returns only when something is not as it should be.
  int run() {
    while (true) {
      try {
        step();
      } catch (const base::Error& error) {
        // Others are faster; anything else is a fault.
        if (error.kind() == base::ErrorKind::conflict) continue;
        if (error.kind() == base::ErrorKind::not_found) continue;
        std::fprintf(stderr, "unexpected: %s\n", error.what());
        return 1;
      }
      if (fault_) return 2;
    }
  }

 private:
  void step() {
    switch (random_() % 8) {
      case 0:
      case 1:
        return create();
      case 2:
        return store_.rename(any_id(), any_name());
      case 3:
        return store_.own(any_id()).remove();
      case 4:
      case 5:
        return supervise(store_.own(any_id()));
      default:
        return store_.sweep([](const auto&...) {});
    }
  }
  void create() {
    const bool named = random_() % 2 == 0;
    const auto settings = settings_of("container", random_() % 2 == 0);
    supervise(store_.create(named ? any_name() : "", settings, {}));
  }
  // Nobody else may touch the box meanwhile.
  void supervise(OwnedBox box) {
    set(box, Status::running, ::getpid());
    for (const auto status : {Status::paused, Status::running}) {
      const auto record = store_.find(box.record().id);
      if (record.name != box.record().name || record.state.supervisor != ::getpid()) fault_ = true;
      if (store_.find(record.name).id != record.id) fault_ = true;
      set(box, status, ::getpid());
    }
    if (random_() % 4 == 0) box.rename(any_name());
    if (box.record().settings.remove_at_end) return box.remove();
    set(box, Status::exited, 0);
  }
  static void set(OwnedBox& box, Status status, pid_t supervisor) {
    box.change([&](BoxRecord& record) {
      record.state.status = status;
      record.state.supervisor = supervisor;
    });
  }
  std::string any_name() { return fmt::format("name{}", random_() % 10); }
  std::string any_id() {
    const auto boxes = store_.list();
    if (boxes.empty()) return "0123456789ab";
    return boxes[random_() % boxes.size()].id;
  }

  BoxStore store_;
  std::minstd_rand random_;
  bool fault_ = false;
};

class StoreStress : public StoreFixture {
 protected:
  Child start_worker(unsigned seed) const {
    return Child([&] { return Worker(store(), seed).run(); });
  }
  // What is true of a store that nobody is using, after a sweep.
  void expect_sound() const {
    std::vector<std::string> ids;
    std::vector<std::string> named;
    for (const auto& record : store().list()) {
      ids.push_back(record.id);
      named.push_back(record.name);
      EXPECT_EQ(store().find(record.name).id, record.id);
      EXPECT_EQ(record.state.supervisor, 0);
      EXPECT_TRUE(record.state.status == Status::created || record.state.status == Status::exited);
      EXPECT_NO_THROW(store().own(record.id));
    }
    EXPECT_EQ(std::set(named.begin(), named.end()).size(), named.size()) << "a name is there twice";
    std::ranges::sort(ids);
    std::ranges::sort(named);
    EXPECT_THAT(names_in(boxes()), ElementsAreArray(ids)) << "something half-made is left";
    EXPECT_THAT(names_in(names()), ElementsAreArray(named)) << "names are left";
  }
};

TEST_F(StoreStress, HoldsWhenItsUsersAreKilledAtAnyMoment) {
  std::minstd_rand random(7);
  std::vector<Child> running;
  for (unsigned i = 0; i < workers; ++i) running.push_back(start_worker(i));
  for (unsigned i = 0; i < kills; ++i) {
    ::poll(nullptr, 0, static_cast<int>(random() % 12));  // the moment is any
    const auto victim = running.begin() + static_cast<std::ptrdiff_t>(random() % running.size());
    ::kill(victim->pid(), SIGKILL);
    EXPECT_EQ(victim->wait(), 128 + SIGKILL) << "a worker found a fault";
    running.erase(victim);
    running.push_back(start_worker(1000 + i));
  }
  for (auto& worker : running) {
    ::kill(worker.pid(), SIGKILL);
    EXPECT_EQ(worker.wait(), 128 + SIGKILL) << "a worker found a fault";
  }
  sweep();
  sweep();  // names of what the first one removed
  expect_sound();
  EXPECT_THAT(sweep(), IsEmpty());
  EXPECT_NO_THROW(read_events({.since = 0, .until = now()}, [](const Event&) {}));
}

}  // namespace
}  // namespace twinbox::supervise
