// What this host's processor can do.
#pragma once

#include <string>

namespace twinbox::base {

// Whether it offers hardware virtualization (VT-x or SVM) to this system. KVM can be there without.
bool processor_virtualizes();

// What it is and can do, as text for comparison only.
std::string processor_signature();

// Whether it is QEMU's emulation of one (TCG), as in the lab.
bool processor_is_emulated();

}  // namespace twinbox::base
