// Turns any kernel file into an uncompressed ELF that the monitor can map.
#pragma once

#include <filesystem>

namespace twinbox::vmm {

// The path of an uncompressed ELF kernel for `kernel`: the file itself when it is one, else the
// payload of a bzImage (gzip, xz, lzma, bzip2, lz4, zstd), unpacked once and kept in
// data_root()/cache/kernels/ under the sha256 of the bzImage.
//
// Throws base::Error that names the file: not found, not a kernel, truncated, or of a compression
// that is not known.
std::filesystem::path prepare_kernel(const std::filesystem::path& kernel);

}  // namespace twinbox::vmm
