// What an image says about itself: the OCI image-spec's config, as far as boxes need it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace twinbox::image {

struct ImageConfig {
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string working_directory;
  std::string user;         // "", "name", "uid", "name:group", "uid:gid"
  std::string stop_signal;  // "SIGTERM", "15"; empty: not said
  std::map<std::string, std::string> labels;
  std::string created;                // RFC 3339
  std::vector<std::string> diff_ids;  // digests of the uncompressed layers, lowest first
};

base::Json to_json(const ImageConfig& config);
ImageConfig config_from(const base::JsonView& view);

}  // namespace twinbox::image
