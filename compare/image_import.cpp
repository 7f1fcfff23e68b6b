#include "compare/image_import.hpp"

#include "base/error.hpp"
#include "compare/box.hpp"
#include "compare/instance.hpp"

namespace twinbox::compare {

std::vector<Metric> image_metrics() {
  return {{import_metric, import_metric, "ns", Better::lower,
           "From the spawn of the command that brings the image, a local archive, into an engine's "
           "store with nothing of it, until that command has ended.",
           ""},
          {conversion_metric, conversion_metric, "ns", Better::lower,
           "The stretch of an image import in which what was stored is made into what the engine's "
           "boxes mount: directories, or for machines read-only disks and the directories that "
           "these are made of.",
           ""}};
}

bool is_image_metric(std::string_view name) {
  return name == import_metric || name == conversion_metric;
}

ImportTimes time_import(const ImageImport& import, std::chrono::seconds timeout) {
  Instance command(import.command, Instance::Input::none, Instance::Cpu::not_counted,
                   import.environment);
  const auto end = command.finish(timeout);
  if (end.status != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("status {}: {}", end.status, reason_in(command.errors())));
  }
  const auto stretch = import.check();
  const auto& stamps = command.stamps();
  ImportTimes times{.import = static_cast<double>(stamps.gone - stamps.request), .conversion = {}};
  if (!stretch) return times;
  if (stretch->from < stamps.request || stretch->to < stretch->from || stretch->to > stamps.gone) {
    throw base::Error(
        base::ErrorKind::internal,
        fmt::format("a conversion from {} to {} ns is no part of an import from {} to "
                    "{} ns",
                    stretch->from, stretch->to, stamps.request, stamps.gone));
  }
  times.conversion = static_cast<double>(stretch->to - stretch->from);
  return times;
}

}  // namespace twinbox::compare
