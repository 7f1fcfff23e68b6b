#include "compare/provenance.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "base/command.hpp"
#include "base/error.hpp"
#include "compare/engines/adapter.hpp"
#include "compare/environment.hpp"
#include "image/digest.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr const char* nothing = "none";

std::string digest_or_nothing(const fs::path& file) {
  std::error_code failed;
  return fs::is_regular_file(file, failed) ? image::digest_of_file(file) : nothing;
}

// The place of an engine's samples; of one that is a row of both hosts, both.
std::string place_of(const std::string& engine, const Division& division) {
  const auto is_in = [&](const Names& names) {
    return std::ranges::find(names, engine) != names.end();
  };
  if (!is_in(division.lab)) return "this host";
  return is_in(division.native) ? "this host and the lab" : "the lab";
}

void add_engine(std::vector<Fact>& facts, const Plan& plan, const std::string& name,
                const Division& division) {
  facts.push_back({name + " is measured in", place_of(name, division)});
  // Only described: nothing is started, and no file is made.
  const auto engine = make_adapter(plan, name, {})->describe();
  facts.push_back({"version of " + name, engine.version});
  if (const auto kernel = fact(engine.settings, "kernel digest"); !kernel.empty()) {
    facts.push_back({"kernel of " + name, kernel});
  }
}

void add_images(std::vector<Fact>& facts, const Plan& plan) {
  std::set<std::string> images{plan.image, plan.start.image, plan.idle.image};
  for (const auto& workload : plan.workloads) images.insert(workload.image);
  for (const auto& [name, settings] : plan.settings) images.insert(settings.image);
  images.erase("");
  for (const auto& image : images) facts.push_back({"image " + image, image_digest(image)});
}

void add_programs(std::vector<Fact>& facts) {
  const auto directory = sandbox::program_path("twinbox").parent_path();
  for (const auto* const name : {"twinbox", "twinbox-vmm", "twinbox-agent", "twinbox-qemu"}) {
    facts.push_back({fmt::format("program {}", name), digest_or_nothing(directory / name)});
  }
}

// What makes the lab's processor, and the host's kernel on it.
void add_lab(std::vector<Fact>& facts) {
  facts.push_back(
      {"kernel of the lab", digest_or_nothing(sandbox::data_root() / "kernels/stock/vmlinuz")});
  // The one that a lab starts.
  facts.push_back(
      {"emulator of the lab", digest_or_nothing(base::find_program("qemu-system-x86_64"))});
}

}  // namespace

std::vector<Fact> provenance(const Plan& plan, const Division& division) {
  std::vector<Fact> facts;
  for (const auto& engine : plan.engines) add_engine(facts, plan, engine, division);
  add_images(facts, plan);
  add_programs(facts);
  if (!division.lab.empty()) add_lab(facts);
  // In the lab this host has no effect on anything.
  if (!division.native.empty()) {
    const auto host = collect_facts("/");
    for (const auto* const name : {"processor", "kernel"}) {
      facts.push_back({fmt::format("{} of this host", name), fact(host, name)});
    }
  }
  return facts;
}

std::vector<std::string> differences(const std::vector<Fact>& then, const std::vector<Fact>& now) {
  std::vector<std::string> found;
  const auto value = [](const std::vector<Fact>& facts, const std::string& name) {
    const auto known = fact(facts, name);
    return known.empty() ? std::string(nothing) : known;
  };
  std::vector<Fact> all = then;
  all.insert(all.end(), now.begin(), now.end());
  std::set<std::string> seen;
  for (const auto& [name, ignored] : all) {
    const auto before = value(then, name);
    const auto after = value(now, name);
    if (before == after || !seen.insert(name).second) continue;
    found.push_back(fmt::format("{}: {} then, {} now", name, before, after));
  }
  return found;
}

}  // namespace twinbox::compare
