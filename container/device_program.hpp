// Version 2 of control groups asks a BPF program of the group about each use of a device.
#pragma once

#include <linux/bpf.h>

#include <span>
#include <vector>

#include "base/fd.hpp"
#include "container/device_rules.hpp"

namespace twinbox::container {

// The program: 1 in R0 where a rule allows what is asked, else 0.
std::vector<bpf_insn> compile_device_program(std::span<const DeviceRule> rules);

// Throws base::Error; of the kind unsupported where the kernel has no such programs.
base::Fd load_device_program(std::span<const DeviceRule> rules);
// Puts a program on an open control group of version 2, which keeps it as long as it is there.
void attach_device_program(int cgroup, const base::Fd& program);

}  // namespace twinbox::container
