#include "container/device_program.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace twinbox::container {
namespace {

// Where the program keeps what it is asked. R1 is the kernel's argument, and free once read.
enum Register : std::uint8_t {
  result = 0,
  scratch = 1,
  type = 2,
  access = 3,
  major = 4,
  minor = 5
};

bpf_insn instruction(int code, Register to, std::uint8_t from, std::size_t offset, int value) {
  bpf_insn made{};
  made.code = static_cast<std::uint8_t>(code);
  made.dst_reg = static_cast<std::uint8_t>(to & 0xf);
  made.src_reg = static_cast<std::uint8_t>(from & 0xf);
  made.off = static_cast<std::int16_t>(offset);
  made.imm = value;
  return made;
}

bpf_insn load(Register to, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, scratch, offset, 0);
}

bpf_insn compute(int operation, Register to, int value) {
  return instruction(BPF_ALU | operation | BPF_K, to, 0, 0, value);
}

bpf_insn copy(Register to, Register from) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0);
}

bpf_insn jump_unless(Register left, int value) {
  return instruction(BPF_JMP | BPF_JNE | BPF_K, left, 0, 0, value);
}

bpf_insn jump_unless_same(Register left, Register right) {
  return instruction(BPF_JMP | BPF_JNE | BPF_X, left, right, 0, 0);
}

bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, result, 0, 0, 0); }

int access_bits(const std::string& letters) {
  int bits = 0;
  if (letters.find('m') != std::string::npos) bits |= BPF_DEVCG_ACC_MKNOD;
  if (letters.find('r') != std::string::npos) bits |= BPF_DEVCG_ACC_READ;
  if (letters.find('w') != std::string::npos) bits |= BPF_DEVCG_ACC_WRITE;
  return bits;
}

// Each condition that does not hold leads behind the rule.
std::vector<bpf_insn> compile_rule(const DeviceRule& rule) {
  std::vector<bpf_insn> code{
      jump_unless(type, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
      copy(scratch, access),  // whether all that is asked for is in the rule
      compute(BPF_AND, scratch, access_bits(rule.access)),
      jump_unless_same(scratch, access),
  };
  if (rule.major) code.push_back(jump_unless(major, static_cast<int>(*rule.major)));
  if (rule.minor) code.push_back(jump_unless(minor, static_cast<int>(*rule.minor)));
  code.push_back(compute(BPF_MOV, result, 1));
  code.push_back(leave());
  for (std::size_t at = 0; at < code.size(); ++at) {
    const bool jumps = BPF_CLASS(code[at].code) == BPF_JMP && BPF_OP(code[at].code) == BPF_JNE;
    if (jumps) code[at].off = static_cast<std::int16_t>(code.size() - at - 1);
  }
  return code;
}

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

}  // namespace

std::vector<bpf_insn> compile_device_program(std::span<const DeviceRule> rules) {
  std::vector<bpf_insn> code{
      load(type, offsetof(bpf_cgroup_dev_ctx, access_type)),  // type below, access above
      compute(BPF_AND, type, 0xffff),
      load(access, offsetof(bpf_cgroup_dev_ctx, access_type)),
      compute(BPF_RSH, access, 16),
      load(major, offsetof(bpf_cgroup_dev_ctx, major)),
      load(minor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (const auto& rule : rules) {
    const auto compiled = compile_rule(rule);
    code.insert(code.end(), compiled.begin(), compiled.end());
  }
  code.push_back(compute(BPF_MOV, result, 0));
  code.push_back(leave());
  return code;
}

base::Fd load_device_program(std::span<const DeviceRule> rules) {
  const auto code = compile_device_program(rules);
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insn_cnt = static_cast<std::uint32_t>(code.size());
  attributes.insns = reinterpret_cast<std::uint64_t>(code.data());
  attributes.license = reinterpret_cast<std::uint64_t>("GPL");  // it calls nothing of the kernel's
  base::Fd program(bpf(BPF_PROG_LOAD, attributes));
  if (program) return program;
  if (errno == ENOSYS || errno == EINVAL) {
    throw base::Error(base::ErrorKind::unsupported,
                      "this kernel has no BPF programs for the devices of a control group",
                      "boot one with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF");
  }
  base::throw_errno("cannot load the BPF program for a box's devices");
}

void attach_device_program(int cgroup, const base::Fd& program) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<std::uint32_t>(cgroup);
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  // Groups above may have programs too; all of them must agree.
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, attributes) != 0) {
    base::throw_errno("cannot put the BPF program for a box's devices on its control group");
  }
}

}  // namespace twinbox::container
