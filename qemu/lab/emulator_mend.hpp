// Mends the interrupts of QEMU's emulated SVM, in the memory of a QEMU that has just started. See
// docs/decisions/interrupts-on-emulated-svm.md.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace twinbox::qemu {

// Where in QEMU's code VMRUN notes the interrupt that it delivers as an exception that is still to
// be delivered: the start of an instruction of `noting_instruction_size` bytes. Nothing where the
// code is not as it is known to be, or is so in more than one place.
std::optional<std::size_t> find_noting_instruction(std::string_view code);

constexpr std::size_t noting_instruction_size = 6;

// Has the process `pid`, a QEMU that was executed and has not run a guest of its guest yet, note
// none. False where its code is unknown or its memory cannot be written.
bool mend_interrupts(pid_t pid);

}  // namespace twinbox::qemu
