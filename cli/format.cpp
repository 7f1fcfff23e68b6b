#include "cli/format.hpp"

#include "cli/table.hpp"

namespace twinbox::cli {
namespace {

constexpr std::string_view table = "table";

bool is_table(std::string_view format) {
  return format.empty() || format == table || format.starts_with("table ");
}

std::string unescape(std::string_view format) {
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const auto pair = format.substr(i, 2);
    if (pair == "\\t" || pair == "\\n") {
      text += pair == "\\t" ? '\t' : '\n';
      ++i;
    } else {
      text += format[i];
    }
  }
  return text;
}

std::string template_text(const std::string& format, std::string_view standard) {
  if (!is_table(format)) return format;
  if (format.size() <= table.size() + 1) return std::string(standard);
  return format.substr(table.size() + 1);
}

base::Json headings_of(std::span<const Column> columns) {
  auto headings = base::Json::object();
  for (const auto& column : columns) headings[std::string(column.field)] = column.heading;
  return headings;
}

}  // namespace

FormatTemplate format_template(const std::string& format) {
  return FormatTemplate(format == "json" ? "{{json .}}" : unescape(format));
}

std::string described_text(const std::vector<base::Json>& values, const std::string& format) {
  if (format.empty()) {
    return base::Json(values).dump(4, ' ', false, base::Json::error_handler_t::replace) + "\n";
  }
  const auto shape = format_template(format);
  std::string text;
  for (const auto& value : values) text += shape.render(value) + "\n";
  return text;
}

RowFormat::RowFormat(const std::string& format, std::span<const Column> columns,
                     std::string_view standard)
    : table_(is_table(format)),
      template_(format_template(template_text(format, standard))),
      headings_(headings_of(columns)) {}

std::string RowFormat::render(const std::vector<base::Json>& rows) const {
  std::string text;
  if (table_) text += template_.render(headings_) + "\n";
  for (const auto& row : rows) text += template_.render(row) + "\n";
  return table_ ? align(text) : text;
}

}  // namespace twinbox::cli
