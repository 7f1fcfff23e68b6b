// docker and podman: managers with a store of their own, into which our image is loaded.
#pragma once

#include "compare/engines/foreign.hpp"

namespace twinbox::compare {

class OciManager : public ForeignEngine {
 public:
  OciManager(const Plan& plan, std::string name, AdapterContext context)
      : ForeignEngine(plan, std::move(name), std::move(context)) {}

  Engine describe() const override;
  void prepare(const std::string& image) override;
  std::string why_no_import() const override { return {}; }
  ImageImport import_image(const std::string& image) override;
  Launch launch(const LaunchRequest& request) override;
  std::vector<pid_t> further_processes(const LaunchRequest& request) const override;
  // docker's daemon works for the command, and is no child of it.
  bool counts_cpu_time() const override { return !is_docker(); }

 private:
  bool is_docker() const { return settings_.engine == "docker"; }
  std::vector<std::string> command_of(const std::vector<std::string>& arguments) const;
  std::string run(const std::vector<std::string>& arguments, const std::string& what) const;
  std::string name_of(const std::string& image) const;
  std::filesystem::path archive_of(const std::string& image);
  std::vector<std::string> load_of(const std::filesystem::path& archive) const;
  void check_loaded(const std::string& image);
  void remove(const std::string& image);
};

}  // namespace twinbox::compare
