#include "guest-images/kernel_modules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::guest_images {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string module_file(const std::string& depends) {
  return "\x7f"
         "ELF..."s +
         "\0license=GPL\0depends="s + depends + "\0name=x\0..."s;
}

TEST(ModuleDependencies, AreReadFromTheModule) {
  EXPECT_THAT(module_dependencies(module_file("virtio,virtio-ring")),
              ElementsAre("virtio", "virtio_ring"));
  EXPECT_THAT(module_dependencies(module_file("")), IsEmpty());
  EXPECT_THAT(module_dependencies("no module at all"), IsEmpty());
}

std::string signed_by(const std::string& module, const std::string& signature) {
  std::string info(12, '\0');
  info[10] = static_cast<char>(signature.size() >> 8);
  info[11] = static_cast<char>(signature.size());
  return module + signature + info + "~Module signature appended~\n";
}

TEST(WithoutSignature, LeavesTheModule) {
  EXPECT_EQ("module", without_signature(signed_by("module", std::string(700, 's'))));
  EXPECT_EQ("module", without_signature("module"));
}

TEST(WithoutSignature, DoesNotBelieveALengthBeyondTheFile) {
  const auto broken = signed_by("m", "").replace(1 + 8, 4, 4, '\xff');
  EXPECT_EQ(broken, without_signature(broken));
  EXPECT_EQ("~Module signature appended~\n", without_signature("~Module signature appended~\n"));
}

class ResolveModules : public testing::Test {
 protected:
  ResolveModules() {
    add("drivers/virtio/virtio.ko", "virtio_ring");
    add("drivers/virtio/virtio_ring.ko", "");
    add("drivers/block/virtio-blk.ko", "virtio,virtio_ring");
    add("fs/erofs.ko", "libcrc32c,built_in");
    add("lib/libcrc32c.ko", "");
    base::write_file(directory_.path() / "modules.builtin", "kernel/lib/built-in.ko\n");
  }
  void add(const std::string& path, const std::string& depends) {
    const auto file = directory_.path() / "kernel" / path;
    base::make_directories(file.parent_path());
    base::write_file(file, module_file(depends));
  }
  std::vector<std::string> resolve(const std::vector<std::string>& wanted) {
    std::vector<std::string> names;
    for (const auto& path : resolve_modules(directory_.path(), wanted)) {
      names.push_back(path.filename());
    }
    return names;
  }

  base::TemporaryDirectory directory_;
};

TEST_F(ResolveModules, PutsDependenciesFirstAndEachOnce) {
  EXPECT_THAT(
      resolve({"virtio_blk", "erofs", "virtio"}),
      ElementsAre("virtio_ring.ko", "virtio.ko", "virtio-blk.ko", "libcrc32c.ko", "erofs.ko"));
}

TEST_F(ResolveModules, LeavesOutWhatIsBuiltIn) { EXPECT_THAT(resolve({"built_in"}), IsEmpty()); }

TEST_F(ResolveModules, NamesAModuleThatIsMissing) {
  try {
    resolve({"no_such"});
    FAIL() << "found a module that is not there";
  } catch (const base::Error& error) {
    EXPECT_EQ(base::ErrorKind::not_found, error.kind());
    EXPECT_THAT(error.message(), HasSubstr("no_such"));
  }
}

TEST_F(ResolveModules, ANamedDirectoryWithoutModulesIsAnError) {
  EXPECT_THROW(resolve_modules(directory_.path() / "lib", {"virtio"}), base::Error);
}

}  // namespace
}  // namespace twinbox::guest_images
