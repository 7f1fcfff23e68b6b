// Runs twinbox-vmm as twinbox does, with a bare-metal guest.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/monitor_process.hpp"
#include "vmm/monitor_report.hpp"

namespace twinbox::vmm::testing {

// What a monitor did; `serial` is all that its guest printed.
struct MonitorResult {
  MonitorReport report;
  std::string serial;

  EndReason reason() const { return report.end->reason; }
  const MonitorEnd& end() const { return *report.end; }
  bool printed(const std::string& text) const { return serial.find(text) != std::string::npos; }
};

class MonitorFixture : public ::testing::Test {
 protected:
  void SetUp() override;

  MachineConfig config(const std::string& scenario, const std::string& guest = "bare-metal") const;

  // Runs it to its end. `on_text` is called whenever the guest has printed something, with all of
  // it so far.
  using TextHandler = std::function<void(MonitorProcess& monitor, const std::string& text)>;
  MonitorResult run(MachineConfig config, TextHandler on_text = {});
  MonitorResult run(const std::string& scenario) { return run(config(scenario)); }

  std::string scratch(const std::string& name) const { return (directory_.path() / name).string(); }

 private:
  base::TemporaryDirectory directory_;
};

}  // namespace twinbox::vmm::testing
