// What this host's processor can do.
#pragma once

namespace twinbox::base {

// Whether it offers hardware virtualization (VT-x or SVM) to this system. KVM can be there without.
bool processor_virtualizes();

// Whether it is QEMU's emulation of one (TCG), as in the lab.
bool processor_is_emulated();

}  // namespace twinbox::base
