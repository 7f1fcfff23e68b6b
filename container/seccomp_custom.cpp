#include "container/seccomp_custom.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"

namespace twinbox::container {
namespace {

using base::JsonView;
using Conditions = std::vector<scmp_arg_cmp>;

constexpr std::array<std::pair<std::string_view, scmp_compare>, 7> operators{
    {{"SCMP_CMP_NE", SCMP_CMP_NE},
     {"SCMP_CMP_LT", SCMP_CMP_LT},
     {"SCMP_CMP_LE", SCMP_CMP_LE},
     {"SCMP_CMP_EQ", SCMP_CMP_EQ},
     {"SCMP_CMP_GE", SCMP_CMP_GE},
     {"SCMP_CMP_GT", SCMP_CMP_GT},
     {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}}};

void check(int result) {
  if (result < 0) throw base::system_error(-result, "cannot compile the system call filter");
}

std::uint32_t action_of(const JsonView& name, std::uint32_t error) {
  const auto text = name.as<std::string>();
  if (text == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (text == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(error);
  if (text == "SCMP_ACT_KILL" || text == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (text == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (text == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (text == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  name.fail("an action of SCMP_ACT_ALLOW, _ERRNO, _KILL, _KILL_PROCESS, _TRAP or _LOG");
}

scmp_arg_cmp condition_of(const JsonView& view) {
  const auto name = view.get<std::string>("op");
  const auto* const found =
      std::ranges::find(operators, name, [](auto& entry) { return entry.first; });
  if (found == operators.end()) view.at("op").fail("an operator, SCMP_CMP_EQ for example");
  const auto index = view.get<std::uint32_t>("index");
  if (index > 5) view.at("index").fail("a number from 0 to 5");
  return {index, found->second, view.get<std::uint64_t>("value"),
          view.get_or<std::uint64_t>("valueTwo", 0)};
}

bool kernel_is_at_least(const JsonView& version) {
  utsname own{};
  ::uname(&own);
  const auto numbers = [](std::string_view text) {
    std::pair<int, int> result;
    const auto parts = base::split(text.substr(0, text.find_first_not_of("0123456789.")), '.');
    result.first = base::parse_number<int>(parts.at(0)).value_or(0);
    if (parts.size() > 1) result.second = base::parse_number<int>(parts[1]).value_or(0);
    return result;
  };
  return numbers(own.release) >= numbers(version.as<std::string>());
}

bool holds_all(const JsonView& names, CapabilityMask held) {
  const auto wanted = parse_capabilities(names.as<std::vector<std::string>>());
  return (wanted & held) == wanted;
}

bool holds_any(const JsonView& names, CapabilityMask held) {
  return (parse_capabilities(names.as<std::vector<std::string>>()) & held) != 0;
}

bool names_this_architecture(const JsonView& names) {
  const auto listed = names.as<std::vector<std::string>>();
  return std::ranges::find(listed, "amd64") != listed.end();
}

std::optional<JsonView> given(const JsonView& view, std::string_view key) {
  auto found = view.find(key);
  return found && !found->value().empty() ? found : std::nullopt;
}

// docker's conditions: all of `includes`, none of `excludes`.
bool applies(const JsonView& rule, CapabilityMask held) {
  if (const auto includes = given(rule, "includes")) {
    const auto caps = given(*includes, "caps"), arches = given(*includes, "arches"),
               kernel = given(*includes, "minKernel");
    if (caps && !holds_all(*caps, held)) return false;
    if (arches && !names_this_architecture(*arches)) return false;
    if (kernel && !kernel_is_at_least(*kernel)) return false;
  }
  if (const auto excludes = given(rule, "excludes")) {
    const auto caps = given(*excludes, "caps"), arches = given(*excludes, "arches"),
               kernel = given(*excludes, "minKernel");
    if (caps && holds_any(*caps, held)) return false;
    if (arches && names_this_architecture(*arches)) return false;
    if (kernel && kernel_is_at_least(*kernel)) return false;
  }
  return true;
}

class Profile {
 public:
  Profile(std::uint32_t default_action, CapabilityMask held)
      : default_(default_action), held_(held), context_(::seccomp_init(default_action)) {
    if (!context_) throw base::system_error(ENOMEM, "cannot compile the system call filter");
    check(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }

  // Those that this machine cannot run are left out.
  void add_architecture(std::string_view name) {
    const auto token = name == "SCMP_ARCH_X86"   ? SCMP_ARCH_X86
                       : name == "SCMP_ARCH_X32" ? SCMP_ARCH_X32
                                                 : 0U;
    if (token == 0) return;
    const int result = ::seccomp_arch_add(context_.get(), token);
    if (result != -EEXIST) check(result);
  }

  void add_rule(const JsonView& rule) {
    if (!applies(rule, held_)) return;
    const auto error = rule.get_or<std::uint32_t>("errnoRet", EPERM);
    const auto action = action_of(rule.at("action"), error);
    if (action == default_) return;  // says nothing new, which libseccomp refuses
    Conditions conditions;
    if (const auto arguments = given(rule, "args")) {
      for (const auto& argument : arguments->elements()) {
        conditions.push_back(condition_of(argument));
      }
    }
    auto names = rule.get_or<std::vector<std::string>>("names", {});
    if (const auto name = given(rule, "name")) names.push_back(name->as<std::string>());
    for (const auto& name : names) add_call(action, name, conditions);
  }

  FilterProgram program() const {
    const base::Fd file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) base::throw_errno("cannot make a file in memory");
    check(::seccomp_export_bpf(context_.get(), file.get()));
    const auto size = static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END));
    FilterProgram instructions(size / sizeof(sock_filter));
    base::pread_exact(file.get(), std::as_writable_bytes(std::span(instructions)), 0);
    return instructions;
  }

 private:
  struct Release {
    void operator()(void* context) const { ::seccomp_release(context); }
  };

  void add_call(std::uint32_t action, const std::string& name, const Conditions& conditions) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) return;  // a call that libseccomp does not know
    std::set<unsigned> indices;
    for (const auto& condition : conditions) indices.insert(condition.arg);
    if (indices.size() == conditions.size()) return add(action, number, conditions);
    // As runc has it: several conditions on one argument are alternatives.
    for (const auto& condition : conditions) add(action, number, {condition});
  }

  void add(std::uint32_t action, int number, const Conditions& conditions) {
    check(::seccomp_rule_add_array(context_.get(), action, number,
                                   static_cast<unsigned>(conditions.size()), conditions.data()));
  }

  std::uint32_t default_;
  CapabilityMask held_;
  std::unique_ptr<void, Release> context_;
};

void add_architectures(const JsonView& root, Profile& profile) {
  for (const auto& name : root.get_or<std::vector<std::string>>("architectures", {})) {
    profile.add_architecture(name);
  }
  const auto map = given(root, "archMap");
  if (!map) return;
  for (const auto& entry : map->elements()) {
    if (entry.get<std::string>("architecture") != "SCMP_ARCH_X86_64") continue;
    for (const auto& name : entry.get_or<std::vector<std::string>>("subArchitectures", {})) {
      profile.add_architecture(name);
    }
  }
}

}  // namespace

FilterProgram compile_profile(std::string_view text, CapabilityMask capabilities) {
  const auto json = base::parse_json(text, "the seccomp profile");
  const JsonView root(json, "the seccomp profile");
  const auto error = root.get_or<std::uint32_t>("defaultErrnoRet", EPERM);
  Profile profile(action_of(root.at("defaultAction"), error), capabilities);
  add_architectures(root, profile);
  if (const auto rules = given(root, "syscalls")) {
    for (const auto& rule : rules->elements()) profile.add_rule(rule);
  }
  return profile.program();
}

}  // namespace twinbox::container
