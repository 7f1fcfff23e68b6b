// Kernel parameters of a box's own namespaces.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace twinbox::container {

// Whether the parameter ("net.ipv4.ip_forward") is one of a namespace that every box has of its
// own. Any other would change the host.
bool is_namespaced_sysctl(std::string_view name);

// Sets them in the box's /proc below `root`, before that becomes read-only. Throws base::Error that
// names the parameter.
void set_sysctls(int root, const std::map<std::string, std::string>& parameters);

}  // namespace twinbox::container
