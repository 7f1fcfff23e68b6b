// The fairness audit: whether the engines were measured under the same conditions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compare/result.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {

enum class AuditState { pass, warn, fail };
std::string_view to_string(AuditState state);

struct AuditRow {
  std::string check;  // "same image"
  AuditState state = AuditState::pass;
  std::string detail;  // what was found
};

std::vector<AuditRow> audit(const Result& result, const Summary& summary);

}  // namespace twinbox::compare
