#include "image/workload.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "image/accounts.hpp"

namespace twinbox::image {
namespace {

using Words = std::vector<std::string>;

std::string_view key_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

Words::iterator find_variable(Words& env, const std::string& variable) {
  return std::ranges::find_if(
      env, [&](const std::string& other) { return key_of(other) == key_of(variable); });
}

Words command_line(const PreparedImage& image, const WorkloadOptions& options) {
  auto words = entrypoint_of(image.config, options.entrypoint);
  const bool takes_image_command = options.command.empty() && !options.entrypoint;
  const auto& rest = takes_image_command ? image.config.command : options.command;
  words.insert(words.end(), rest.begin(), rest.end());
  if (words.empty()) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("no command: the image '{}' has none of its own", image.name),
                      fmt::format("give one: twinbox run {} COMMAND...", image.name));
  }
  return words;
}

}  // namespace

Words entrypoint_of(const ImageConfig& config, const std::optional<std::string>& given) {
  if (!given) return config.entrypoint;
  return given->empty() ? Words{} : Words{*given};
}

void set_default_variable(Words& env, const std::string& variable) {
  if (find_variable(env, variable) == env.end()) env.push_back(variable);
}

void set_variable(Words& env, const std::string& variable) {
  const auto found = find_variable(env, variable);
  if (found != env.end()) {
    *found = variable;
  } else {
    env.push_back(variable);
  }
}

sandbox::Spec make_workload(const PreparedImage& image, const WorkloadOptions& options) {
  auto spec = sandbox::default_spec();
  auto& process = spec.process;
  process.args = command_line(image, options);
  const auto account =
      find_account(image.root.directories, options.user.empty() ? image.config.user : options.user);
  process.user = account.user;
  for (const auto& group : options.groups) {
    process.user.additional_gids.push_back(find_group(image.root.directories, group));
  }
  set_variable(process.env, "HOME=" + account.home);
  for (const auto& variable : image.config.env) set_variable(process.env, variable);
  for (const auto& variable : options.env) set_variable(process.env, variable);
  const auto& directory = options.working_directory.empty() ? image.config.working_directory
                                                            : options.working_directory;
  if (!directory.empty()) process.cwd = directory;
  return spec;
}

}  // namespace twinbox::image
