#include "cli/run_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/size.hpp"
#include "cli/engines.hpp"
#include "image/workload.hpp"

namespace twinbox::cli {
namespace {

using base::ErrorKind;

// Docker's limit; below it not even a shell starts, and the kernel's answer would be an OOM kill.
constexpr std::uint64_t least_memory = 6 * base::mebibyte;
constexpr double most_cpus = 512;
constexpr std::size_t longest_hostname = 64;  // HOST_NAME_MAX

base::Error usage(std::string message, std::string hint) {
  return {ErrorKind::usage, std::move(message), std::move(hint)};
}

template <typename T>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> memory_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto bytes = base::parse_size(text, "--memory");
  if (bytes < least_memory) {
    throw usage(fmt::format("--memory: {} is too little", text),
                fmt::format("give at least {}m", least_memory / base::mebibyte));
  }
  return bytes;
}

std::optional<double> cpus_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto value = number<double>(text);
  if (!value || !std::isfinite(*value) || *value < 0.01 || *value > most_cpus) {
    throw usage(fmt::format("--cpus: '{}' is not a number of CPUs", text),
                fmt::format("give a number from 0.01 to {}, for example 1.5", most_cpus));
  }
  return value;
}

std::optional<std::int64_t> pids_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto value = number<std::int64_t>(text);
  if (!value || *value < 1) {
    throw usage(fmt::format("--pids-limit: '{}' is not a number of processes", text),
                "give a whole number from 1");
  }
  return value;
}

// "KEY=VALUE" as it is; "KEY" with the caller's own value, or left out where the caller has none.
std::vector<std::string> variables_of(const std::vector<std::string>& given) {
  std::vector<std::string> variables;
  for (const auto& variable : given) {
    const auto equals = variable.find('=');
    if (variable.empty() || equals == 0) {
      throw usage(fmt::format("-e: '{}' has no name", variable), "write it as KEY=VALUE");
    }
    const char* const own = std::getenv(variable.c_str());
    if (equals != std::string::npos) variables.push_back(variable);
    if (equals == std::string::npos && own != nullptr) variables.push_back(variable + "=" + own);
  }
  return variables;
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

// The engine runs elsewhere than the caller, so the path is made absolute here.
std::string kernel_path(const RunOptions& options) {
  if (options.kernel.empty()) return {};
  if (options.engine != "vm" && options.engine != "qemu") {
    throw usage("--kernel is for machines: a container shares this host's kernel", "add --as vm");
  }
  if (!std::filesystem::exists(options.kernel)) {
    throw base::Error(ErrorKind::not_found, fmt::format("there is no kernel {}", options.kernel),
                      "give a vmlinux or a bzImage");
  }
  return std::filesystem::absolute(options.kernel);
}

}  // namespace

void RunOptions::declare(Options& options) {
  options.value("as", "ENGINE", "the kind of box: " + engine_names() + "; default container",
                engine);
  options.value("memory,m", "SIZE", "limit of memory, for example 64m; a machine's memory", memory);
  options.value("cpus", "N", "limit of CPUs, for example 1.5; a machine's CPUs, rounded up", cpus);
  options.value("pids-limit", "N", "limit of processes", pids);
  options.values("env,e", "KEY=VALUE", "set a variable; KEY alone takes the caller's", env);
  options.value("workdir,w", "DIR", "working directory", working_directory);
  options.value("user,u", "UID[:GID]", "user and group, as numbers or the image's names", user);
  options.value("hostname", "NAME", "host name; default: the box's id", hostname);
  options.flag("read-only", "make the root read-only", read_only);
  options.value("kernel", "FILE", "a machine's kernel; default: the stock one", kernel);
  options.value("marks", "FILE", "write the box's boot marks to FILE as JSON", marks);
}

void RunOptions::take_words(std::vector<std::string> words, const Options& options) {
  if (words.empty()) throw usage("run: say which image", options.see_help());
  image = std::move(words.front());
  words.erase(words.begin());
  command = std::move(words);
}

sandbox::Spec make_spec(const RunOptions& options, const image::PreparedImage& image) {
  check_hostname(options.hostname);
  check_working_directory(options.working_directory);
  auto spec = image::make_workload(image, {.command = options.command,
                                           .env = variables_of(options.env),
                                           .working_directory = options.working_directory,
                                           .user = options.user});
  spec.hostname = options.hostname;
  spec.root_readonly = options.read_only;
  spec.resources = {.memory_bytes = memory_of(options.memory),
                    .cpus = cpus_of(options.cpus),
                    .pids = pids_of(options.pids)};
  spec.vm.kernel = kernel_path(options);
  return spec;
}

}  // namespace twinbox::cli
