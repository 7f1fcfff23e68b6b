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

// What the program is asked is one number, and each rule one comparison with it under a mask: with
// a branch for each part of a rule the kernel's verifier takes longer than all else of a box's
// group.
//
//   63      50 48          32       20          0
//    | nothing | access | type | major | minor |
constexpr unsigned access_shift = 48;
constexpr unsigned type_shift = 32;
constexpr unsigned major_shift = 20;
constexpr std::uint64_t all_access = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
constexpr std::uint64_t type_mask = std::uint64_t{0xffff} << type_shift;
constexpr std::uint64_t largest_major = 0xfff;
constexpr std::uint64_t largest_minor = 0xfffff;

// R1 is the kernel's argument.
enum Register : std::uint8_t { result = 0, argument = 1, asked = 2, masked = 3, scratch = 4 };

bpf_insn instruction(int code, Register to, Register from, std::size_t offset, int value) {
  bpf_insn made{};
  made.code = static_cast<std::uint8_t>(code);
  made.dst_reg = static_cast<std::uint8_t>(to & 0xf);
  made.src_reg = static_cast<std::uint8_t>(from & 0xf);
  made.off = static_cast<std::int16_t>(offset);
  made.imm = value;
  return made;
}

bpf_insn load(Register to, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, argument, offset, 0);
}

bpf_insn shift_left(Register to, unsigned bits) {
  return instruction(BPF_ALU64 | BPF_LSH | BPF_K, to, result, 0, static_cast<int>(bits));
}

bpf_insn compute(int operation, Register to, Register from) {
  return instruction(BPF_ALU64 | operation | BPF_X, to, from, 0, 0);
}

bpf_insn set_result(int value) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, result, result, 0, value);
}

bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, result, result, 0, 0); }

// A number of 64 bits takes two places.
void append_constant(std::vector<bpf_insn>& code, Register to, std::uint64_t value) {
  code.push_back(instruction(BPF_LD | BPF_DW | BPF_IMM, to, result, 0, static_cast<int>(value)));
  code.push_back(instruction(0, result, result, 0, static_cast<int>(value >> 32)));
}

std::uint64_t access_bits(const std::string& letters) {
  std::uint64_t bits = 0;
  if (letters.find('m') != std::string::npos) bits |= BPF_DEVCG_ACC_MKNOD;
  if (letters.find('r') != std::string::npos) bits |= BPF_DEVCG_ACC_READ;
  if (letters.find('w') != std::string::npos) bits |= BPF_DEVCG_ACC_WRITE;
  return bits;
}

// A rule allows what equals `value` in the bits of `mask`: nothing of the access that it does not
// give, its type, and its numbers if it has any.
struct Comparison {
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
};

Comparison comparison_of(const DeviceRule& rule) {
  const std::uint64_t kind = rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  Comparison made{
      .mask = type_mask | (all_access & ~access_bits(rule.access)) << access_shift,
      .value = kind << type_shift,
  };
  if (rule.major) {
    made.mask |= largest_major << major_shift;
    made.value |= std::uint64_t{*rule.major} << major_shift;
  }
  if (rule.minor) {
    made.mask |= largest_minor;
    made.value |= *rule.minor;
  }
  return made;
}

bool may_exist(const DeviceRule& rule) {
  return rule.major.value_or(0) <= largest_major && rule.minor.value_or(0) <= largest_minor;
}

std::vector<bpf_insn> load_what_is_asked() {
  return {load(asked, offsetof(bpf_cgroup_dev_ctx, access_type)),  // the access above the type
          shift_left(asked, type_shift),
          load(scratch, offsetof(bpf_cgroup_dev_ctx, major)),
          shift_left(scratch, major_shift),
          compute(BPF_OR, asked, scratch),
          load(scratch, offsetof(bpf_cgroup_dev_ctx, minor)),
          compute(BPF_OR, asked, scratch)};
}

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

}  // namespace

std::vector<bpf_insn> compile_device_program(std::span<const DeviceRule> rules) {
  auto code = load_what_is_asked();
  std::uint64_t mask = 0;
  std::vector<std::size_t> jumps;
  for (const auto& rule : rules) {
    if (!may_exist(rule)) continue;
    const auto comparison = comparison_of(rule);
    if (mask != comparison.mask) {
      mask = comparison.mask;
      append_constant(code, scratch, mask);
      code.push_back(compute(BPF_MOV, masked, asked));
      code.push_back(compute(BPF_AND, masked, scratch));
    }
    append_constant(code, scratch, comparison.value);
    jumps.push_back(code.size());
    code.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_X, masked, scratch, 0, 0));
  }
  code.push_back(set_result(0));
  code.push_back(leave());
  if (jumps.empty()) return code;  // the verifier takes no code that cannot be reached
  for (const auto at : jumps) code[at].off = static_cast<std::int16_t>(code.size() - at - 1);
  code.push_back(set_result(1));
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
