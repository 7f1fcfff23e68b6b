// A machine as libvirt wants it described.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace twinbox::qemu::libvirt {

struct DomainConfig {
  std::string name;
  bool kvm = false;  // false: QEMU emulates the processor
  std::uint64_t memory_bytes = 0;
  unsigned cpus = 1;
  std::filesystem::path emulator;
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::string command_line;
  std::vector<std::filesystem::path> disks;  // read-only images; the first is the guest's vda
  std::string port;                          // of virtio-serial, by the name the guest sees
  std::filesystem::path port_socket;         // made by libvirt; the host connects to it
  std::filesystem::path console;             // takes what the guest prints on its serial line
};

// As many as have their place on the bus.
inline constexpr std::size_t max_disks = 160;

// Throws base::Error (usage) when there are too many disks.
std::string domain_xml(const DomainConfig& config);

}  // namespace twinbox::qemu::libvirt
