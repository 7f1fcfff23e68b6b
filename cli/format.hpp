// How a verb shows its rows: docker's --format.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "cli/format_template.hpp"

namespace twinbox::cli {

// "\t" and "\n" as shells leave them are a tab and a newline, and "json" is all of the value.
FormatTemplate format_template(const std::string& format);

// What the verbs that inspect print: all values as JSON, or each by a format.
std::string described_text(const std::vector<base::Json>& values, const std::string& format);

struct Column {
  std::string_view field;
  std::string_view heading;
};

// Usage:
//   const RowFormat format(flags.format, columns, "{{.ID}}\t{{.Names}}");
//   fmt::print("{}", format.render(rows));
class RowFormat {
 public:
  // `format`: "" or "table" for a table of `standard`, "table TEMPLATE", "json", or a template.
  // `columns` are the headings of all fields. Throws base::Error (usage).
  RowFormat(const std::string& format, std::span<const Column> columns, std::string_view standard);

  // Each row is a line; a table has its headings above.
  std::string render(const std::vector<base::Json>& rows) const;

 private:
  bool table_;
  FormatTemplate template_;
  base::Json headings_;
};

}  // namespace twinbox::cli
