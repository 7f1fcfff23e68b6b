// The verbs of the `twinbox` command, in groups: each takes the arguments after its name and
// returns the exit status.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::cli {

using Arguments = std::vector<std::string>;

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*function)(const Arguments&);
};

struct VerbGroup {
  std::string_view title;
  std::span<const Verb> verbs;
};

// Boxes and the processes in them are started: verbs_start.cpp.
VerbGroup start_verbs();
// What is done with boxes that are there: verbs_boxes.cpp.
VerbGroup box_verbs();
// Images, and this host: verbs_host.cpp.
VerbGroup host_verbs();

// All of them, in the order of the help.
std::vector<VerbGroup> all_verbs();

int run(const Arguments& arguments);
int create(const Arguments& arguments);
int start(const Arguments& arguments);
int attach(const Arguments& arguments);
int exec(const Arguments& arguments);

int ps(const Arguments& arguments);
int logs(const Arguments& arguments);
int inspect(const Arguments& arguments);
int stop(const Arguments& arguments);
int kill(const Arguments& arguments);
int restart(const Arguments& arguments);
int pause(const Arguments& arguments);
int unpause(const Arguments& arguments);
int wait(const Arguments& arguments);
int rm(const Arguments& arguments);
int stats(const Arguments& arguments);
int top(const Arguments& arguments);
int diff(const Arguments& arguments);
int cp(const Arguments& arguments);
int events(const Arguments& arguments);
int rename(const Arguments& arguments);
int update(const Arguments& arguments);

int image(const Arguments& arguments);
int snapshot(const Arguments& arguments);
int standby(const Arguments& arguments);
int info(const Arguments& arguments);
int completion(const Arguments& arguments);
int doctor(const Arguments& arguments);
int boot(const Arguments& arguments);
int lab(const Arguments& arguments);
int compare(const Arguments& arguments);
// Its words diff and show.
int compare_diff(const Arguments& arguments);
int compare_show(const Arguments& arguments);

}  // namespace twinbox::cli
