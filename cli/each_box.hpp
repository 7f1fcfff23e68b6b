// What the verbs for boxes that are there have in common: several boxes, and asking a running one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/boxes.hpp"
#include "cli/options.hpp"
#include "supervise/client.hpp"

namespace twinbox::cli {

// Does it; an error is told. The exit status, docker's: 0 or 1.
int tell_errors(const std::function<void()>& act);

// Goes on with the other boxes after an error, and prints the name of each that it did, as it was
// given. The exit status.
int for_each_box(const std::vector<std::string>& references,
                 const std::function<void(const supervise::BoxRecord&)>& act);

// A verb's arguments as one or more boxes, among its flags; nullopt when they asked for help.
// Throws base::Error (usage).
std::optional<std::vector<std::string>> parse_boxes(Options& options,
                                                    const std::vector<std::string>& arguments);
// The same of words that are parsed already, and for a verb that takes one box.
void require_boxes(const std::vector<std::string>& words, const Options& options);
void require_one_box(const std::vector<std::string>& words, const Options& options);

// One question to the supervisor of a box that runs.
//
//   const auto statistics = ask_box<sandbox::Statistics>(
//       record, [](auto& client, auto answer) { client.statistics(answer); });
template <typename T>
T ask_box(const supervise::BoxRecord& record,
          const std::function<void(supervise::BoxClient&, sandbox::Answer<T>)>& question) {
  base::EventLoop loop;
  const auto client = supervise::BoxClient::connect(loop, box_store(), record);
  return supervise::ask<T>(loop, [&](sandbox::Answer<T> answer) { question(*client, answer); });
}
// The same for what is only done.
inline void tell_box(const supervise::BoxRecord& record,
                     const std::function<void(supervise::BoxClient&, sandbox::Done)>& request) {
  ask_box<std::monostate>(record, request);
}

}  // namespace twinbox::cli
