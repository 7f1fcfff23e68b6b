// The lab's initramfs: contents as one cpio archive, kept by the hash of what it holds.
#pragma once

#include <filesystem>
#include <string>

#include "qemu/lab/contents.hpp"

namespace twinbox::qemu {

struct LabImage {
  std::filesystem::path path;
  std::string digest;
  std::uint64_t bytes = 0;
};

// Makes the image in `cache` unless it is there; the same contents give the same bytes. A few older
// images are kept, the rest removed.
LabImage lab_image(const LabContents& contents, const std::filesystem::path& cache);

// Removes what a killed run left half made.
void clean_up_lab_images(const std::filesystem::path& cache);

}  // namespace twinbox::qemu
