// The virtio-console port that leads to the guest's agent.
#pragma once

namespace twinbox::vmm {

inline constexpr const char* agent_port = "twinbox.agent";

}  // namespace twinbox::vmm
