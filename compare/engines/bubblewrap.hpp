// bubblewrap: namespaces around a command, without limits of its own.
#pragma once

#include "compare/engines/foreign.hpp"

namespace twinbox::compare {

class Bubblewrap : public ForeignEngine {
 public:
  Bubblewrap(const Plan& plan, std::string name, AdapterContext context)
      : ForeignEngine(plan, std::move(name), std::move(context)) {}

  Engine describe() const override;
  void prepare(const std::string& image) override;
  Launch launch(const LaunchRequest& request) override;
};

}  // namespace twinbox::compare
