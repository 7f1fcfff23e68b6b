// What this host's processor can do.
#pragma once

namespace twinbox::base {

// Whether it offers hardware virtualization (VT-x or SVM) to this system. KVM can be there without.
bool processor_virtualizes();

}  // namespace twinbox::base
