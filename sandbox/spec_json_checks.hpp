// Which config.json no engine can honour.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/json.hpp"

namespace twinbox::sandbox {

// What a box has of its own.
inline constexpr std::array box_namespaces{"pid", "network", "ipc", "uts", "mount", "cgroup"};

// The field at "a.b.c" below `root`.
std::optional<base::JsonView> find_path(const base::JsonView& root, std::string_view path);

// Throws base::Error (unsupported) that names the field.
[[noreturn]] void refuse(std::string_view path, std::string_view why);
void refuse_unsupported(const base::JsonView& root);
// Every box gets fresh namespaces, so a spec that wants fewer, others or existing ones is refused.
void check_namespaces(const base::JsonView& linux_section);

}  // namespace twinbox::sandbox
