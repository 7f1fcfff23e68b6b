#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "qemu/libvirt/library.hpp"
#include "sandbox/paths.hpp"
#include "sandbox/stamp.hpp"

namespace twinbox::qemu::libvirt {
namespace {

std::vector<std::string> own_arguments() {
  std::vector<std::string> arguments;
  const auto text = base::read_file("/proc/self/cmdline");
  for (std::size_t begin = 0; begin < text.size();) {
    arguments.emplace_back(text.c_str() + begin);
    begin += arguments.back().size() + 1;
  }
  return arguments;
}

}  // namespace

const Functions& library() {
  throw base::Error(base::ErrorKind::internal, "libvirt cannot be loaded by a static program");
}

void check_installed() {
  emulator();
  auto arguments = own_arguments();
  std::vector<char*> values;
  for (auto& argument : arguments) values.push_back(argument.data());
  values.push_back(nullptr);
  const auto program = sandbox::program_path("twinbox-qemu");
  std::fflush(nullptr);
  if (sandbox::cpu_counter() >= 0) base::set_cloexec(sandbox::cpu_counter(), false);
  ::execv(program.c_str(), values.data());
  base::throw_errno("cannot execute {}", program.string());
}

}  // namespace twinbox::qemu::libvirt
