// --filter KEY=VALUE of the verbs that list boxes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "supervise/record.hpp"

namespace twinbox::cli {

// By key. Throws base::Error (usage) for a key that is not among `known`.
using Filters = std::map<std::string, std::vector<std::string>>;
Filters parse_filters(const std::vector<std::string>& given,
                      const std::vector<std::string_view>& known);

// Any of `wanted`, or none are wanted.
bool is_wanted(const Filters& filters, const std::string& key, std::string_view value);
// All labels that are wanted: "KEY", "KEY=VALUE".
bool has_labels(const Filters& filters, const std::map<std::string, std::string>& labels);

// ps's: id, name (a regular expression), status, exited, label, ancestor, engine.
Filters parse_box_filters(const std::vector<std::string>& given);
bool matches(const supervise::BoxRecord& record, const Filters& filters);

}  // namespace twinbox::cli
