#include "store_fixture.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/syscall.hpp"

namespace twinbox::supervise {

Child::Child(const std::function<int()>& work) : pid_(::fork()) {
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    ::_exit(work());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  ::_exit(99);
}

Child::~Child() {
  if (pid_ > 0) kill();
}

int Child::wait() { return base::shell_status(base::wait_for(std::exchange(pid_, 0))); }

void Child::kill() {
  ::kill(pid_, SIGKILL);
  wait();
}

StoreFixture::StoreFixture() { ::setenv("TWINBOX_ROOT", root_.path().c_str(), 1); }

std::string StoreFixture::make_box(std::string_view name, bool remove_at_end) const {
  return store().create(name, settings_of("container", remove_at_end), {}).record().id;
}

Child StoreFixture::run_box(const std::string& id, Status status) const {
  auto [read_end, write_end] = base::make_pipe();
  Child child([&] {
    auto box = store().own(id);
    box.change([&](BoxRecord& record) {
      record.state.status = status;
      record.state.supervisor = ::getpid();
    });
    base::write_all(write_end.get(), "r");
    while (true) ::pause();
    return 0;
  });
  write_end.reset();
  std::byte ready{};
  EXPECT_EQ(base::read_some(read_end.get(), {&ready, 1}), 1U);
  return child;
}

std::vector<std::string> StoreFixture::sweep() const {
  std::vector<std::string> cleaned;
  store().sweep([&](const std::string&, const std::string& id, const std::filesystem::path&) {
    cleaned.push_back(id);
  });
  return cleaned;
}

BoxSettings settings_of(std::string_view engine, bool remove_at_end) {
  BoxSettings settings;
  settings.image = "busybox";
  settings.engine = engine;
  settings.requested_engine = engine;
  settings.remove_at_end = remove_at_end;
  return settings;
}

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(directory, missing)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace twinbox::supervise
