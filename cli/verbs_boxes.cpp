#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::span<const Verb> verbs;

}  // namespace

VerbGroup box_verbs() { return {"Look at boxes and manage them", verbs}; }

}  // namespace twinbox::cli
