// Users and groups as an image's own /etc/passwd and /etc/group name them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/spec.hpp"

namespace twinbox::image {

struct Account {
  sandbox::User user;
  std::string home = "/";
};

// The account `wanted` ("", "uid", "name", "uid:gid", "name:group") in the image with these layer
// directories, lowest first. A number is never a name, and needs no entry; throws base::Error
// (usage) for an unknown name.
Account find_account(const std::vector<std::filesystem::path>& layers, std::string_view wanted);
// The same for one group.
std::uint32_t find_group(const std::vector<std::filesystem::path>& layers, std::string_view wanted);

}  // namespace twinbox::image
