// Writes reports for what looks at them: the browser's test and the schema's.
// Usage: write_page DIRECTORY REPORT.json
//        write_page --samples DIRECTORY OLDER-REPORT.json
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/comparison.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace {

using namespace twinbox;

compare::Result read(const std::string& file) {
  return compare::result_from_json(base::read_file(file), file);
}

// As it is when an engine could not be measured.
compare::Result partial() {
  auto result = compare::sample_result();
  std::erase_if(result.starts, [](const auto& sample) { return sample.engine == "vm"; });
  std::erase_if(result.memory, [](const auto& memory) { return memory.engine == "vm"; });
  std::erase_if(result.density, [](const auto& series) { return series.engine == "vm"; });
  result.failures.push_back({"vm", "start-up", "there is no /dev/kvm </script>"});
  return result;
}

void write(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2) {
    compare::write_reports(read(arguments[1]), arguments[0]);
    return;
  }
  if (arguments.size() != 3 || arguments[0] != "--samples") {
    throw base::Error(base::ErrorKind::usage, "see the head of write_page.cpp");
  }
  const std::filesystem::path directory = arguments[1];
  compare::write_reports(compare::rich_result(), directory / "rich");
  compare::write_reports(partial(), directory / "partial");
  compare::write_reports(compare::Result(), directory / "empty");
  compare::write_reports(read(arguments[2]), directory / "older");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    write({argv + 1, argv + argc});
  } catch (const base::Error& error) {
    fmt::print(stderr, "write_page: {}\n", error.message());
    return 1;
  }
  return 0;
}
