// twinbox's own engines, each through the command that a user would type.
#pragma once

#include "compare/engines/adapter.hpp"
#include "image/import_marks.hpp"

namespace twinbox::compare {

class OwnEngine : public Adapter {
 public:
  OwnEngine(const Plan& plan, std::string name, AdapterContext context);

  Engine describe() const override;
  void prepare(const std::string& image) override;
  std::string why_no_import() const override { return {}; }
  ImageImport import_image(const std::string& image) override;
  Launch launch(const LaunchRequest& request) override;

 private:
  bool is_machine() const { return settings_.engine == "vm" || settings_.engine == "qemu"; }
  std::string kernel() const;
  // One file for all engines of ours.
  std::filesystem::path archive_of(const std::string& image) const;
  Stretch conversion(const image::ImportMarks& marks) const;

  const Plan& plan_;
  std::string name_;
  EngineSettings settings_;
  AdapterContext context_;
};

}  // namespace twinbox::compare
