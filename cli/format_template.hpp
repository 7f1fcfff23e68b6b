// The part of Go's text/template that people use in docker's --format, over JSON values.
//
//   FormatTemplate("{{.Name}}: {{range .Mounts}}{{.Source}} {{end}}").render(row)
//
// Fields, {{json .X}}, pipelines, variables, if/else, range, with, trimming, and the functions of
// format_functions.hpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace twinbox::cli {

namespace format {
struct Block;
}

class FormatTemplate {
 public:
  // Throws base::Error (usage) that shows what cannot be understood.
  explicit FormatTemplate(std::string_view text);

  // Throws base::Error (usage) for a field that `data` does not have.
  std::string render(const base::Json& data) const;

 private:
  std::shared_ptr<const format::Block> root_;
};

}  // namespace twinbox::cli
