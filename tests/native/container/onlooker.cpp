// A program for a box: looks at every other process that comes into sight and tells what more it
// has than itself. Ends at the end of its input.
#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

namespace {

std::string line_of(const std::string& file, const char* key) {
  std::string found;
  std::FILE* const opened = std::fopen(file.c_str(), "re");
  char line[256];
  while (opened != nullptr && std::fgets(line, sizeof line, opened) != nullptr) {
    if (std::strncmp(line, key, std::strlen(key)) == 0) found = line;
  }
  if (opened != nullptr) std::fclose(opened);
  return found;
}

void compare_directory(const std::string& path) {
  struct stat own {
  }, other{};
  // What cannot be looked at, or has ended, gives nothing away.
  if (::stat("/", &own) != 0 || ::stat(path.c_str(), &other) != 0) return;
  if (own.st_dev == other.st_dev && own.st_ino == other.st_ino) return;
  std::printf("%s is another directory\n", path.c_str());
}

void compare_status(const std::string& process, const char* key) {
  const auto other = line_of(process + "/status", key);
  if (other.empty() || other == line_of("/proc/self/status", key)) return;
  std::printf("%s has another %s", process.c_str(), other.c_str());
}

bool input_ended() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace

int main() {
  std::set<std::string> seen;
  std::puts("looking");
  std::fflush(stdout);
  while (!input_ended()) {
    DIR* const processes = ::opendir("/proc");
    while (const auto* const entry = ::readdir(processes)) {
      const auto path = std::string("/proc/") + entry->d_name;
      const int pid = std::atoi(entry->d_name);
      if (pid <= 1 || pid == ::getpid()) continue;
      seen.insert(path);
      compare_directory(path + "/root");
      compare_directory(path + "/cwd");
      compare_status(path, "CapPrm:");
      compare_status(path, "CapEff:");
      compare_status(path, "Seccomp:");
    }
    ::closedir(processes);
  }
  std::printf("saw %s\n", seen.size() > 10 ? "many" : "few");
  return 0;
}
