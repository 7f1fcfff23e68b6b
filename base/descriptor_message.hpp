// Descriptors that go from one process to another over a Unix socket, with some bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::base {

// More than any message of ours has.
inline constexpr std::size_t max_descriptors = 8;

// One message of a blocking stream socket. The receiver asks for as many bytes as are sent. Throws
// base::Error.
void send_with_descriptors(int socket, std::span<const std::byte> bytes,
                           std::span<const int> descriptors);
// The descriptors, close-on-exec; nullopt where the sender is gone, or has nothing to say in the
// socket's time to receive (SO_RCVTIMEO), or says less. Throws base::Error.
std::optional<std::vector<Fd>> receive_with_descriptors(int socket, std::span<std::byte> bytes);

}  // namespace twinbox::base
