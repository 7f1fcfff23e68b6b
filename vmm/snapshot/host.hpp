// What of this host and this monitor a snapshot depends on.
#pragma once

#include <string>

#include "vmm/snapshot/format.hpp"

namespace twinbox::vmm::snapshot {

// A header with the magic, the versions and the kernel's release; the rest is empty.
Header header_of_this_host();
// Throws base::Error (unsupported) unless a header was written by this monitor on this kernel.
// `path` names the snapshot in the message.
void check_host(const Header& header, const std::string& path);

}  // namespace twinbox::vmm::snapshot
