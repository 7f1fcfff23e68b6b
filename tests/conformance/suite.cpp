#include "tests/conformance/suite.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sandbox/paths.hpp"
#include "tests/conformance/prelude.hpp"

namespace twinbox::conformance {
namespace {

namespace fs = std::filesystem;
using testing::CommandResult;

std::string key_of(const Case& given) {
  return std::string(given.area) + "." + std::string(given.name);
}

std::string shared_name(std::string_view name) { return "the-" + std::string(name); }

// Images and kernels of the user's store; boxes, names and events of this suite alone.
void share_images(const fs::path& store) {
  fs::create_directories(store);
  for (const auto* const name : {"images", "layers", "kernels", "cache"}) {
    fs::create_directories(sandbox::data_root() / name);
    fs::create_directory_symlink(sandbox::data_root() / name, store / name);
  }
}

std::string without(std::string text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    text.replace(at, word.size(), "@me");
  }
  return text;
}

}  // namespace

Suite::Suite(std::string engine, const std::string& start, const std::string& programs)
    : engine_(std::move(engine)), directory_("/tmp", "twinbox-conformance-") {
  share_images(directory_.path() / "store");
  const char* const path = std::getenv("PATH");
  ::setenv("PATH", (programs + ":" + (path == nullptr ? "/usr/bin:/bin" : path)).c_str(), 1);
  variables_ = {"ENGINE=" + engine_, "START=" + start,
                "TWINBOX_ROOT=" + (directory_.path() / "store").string(),
                "TWINBOX_RUN=" + (directory_.path() / "run").string()};
  for (const auto& box : shared_boxes()) shared_.try_emplace(std::string(box.name));
}

Suite::~Suite() {
  next_ = cases_.size();
  lanes_.clear();
}

void Suite::keep_on_standby(unsigned machines) {
  const auto started =
      run_script(fmt::format("twinbox standby start --count {} busybox", machines), "standby");
  if (started.status != 0) throw base::Error(base::ErrorKind::conflict, started.err);
}

unsigned Suite::taken_from_standby() const {
  const auto taken = run_script("sleep 1; twinbox standby ls --format '{{.Taken}}'", "standby");
  return base::parse_number<unsigned>(base::words(taken.out).at(0)).value_or(0);
}

void Suite::begin(const std::vector<Case>& cases, unsigned lanes) {
  cases_ = cases;
  for (const auto& given : cases_) results_.try_emplace(key_of(given));
  for (unsigned lane = 0; lane < lanes; ++lane) lanes_.emplace_back([this] { work(); });
}

CommandResult Suite::result_of(const Case& given) {
  return results_.at(key_of(given)).get_future().get();
}

void Suite::work() {
  for (auto number = next_++; number < cases_.size(); number = next_++) {
    auto& result = results_.at(key_of(cases_[number]));
    try {
      result.set_value(run_case(cases_[number], number));
    } catch (const std::exception& error) {
      result.set_value({-1, "", error.what()});
    }
  }
}

CommandResult Suite::run_case(const Case& given, std::size_t number) {
  const auto me = "box-" + std::to_string(number);
  const auto names = introduce_boxes(given.script);
  auto result = run_script(names + std::string(given.script), me);
  if (given.script.find("$me") != std::string_view::npos) {
    run_script("twinbox rm -f $me $me-2 $me-3 >/dev/null 2>&1", me);
  }
  result.out = without(std::move(result.out), me);
  return result;
}

CommandResult Suite::run_script(const std::string& script, const std::string& me) const {
  auto variables = variables_;
  const auto own = directory_.path() / me;
  fs::create_directories(own);
  variables.push_back("me=" + me);
  variables.push_back("dir=" + own.string());
  return testing::Command("/bin/sh", {"-c", std::string(prelude) + script}, variables).finish();
}

std::string Suite::introduce_boxes(std::string_view script) {
  std::string names;
  for (const auto& box : shared_boxes()) {
    if (script.find("$" + std::string(box.name)) == std::string_view::npos) continue;
    const auto name = shared_name(box.name);
    auto& shared = shared_.find(box.name)->second;
    std::call_once(shared.once, [&] {
      const auto started =
          run_script("box=" + name + "; " + std::string(box.script) + " >/dev/null", name);
      if (started.status != 0) shared.failure = started.out + started.err;
    });
    if (!shared.failure.empty()) {
      throw base::Error(base::ErrorKind::conflict,
                        "the box '" + name + "' could not be started: " + shared.failure);
    }
    names += std::string(box.name) + "=" + name + "\n";
  }
  return names;
}

std::string Suite::remove_everything() {
  lanes_.clear();
  run_script(
      "twinbox ps -aq | xargs -r twinbox rm -f >/dev/null; twinbox standby stop --all; twinbox "
      "snapshot prune",
      "end");
  std::string left;
  for (const auto& entry : fs::directory_iterator(directory_.path() / "store/boxes")) {
    left += entry.path().filename().string() + "\n";
  }
  return left;
}

}  // namespace twinbox::conformance
