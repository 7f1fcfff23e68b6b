// A store of boxes in a data directory of its own, and processes that work on it.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "supervise/store.hpp"

namespace twinbox::supervise {

// Another process: runs `work` and then exits with what it returns; killed with its parent.
class Child {
 public:
  explicit Child(const std::function<int()>& work);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Child();

  pid_t pid() const { return pid_; }
  int wait();
  void kill();

 private:
  pid_t pid_ = 0;
};

class StoreFixture : public testing::Test {
 public:
  StoreFixture();

 protected:
  std::filesystem::path boxes() const { return root_.path() / "boxes"; }
  std::filesystem::path names() const { return root_.path() / "names"; }
  BoxStore store() const { return BoxStore(boxes()); }

  // Ownerless after it, as `twinbox create` leaves it.
  std::string make_box(std::string_view name, bool remove_at_end = false) const;
  // A process that owns a box and says that it runs; returns once it does.
  Child run_box(const std::string& id, Status status = Status::running) const;
  // Sweeps, and tells the ids that were cleaned up after.
  std::vector<std::string> sweep() const;

  base::TemporaryDirectory root_;
};

BoxSettings settings_of(std::string_view engine, bool remove_at_end = false);
std::vector<std::string> names_in(const std::filesystem::path& directory);

}  // namespace twinbox::supervise
