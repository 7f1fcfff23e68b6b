// Where twinbox keeps its things, and where its programs are.
#pragma once

#include <filesystem>
#include <string_view>

namespace twinbox::sandbox {

// $TWINBOX_ROOT, or /var/lib/twinbox. Below it:
//   images/   OCI image layout           layers/   layers unpacked and as erofs
//   boxes/    one directory per box      kernels/  guest kernels and their modules
//   cache/    made again when missing    lab/      the lab that is kept running
std::filesystem::path data_root();
std::filesystem::path boxes_directory();

// For what ends with its process and must have a short path, such as sockets: $TWINBOX_RUN, or
// /run/twinbox.
std::filesystem::path run_root();

// A program of twinbox ("twinbox-vmm", "twinbox-agent"): in $TWINBOX_BIN, or beside the running
// one, or in
// ../bin or ../libexec/twinbox of its directory. Throws base::Error (not_found) naming where it
// looked.
std::filesystem::path program_path(std::string_view name);

}  // namespace twinbox::sandbox
