// What the monitor is asked to run: a machine, and the descriptors it is connected to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::vmm {

struct DiskConfig {
  std::string path;  // empty: a drive with nothing in it
  bool read_only = false;
  // The guest sees a drive, of a size that says nothing of what is in it, so that a machine which
  // was saved without its disks can go on with them.
  bool drive = false;
};

// A file of the image's memory.
struct ImageFile {
  std::string path;
  std::uint64_t offset = 0;  // in that memory, a multiple of the page size
  std::uint64_t size = 0;
};

// Read-only files in the guest's physical memory beyond its RAM, in a virtio-pmem device.
struct ImageConfig {
  std::uint64_t size = 0;  // of that memory, a multiple of 2 MiB; 0: there is no such device
  std::vector<ImageFile> files;
};

// A virtio-console port whose bytes go to and come from a connected stream socket.
struct PortConfig {
  std::string name;  // the guest finds it as /dev/virtio-ports/NAME
  int descriptor = -1;
};

struct MachineConfig {
  // A snapshot to go on from, in place of kernel, initrd and command line: the machine must have
  // the same size, disks and ports as the one it was taken of.
  std::string snapshot;
  // Where nobody has noted yet what machines write when they go on from it, this one does.
  bool notes_writes = true;
  std::string kernel;    // an uncompressed ELF (vmlinux)
  bool linux64 = false;  // enter it by Linux's 64-bit protocol, not by PVH
  std::string initrd;    // empty: none
  std::string command_line;
  std::uint64_t memory_bytes = 0;
  unsigned cpus = 1;  // 1 to 8
  std::vector<DiskConfig> disks;
  ImageConfig image;
  std::vector<PortConfig> ports;
  // The 16550's far ends; -1: no input, output kept only as the last lines of a report.
  int serial_in = -1;
  int serial_out = -1;
  // Receives JSON lines, see monitor_report.hpp; -1: none, diagnostics go to stderr.
  int report = -1;
  // How long the guest may take until it stamps `booted`, less what it waits for the host's
  // processors; 0, without an agent: for ever.
  std::uint64_t boot_limit_ms = 0;
};

std::string to_json(const MachineConfig& config);
MachineConfig machine_config_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::vmm
