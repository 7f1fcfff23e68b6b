// A verb that is a family of verbs, such as `twinbox snapshot`.
#pragma once

#include <span>
#include <string_view>

#include "cli/verbs.hpp"

namespace twinbox::cli {

struct FamilyVerb {
  std::string_view name;
  std::string_view arguments;  // for the help; may be empty
  std::string_view summary;
  int (*function)(const Arguments& arguments);  // after the verb
};

// Calls the one that the arguments begin with, or prints the family's help. Throws base::Error
// (usage) where they begin with neither.
int run_family(std::string_view family, std::string_view purpose, std::span<const FamilyVerb> verbs,
               const Arguments& arguments);

}  // namespace twinbox::cli
