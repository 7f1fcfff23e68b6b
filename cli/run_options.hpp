// The flags of `twinbox run`, and the workload that they and an image make.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"
#include "image/store.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::cli {

// As they were given: texts, empty where a flag was not.
struct RunOptions {
  std::string engine = "container";
  std::string memory;
  std::string cpus;
  std::string pids;
  std::vector<std::string> env;
  std::string working_directory;
  std::string user;
  std::string hostname;
  bool read_only = false;
  std::string kernel;
  std::string marks;
  std::string image;
  std::vector<std::string> command;

  // Declares the flags, bound to the fields above.
  void declare(Options& options);
  // Takes what follows the flags. Throws base::Error (usage) when there is no image's name.
  void take_words(std::vector<std::string> words, const Options& options);
};

// Throws base::Error (usage) that names the flag whose value makes no sense.
sandbox::Spec make_spec(const RunOptions& options, const image::PreparedImage& image);

}  // namespace twinbox::cli
