// All that is known of a box or an image, with docker's member names.
#pragma once

#include "base/json.hpp"
#include "image/store.hpp"
#include "sandbox/spec.hpp"
#include "supervise/record.hpp"

namespace twinbox::cli {

base::Json describe(const supervise::BoxRecord& record, const sandbox::Spec& spec);
base::Json describe(const image::ImageSummary& summary, const image::ImageConfig& config);

}  // namespace twinbox::cli
