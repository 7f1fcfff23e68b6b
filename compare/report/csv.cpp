#include "compare/report/csv.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "compare/series.hpp"

namespace twinbox::compare {
namespace {

// A field, in quotes where RFC 4180 asks for them.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string render_csv(const Result& result) {
  std::string text = "host,engine,workload,metric,at,unit,better,block,value\r\n";
  const auto metrics = metrics_of(result);
  for (const auto& series : series_of(result)) {
    const auto metric = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& candidate) {
      return candidate.name == series.metric;
    });
    if (metric == metrics.end()) continue;
    const auto key = fmt::format("{},{},{},{},{},{},{}", field(result.host_of(series.engine).name),
                                 field(series.engine), field(series.workload), field(series.metric),
                                 series.at ? fmt::format("{}", *series.at) : "",
                                 field(metric->unit), to_string(metric->better));
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      text += fmt::format("{},{},{}\r\n", key, series.blocks[i], series.values[i]);
    }
  }
  return text;
}

}  // namespace twinbox::compare
