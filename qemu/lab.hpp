// The lab: an emulated host with hardware virtualization, for machines that have none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace twinbox::qemu {

struct LabOptions {
  std::filesystem::path kernel;               // an uncompressed vmlinux of the stock kernel
  std::optional<std::uint64_t> memory_bytes;  // default: enough for the image and boxes in it
  std::vector<std::string> with;              // further programs, files, directories: see add_extra
};

struct LabExecution {
  std::vector<std::string> args;
  std::optional<std::filesystem::path> out;  // takes what is written to the lab's /out
  bool deterministic = false;
  std::string guest_kernel{};  // $TWINBOX_KERNEL of the command; empty: none
};

// Runs a command in the lab that is kept running, or in a machine of its own when there is none or
// its memory, its extras or determinism ask for that. Returns the command's status.
int lab_exec(const LabOptions& options, const LabExecution& execution);

// Starts the lab that is kept until lab_stop(); one that holds older programs is replaced.
void lab_start(const LabOptions& options);
// False when none was running.
bool lab_stop();

struct LabStatus {
  int supervisor = 0;
  std::uint64_t memory_bytes = 0;
  std::filesystem::path log;
};
// Nullopt when none is running.
std::optional<LabStatus> lab_status();

// Removes what labs left whose processes were killed. Cheap; for the start of every command.
void clean_up_labs();

}  // namespace twinbox::qemu
