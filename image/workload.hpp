// The workload that an image and a user's wishes make together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/store.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::image {

// What a user asks for beyond the image; empty means the image's own.
struct WorkloadOptions {
  std::optional<std::string> entrypoint{};  // in place of the image's, whose Cmd goes with it
  std::vector<std::string> command;
  std::vector<std::string> env;  // "KEY=VALUE", over the image's
  std::string working_directory;
  std::string user;                   // "uid", "name", "uid:gid", "name:group"
  std::vector<std::string> groups{};  // further ones, by name or number
};

// Sets a variable of an environment ("KEY=VALUE"), in place of one of the same name.
void set_variable(std::vector<std::string>& env, const std::string& variable);
// Sets it unless there is one of that name.
void set_default_variable(std::vector<std::string>& env, const std::string& variable);

// The first words of the workload's command: what was given in place of the image's, or that.
std::vector<std::string> entrypoint_of(const ImageConfig& config,
                                       const std::optional<std::string>& given);

// Docker's rules: the command replaces Cmd and follows Entrypoint; the environment is PATH, then
// the image's, then HOME by the user's entry in the image's /etc/passwd, then the user's. Throws
// base::Error (usage) when there is no command, or no such user.
sandbox::Spec make_workload(const PreparedImage& image, const WorkloadOptions& options);

}  // namespace twinbox::image
