#include "compare/parts.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "compare/journal.hpp"

namespace twinbox::compare {
namespace {

constexpr std::string_view lab_suffix = "@lab";

// What `twinbox` and the image are enough for.
bool runs_in_lab(const Plan& plan, const std::string& engine) {
  constexpr std::array ours{"process", "container", "vm"};
  return std::ranges::find(ours, plan.settings_of(engine).engine) != ours.end();
}

template <typename T>
void rename_all(std::vector<T>& items,
                const std::function<std::string(const std::string&)>& rename) {
  for (auto& item : items) item.engine = rename(item.engine);
}

template <typename T>
void keep_of_lab(std::vector<T>& items) {
  std::erase_if(items, [](const T& item) { return !item.engine.ends_with(lab_suffix); });
}

// Those of `other` whose name is not there yet.
template <typename T>
void add_new(std::vector<T>& into, std::vector<T> other) {
  for (auto& item : other) {
    if (std::ranges::find(into, item.name, &T::name) == into.end()) into.push_back(std::move(item));
  }
}

}  // namespace

Division divide(const Plan& plan, bool lab) {
  if (!lab) return {plan.engines, {}};
  Division division;
  for (const auto& engine : plan.engines) {
    (runs_in_lab(plan, engine) ? division.lab : division.native).push_back(engine);
  }
  if (division.native.empty()) return division;
  // All that can be are rows on both.
  division.native.clear();
  for (const auto& engine : plan.engines) {
    if (plan.settings_of(engine).engine != "vm") division.native.push_back(engine);
  }
  return division;
}

Plan only(const Plan& plan, const std::vector<std::string>& engines) {
  auto part = plan;
  part.engines = engines;
  std::erase_if(part.settings, [&](const auto& setting) {
    return std::ranges::find(engines, setting.first) == engines.end();
  });
  return part;
}

std::string lab_name(const std::string& engine) { return engine + std::string(lab_suffix); }

void rename_engines(Result& result, const std::function<std::string(const std::string&)>& rename) {
  for (auto& engine : result.engines) {
    engine.name = rename(engine.name);
    if (!engine.repeats.empty()) engine.repeats = rename(engine.repeats);
  }
  rename_all(result.starts, rename);
  rename_all(result.measurements, rename);
  rename_all(result.memory, rename);
  rename_all(result.density, rename);
  rename_all(result.exits, rename);
  rename_all(result.failures, rename);
}

Result lab_part(const Result& measured) {
  auto part = measured;
  keep_of_lab(part.starts);
  keep_of_lab(part.measurements);
  keep_of_lab(part.memory);
  keep_of_lab(part.density);
  keep_of_lab(part.exits);
  keep_of_lab(part.failures);
  rename_engines(part, [](const std::string& engine) {
    return engine.ends_with(lab_suffix) ? engine.substr(0, engine.size() - lab_suffix.size())
                                        : engine;
  });
  return part;
}

void merge(Result& into, Result other) {
  add_samples(into, other);
  add_new(into.hosts, std::move(other.hosts));
  add_new(into.engines, std::move(other.engines));
  add_new(into.workloads, std::move(other.workloads));
  add_new(into.metrics, std::move(other.metrics));
  into.audit.insert(into.audit.end(), other.audit.begin(), other.audit.end());
}

}  // namespace twinbox::compare
