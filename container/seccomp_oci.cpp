#include "container/seccomp_oci.hpp"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "container/seccomp_profile.hpp"

namespace twinbox::container {
namespace {

using base::Json;

Json allow(const std::string& call, const char* comparison, std::uint64_t value) {
  return {{"names", {call}},
          {"action", "SCMP_ACT_ALLOW"},
          {"args", {{{"index", 0}, {"op", comparison}, {"value", value}}}}};
}

Json allow_clone() {
  auto rule = allow("clone", "SCMP_CMP_MASKED_EQ", denied_clone_flags());
  rule["args"][0]["valueTwo"] = 0;
  return rule;
}

}  // namespace

std::string default_filter_as_oci() {
  Json calls = Json::array();
  calls.push_back({{"names", allowed_without_conditions(default_filter_capabilities())},
                   {"action", "SCMP_ACT_ALLOW"}});
  calls.push_back(allow_clone());
  calls.push_back({{"names", {"clone3"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", ENOSYS}});
  for (const auto personality : allowed_personalities()) {
    calls.push_back(allow("personality", "SCMP_CMP_EQ", personality));
  }
  const auto [first_denied, others] = allowed_socket_families();
  calls.push_back(allow("socket", "SCMP_CMP_LT", static_cast<std::uint64_t>(first_denied)));
  for (const int family : others) {
    calls.push_back(allow("socket", "SCMP_CMP_EQ", static_cast<std::uint64_t>(family)));
  }
  return Json{{"defaultAction", "SCMP_ACT_ERRNO"},
              {"architectures", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}},
              {"syscalls", calls}}
      .dump();
}

}  // namespace twinbox::container
