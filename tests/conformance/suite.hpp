// Runs the table's cases, several at a time, and keeps what each printed for its test.
#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "tests/conformance/case.hpp"
#include "tests/native/cli/command.hpp"

namespace twinbox::conformance {

class Suite {
 public:
  // Each box is started with the flags `start`, "--cold". With a store of its own beside the images
  // and kernels of the user's. `programs`: where on_terminal is, and twinbox where PATH has none.
  Suite(std::string engine, const std::string& start, const std::string& programs);
  ~Suite();

  const std::string& engine() const { return engine_; }
  // Has so many machines wait for boxes, until remove_everything().
  void keep_on_standby(unsigned machines);
  // How many of them boxes have taken.
  unsigned taken_from_standby() const;
  // Starts with these cases, `lanes` at a time.
  void begin(const std::vector<Case>& cases, unsigned lanes);
  // Waits for the case's end. The names that it made up read "@me".
  testing::CommandResult result_of(const Case& given);
  // Removes the shared boxes. What is left of any box, for people.
  std::string remove_everything();

 private:
  void work();
  testing::CommandResult run_case(const Case& given, std::size_t number);
  testing::CommandResult run_script(const std::string& script, const std::string& me) const;
  // Starts the shared boxes that the script names, and tells the shell of them.
  std::string introduce_boxes(std::string_view script);

  struct Shared {
    std::once_flag once;
    std::string failure;
  };

  std::string engine_;
  base::TemporaryDirectory directory_;
  std::vector<std::string> variables_;
  std::map<std::string, Shared, std::less<>> shared_;
  std::vector<Case> cases_;
  std::map<std::string, std::promise<testing::CommandResult>> results_;
  std::atomic<std::size_t> next_ = 0;
  std::vector<std::jthread> lanes_;
};

}  // namespace twinbox::conformance
