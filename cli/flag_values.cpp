#include "cli/flag_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "base/text.hpp"

namespace twinbox::cli {
namespace {

// Docker's limit; below it not even a shell starts, and the kernel's answer would be an OOM kill.
constexpr std::uint64_t least_memory = 6 * base::mebibyte;
constexpr double most_cpus = 512;
constexpr std::size_t longest_hostname = 64;  // HOST_NAME_MAX

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::usage, std::move(message), std::move(hint)};
}

// A variable as `given`, or of the caller; nothing where the caller has none.
void add_variable(const std::string& given, std::string_view flag,
                  std::vector<std::string>& variables) {
  const auto equals = given.find('=');
  if (given.empty() || equals == 0) {
    throw usage(fmt::format("{}: '{}' has no name", flag, given), "write it as KEY=VALUE");
  }
  if (equals != std::string::npos) {
    variables.push_back(given);
  } else if (const char* const own = std::getenv(given.c_str()); own != nullptr) {
    variables.push_back(given + "=" + own);
  }
}

// The lines that say something, without blanks before them.
std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  for (auto& line : base::split(base::read_file(file), '\n')) {
    if (line.ends_with('\r')) line.pop_back();
    line.erase(0, line.find_first_not_of(" \t"));
    if (!line.empty() && line.front() != '#') lines.push_back(std::move(line));
  }
  return lines;
}

void add_label(const std::string& given, std::map<std::string, std::string>& labels) {
  const auto equals = given.find('=');
  if (given.empty() || equals == 0) {
    throw usage(fmt::format("--label: '{}' has no name", given), "write it as KEY=VALUE");
  }
  labels[given.substr(0, equals)] =
      equals == std::string::npos ? std::string() : given.substr(equals + 1);
}

}  // namespace

std::optional<std::int64_t> whole_number(const std::string& text, std::string_view flag,
                                         std::int64_t least) {
  if (text.empty()) return std::nullopt;
  const auto value = base::parse_number<std::int64_t>(text);
  if (!value || *value < least) {
    throw usage(fmt::format("{}: '{}' is not a number that fits", flag, text),
                fmt::format("give a whole number from {}", least));
  }
  return value;
}

std::optional<std::uint64_t> memory_limit(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto bytes = base::parse_size(text, "--memory");
  if (bytes < least_memory) {
    throw usage(fmt::format("--memory: {} is too little", text),
                fmt::format("give at least {}m", least_memory / base::mebibyte));
  }
  return bytes;
}

std::optional<std::int64_t> memory_swap_limit(const std::string& text,
                                              std::optional<std::uint64_t> memory) {
  if (text.empty()) return std::nullopt;
  if (!memory) {
    throw usage("--memory-swap limits memory and swap together, beside a limit of memory",
                "give --memory too");
  }
  if (text == "-1") return -1;
  const auto bytes = base::parse_size(text, "--memory-swap");
  if (bytes < *memory) {
    throw usage(fmt::format("--memory-swap: {} is less than --memory", text),
                "it is memory and swap together: give at least as much");
  }
  return static_cast<std::int64_t>(bytes);
}

std::optional<double> cpu_limit(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto value = base::parse_number<double>(text);
  if (!value || !std::isfinite(*value) || *value < 0.01 || *value > most_cpus) {
    throw usage(fmt::format("--cpus: '{}' is not a number of CPUs", text),
                fmt::format("give a number from 0.01 to {}, for example 1.5", most_cpus));
  }
  return value;
}

std::optional<std::int64_t> pids_limit(const std::string& text) {
  const auto value = whole_number(text, "--pids-limit", -1);
  return value && *value > 0 ? value : std::nullopt;
}

std::string cpu_set(const std::string& text) {
  const auto is_number = [](std::string_view part) {
    return base::parse_number<unsigned>(part).has_value();
  };
  for (const auto& range : base::split(text, ',')) {
    const auto dash = range.find('-');
    const bool valid = dash == std::string::npos
                           ? is_number(range)
                           : is_number(range.substr(0, dash)) && is_number(range.substr(dash + 1));
    if (valid) continue;
    throw usage(fmt::format("--cpuset-cpus: '{}' is no list of processors", text),
                "for example: --cpuset-cpus 0-2,4");
  }
  return text;
}

std::vector<std::string> variables(const std::vector<std::string>& given) {
  std::vector<std::string> result;
  for (const auto& variable : given) add_variable(variable, "-e", result);
  return result;
}

std::vector<std::string> variables_of_files(const std::vector<std::string>& files) {
  std::vector<std::string> result;
  for (const auto& file : files) {
    for (const auto& line : lines_of(file)) add_variable(line, "--env-file " + file, result);
  }
  return result;
}

std::map<std::string, std::string> labels(const std::vector<std::string>& given,
                                          const std::vector<std::string>& files) {
  std::map<std::string, std::string> result;
  for (const auto& file : files) {
    for (const auto& line : lines_of(file)) add_label(line, result);
  }
  for (const auto& label : given) add_label(label, result);
  return result;
}

std::map<std::string, std::string> pairs(const std::vector<std::string>& given,
                                         std::string_view flag) {
  std::map<std::string, std::string> result;
  for (const auto& pair : given) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw usage(fmt::format("{}: '{}' is no pair", flag, pair), "write it as KEY=VALUE");
    }
    result[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return result;
}

void check_hostname(const std::string& name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  };
  if (name.size() > longest_hostname || !std::ranges::all_of(name, is_allowed)) {
    throw usage(fmt::format("--hostname: '{}' is not a host name", name),
                fmt::format("use at most {} letters, digits, '-' and '.'", longest_hostname));
  }
}

void check_working_directory(const std::string& directory) {
  if (!directory.empty() && directory.front() != '/') {
    throw usage(fmt::format("-w: '{}' is not an absolute path", directory),
                "give a path of the image that begins with /");
  }
}

}  // namespace twinbox::cli
