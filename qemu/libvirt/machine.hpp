// A QEMU machine started through libvirt, as a box's machine.
#pragma once

#include <memory>

#include "qemu/libvirt/domain_xml.hpp"
#include "sandbox/guest_box.hpp"

namespace twinbox::qemu::libvirt {

// config.port_socket and config.console are made by it.
std::unique_ptr<sandbox::GuestMachine> make_machine(DomainConfig config);

}  // namespace twinbox::qemu::libvirt
