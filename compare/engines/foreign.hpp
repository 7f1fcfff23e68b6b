// What engines that are not ours have in common: images in other forms, and a directory per
// instance.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "compare/engines/adapter.hpp"
#include "compare/engines/image_material.hpp"

namespace twinbox::compare {

class ForeignEngine : public Adapter {
 protected:
  ForeignEngine(const Plan& plan, std::string name, AdapterContext context)
      : plan_(plan),
        name_(std::move(name)),
        settings_(plan.settings_of(name_)),
        context_(std::move(context)) {}

  int cpus() const { return settings_.cpus == 0 ? plan_.cpus : settings_.cpus; }
  const ImageMaterial& material(const std::string& image);
  std::filesystem::path directory_of(const LaunchRequest& request) const {
    return context_.scratch / request.id;
  }

  const Plan& plan_;
  std::string name_;
  EngineSettings settings_;
  AdapterContext context_;

 private:
  std::map<std::string, std::unique_ptr<ImageMaterial>> materials_;
};

inline const ImageMaterial& ForeignEngine::material(const std::string& image) {
  auto& material = materials_[image];
  if (!material) material = std::make_unique<ImageMaterial>(image);
  return *material;
}

}  // namespace twinbox::compare
