// runc and crun: runtimes that are handed a bundle. They get the config.json that our own container
// engine gets, over a root that is mounted for them.
#pragma once

#include "compare/engines/foreign.hpp"

namespace twinbox::compare {

class OciRuntime : public ForeignEngine {
 public:
  OciRuntime(const Plan& plan, std::string name, AdapterContext context)
      : ForeignEngine(plan, std::move(name), std::move(context)) {}

  Engine describe() const override;
  void prepare(const std::string& image) override;
  Launch launch(const LaunchRequest& request) override;

 private:
  std::string config_of(const LaunchRequest& request);
};

}  // namespace twinbox::compare
