// The verbs of the `twinbox` command: each takes the arguments after its name and returns the exit
// status.
#pragma once

#include <string>
#include <vector>

namespace twinbox::cli {

using Arguments = std::vector<std::string>;

int run(const Arguments& arguments);
int image(const Arguments& arguments);
int doctor(const Arguments& arguments);
int boot(const Arguments& arguments);
int lab(const Arguments& arguments);
int compare(const Arguments& arguments);

}  // namespace twinbox::cli
