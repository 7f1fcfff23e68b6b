#include "cli/verb_family.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/options.hpp"

namespace twinbox::cli {
namespace {

std::string usage_of(const FamilyVerb& verb) {
  return fmt::format("{}{}{}", verb.name, verb.arguments.empty() ? "" : " ", verb.arguments);
}

std::string help_of(std::string_view purpose, std::span<const FamilyVerb> verbs) {
  constexpr std::size_t gap = 4;
  std::size_t width = 0;
  for (const auto& verb : verbs) width = std::max(width, usage_of(verb).size() + gap);
  auto help = fmt::format("{}\n\nVerbs:\n", purpose);
  for (const auto& verb : verbs) {
    help += fmt::format("  {:{}}{}\n", usage_of(verb), width, verb.summary);
  }
  return help;
}

// "create, ls or rm".
std::string names_of(std::span<const FamilyVerb> verbs) {
  std::vector<std::string_view> names;
  for (const auto& verb : verbs) names.push_back(verb.name);
  const auto last = names.back();
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

}  // namespace

int run_family(std::string_view family, std::string_view purpose, std::span<const FamilyVerb> verbs,
               const Arguments& arguments) {
  if (!arguments.empty()) {
    const auto found = std::ranges::find(verbs, arguments.front(), &FamilyVerb::name);
    if (found != verbs.end()) return found->function({arguments.begin() + 1, arguments.end()});
  }
  Options options(fmt::format("{} VERB [ARGUMENTS]", family), help_of(purpose, verbs));
  const auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  throw base::Error(base::ErrorKind::usage,
                    words.empty() ? fmt::format("{}: say what to do: {}", family, names_of(verbs))
                                  : fmt::format("{}: there is no verb '{}'", family, words.front()),
                    options.see_help());
}

}  // namespace twinbox::cli
