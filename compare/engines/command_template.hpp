// Any other engine, by a command of the plan with places for what is to run.
#pragma once

#include "compare/engines/foreign.hpp"

namespace twinbox::compare {

// In the template's words: {image} its name, {rootfs} a mounted root of it, {archive} an archive as
// `docker load` takes it, {files} a directory for what `prepare` makes, {memory} "128m",
// {memory_mib} "128", {cpus} "1", {id} a name that is its own. A word that is {args} becomes the
// words of the workload's command; {kernel_args} is these for a kernel's command line, behind "--".
class CommandTemplate : public ForeignEngine {
 public:
  CommandTemplate(const Plan& plan, std::string name, AdapterContext context)
      : ForeignEngine(plan, std::move(name), std::move(context)) {}

  Engine describe() const override;
  // Runs the template's `prepare` command, where it has one.
  void prepare(const std::string& image) override;
  std::string why_no_import() const override { return "a template tells of no store"; }
  Launch launch(const LaunchRequest& request) override;

 private:
  std::filesystem::path files() const { return context_.scratch / (name_ + "-files"); }
};

// The words of a template with their places filled; `values` by name without braces. Throws
// base::Error (usage) for a place that there is not.
std::vector<std::string> fill_template(const std::vector<std::string>& words,
                                       const std::map<std::string, std::string>& values,
                                       const std::vector<std::string>& args);

}  // namespace twinbox::compare
