// Bringing the image into an engine's store, as figures of the report.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "compare/engines/adapter.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

inline constexpr const char* import_metric = "image import";
inline constexpr const char* conversion_metric = "image conversion";

// Both metrics as a report describes them.
std::vector<Metric> image_metrics();
bool is_image_metric(std::string_view name);

// In nanoseconds.
struct ImportTimes {
  double import = 0;
  std::optional<double> conversion;  // where the engine tells it
};

// Carries an import out. Throws base::Error when it fails, or the store does not have the image
// then.
ImportTimes time_import(const ImageImport& import, std::chrono::seconds timeout);

}  // namespace twinbox::compare
