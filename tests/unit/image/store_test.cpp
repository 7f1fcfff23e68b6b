#include "image/store.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "image/digest.hpp"
#include "tests/unit/image/archive_builder.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);  // images that are made a second later differ
    if (base::run_command({"mkfs.erofs", "--help"}).status == 127) return;
    fs::create_directories(source() / "bin");
    base::write_file(source() / "bin/tool", "content");
    has_erofs_ = true;
  }
  ~StoreTest() override { ::unsetenv("SOURCE_DATE_EPOCH"); }
  void SetUp() override {
    if (!has_erofs_) GTEST_SKIP() << "needs mkfs.erofs (package erofs-utils)";
  }

  fs::path root() const { return directory_.path() / "data"; }
  fs::path source() const { return directory_.path() / "source"; }
  fs::path blob(const std::string& digest) const {
    return root() / "images/blobs/sha256" / digest_hex(digest);
  }
  static std::size_t entries(const fs::path& path) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  base::Json blob_json(const std::string& digest) const {
    return base::parse_json(base::read_file(blob(digest)), digest);
  }
  std::string manifest_digest() const {
    const auto index = base::parse_json(base::read_file(root() / "images/index.json"), "index");
    return index["manifests"][0]["digest"];
  }
  std::string layer_digest() const { return blob_json(manifest_digest())["layers"][0]["digest"]; }
  void damage(const std::string& digest) const {
    auto text = base::read_file(blob(digest));
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    base::write_file(blob(digest), text);
  }
  template <typename Action>
  static std::string refusal(Action action) {
    try {
      action();
    } catch (const base::Error& error) {
      return error.message();
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }

  base::TemporaryDirectory directory_;
  bool has_erofs_ = false;
};

TEST_F(StoreTest, FindsAnImageByItsIdWhateverItIsCalledNow) {
  Store store(root());
  store.import("tools", source());
  const auto id = store.prepare("tools").id;
  EXPECT_EQ(store.prepare("tools", id).id, id);
  store.import("kept", source());
  base::write_file(source() / "bin/tool", "other content");
  store.import("tools", source());
  EXPECT_NE(store.prepare("tools").id, id);
  EXPECT_EQ(store.prepare("tools", id).id, id);
  store.remove("kept");
  EXPECT_NE(refusal([&] { store.prepare("tools", id); }).find(id), std::string::npos);
}

TEST_F(StoreTest, IsAnOciImageLayout) {
  Store store(root());
  const auto made = store.import("tools", source());
  EXPECT_NE(base::read_file(root() / "images/oci-layout").find("imageLayoutVersion"),
            std::string::npos);
  const auto index = base::parse_json(base::read_file(root() / "images/index.json"), "index");
  const auto& entry = index["manifests"][0];
  EXPECT_EQ(entry["annotations"]["org.opencontainers.image.ref.name"], "tools");
  const auto manifest = blob_json(entry["digest"]);
  EXPECT_EQ(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(manifest["config"]["digest"], made.id);
  const auto config = blob_json(made.id);
  EXPECT_EQ(config["rootfs"]["diff_ids"].size(), 1U);
  const std::string layer = manifest["layers"][0]["digest"];
  EXPECT_EQ(digest_of_file(blob(layer)), layer);
  EXPECT_EQ(manifest["layers"][0]["size"], fs::file_size(blob(layer)));
}

TEST_F(StoreTest, PreparesBothFormsOfALayer) {
  Store store(root());
  store.import("tools", source());
  const auto prepared = store.prepare("tools");
  ASSERT_EQ(prepared.root.directories.size(), 1U);
  EXPECT_EQ(base::read_file(prepared.root.directories[0] / "bin/tool"), "content");
  const auto disk = base::read_file(prepared.root.disks.at(0));
  ASSERT_GT(disk.size(), 1028U);
  EXPECT_EQ(disk.substr(1024, 4), "\xe2\xe1\xf5\xe0") << "erofs' magic number";
}

TEST_F(StoreTest, TellsWhenEachFormOfALayerWasReady) {
  Store store(root());
  const auto marks = store.import("tools", source()).marks;
  ASSERT_TRUE(marks.unpacked && marks.converted);
  EXPECT_LT(marks.stored, *marks.unpacked);
  EXPECT_LT(*marks.unpacked, *marks.converted);
  const auto again = store.import("tools", source()).marks;
  EXPECT_GT(again.stored, *marks.converted);
  EXPECT_FALSE(again.unpacked || again.converted) << "it was there";
}

TEST_F(StoreTest, MakesTheSameLayerAndDiskFromTheSameContent) {
  Store(root()).import("tools", source());
  const auto other = directory_.path() / "other";
  Store(other).import("tools", source());
  const auto first = Store(root()).prepare("tools");
  const auto second = Store(other).prepare("tools");
  EXPECT_EQ(first.config.diff_ids, second.config.diff_ids);
  EXPECT_EQ(digest_of_file(first.root.disks[0]), digest_of_file(second.root.disks[0]));
}

TEST_F(StoreTest, StampsAnImageWithTheTimeItIsTold) {
  Store store(root());
  EXPECT_EQ(store.list().size(), 0U);
  const auto made = store.import("tools", source());
  EXPECT_EQ(blob_json(made.id)["created"], "2023-11-14T22:13:20Z");
  for (const auto* const none : {"yesterday", "-1", "253402300800", ""}) {
    ::setenv("SOURCE_DATE_EPOCH", none, 1);
    EXPECT_NE(refusal([&] { store.import("others", source()); }).find("SOURCE_DATE_EPOCH"),
              std::string::npos)
        << none;
  }
  ::setenv("SOURCE_DATE_EPOCH", "0", 1);
  const auto older = store.import("tools", source()).id;
  EXPECT_NE(older, made.id);
  ::unsetenv("SOURCE_DATE_EPOCH");
  EXPECT_EQ(store.import("tools", source()).id, older) << "nothing has changed";
  EXPECT_NE(store.import("others", source()).id, older);
}

TEST_F(StoreTest, KeepsAnImageThatIsImportedAgainUnchanged) {
  Store store(root());
  const auto first = store.import("tools", source());
  const auto again = store.import("tools", source());
  EXPECT_EQ(first.id, again.id);
  EXPECT_EQ(store.list().size(), 1U);
}

TEST_F(StoreTest, ReplacesAnImageAndDropsWhatNothingUses) {
  Store store(root());
  store.import("tools", source());
  base::write_file(source() / "bin/tool", "changed");
  store.import("tools", source());
  EXPECT_EQ(base::read_file(store.prepare("tools").root.directories[0] / "bin/tool"), "changed");
  EXPECT_EQ(entries(root() / "images/blobs/sha256"), 3U) << "manifest, config, layer";
  EXPECT_EQ(entries(root() / "layers"), 1U);
  EXPECT_EQ(entries(root() / "work"), 0U);
}

TEST_F(StoreTest, ImportsTarsOfEveryKind) {
  Store store(root());
  const auto tar = directory_.path() / "root.tar";
  TarBuilder().directory("./").file("./etc/name", "box").save(tar);
  store.import("plain", tar);
  EXPECT_EQ(base::read_file(store.prepare("plain").root.directories[0] / "etc/name"), "box");
  for (const std::string program : {"gzip", "xz", "bzip2", "zstd"}) {
    const auto packed = base::run_command({program, "-c", tar.string()});
    if (packed.status == 127) continue;  // the formats themselves are tested one by one elsewhere
    base::write_file(directory_.path() / program, packed.out);
    store.import(program, directory_.path() / program);
    EXPECT_EQ(base::read_file(store.prepare(program).root.directories[0] / "etc/name"), "box");
  }
}

TEST_F(StoreTest, RefusesAHostileTarAndLeavesNothing) {
  Store store(root());
  const auto tar = directory_.path() / "evil.tar";
  TarBuilder().file("good", "x").file("../../../evil", "x").save(tar);
  EXPECT_NE(refusal([&] { store.import("evil", tar); }).find("'../../../evil' leads out"),
            std::string::npos);
  EXPECT_TRUE(store.list().empty());
  EXPECT_EQ(entries(root() / "images/blobs/sha256"), 0U);
  EXPECT_EQ(entries(root() / "work"), 0U);
}

TEST_F(StoreTest, RefusesWhatIsNoImage) {
  Store store(root());
  base::write_file(directory_.path() / "text", "not an archive");
  EXPECT_NE(refusal([&] { store.import("text", directory_.path() / "text"); }).find("text"),
            std::string::npos);
  EXPECT_NE(refusal([&] { store.import("none", directory_.path() / "none"); }).find("there is no"),
            std::string::npos);
  EXPECT_NE(refusal([&] { store.import("self", directory_.path()); }).find("own data"),
            std::string::npos);
  for (const auto* const name : {"", "a b", "../a", "a..b", "/a", "a/", "-a", "a\n"}) {
    EXPECT_THROW(store.import(name, source()), base::Error) << name;
  }
  for (const auto* const name : {"a", "a/b:1.0", "localhost:5000/tools/shell:latest", "A_b-c"}) {
    EXPECT_NO_THROW(store.import(name, source())) << name;
  }
}

TEST_F(StoreTest, NamesTheImagesThereAreWhenOneIsUnknown) {
  Store store(root());
  EXPECT_NE(refusal([&] { store.prepare("tools"); }).find("no image 'tools'"), std::string::npos);
  store.import("tools", source());
  try {
    store.prepare("tool");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
    EXPECT_NE(error.hint().find("there is: tools"), std::string::npos);
    EXPECT_NE(error.hint().find("twinbox image import tool"), std::string::npos);
  }
}

TEST_F(StoreTest, NamesTheDigestOfEveryCorruptBlob) {
  Store store(root());
  const auto id = store.import("tools", source()).id;
  for (const auto& digest : {layer_digest(), id, manifest_digest()}) {
    damage(digest);
    EXPECT_NE(refusal([&] { store.verify("tools"); }).find(digest), std::string::npos);
    damage(digest);  // flips the bit back
    EXPECT_NO_THROW(store.verify("tools"));
  }
}

TEST_F(StoreTest, NeverUnpacksACorruptLayer) {
  Store store(root());
  store.import("tools", source());
  const auto digest = layer_digest();
  fs::remove_all(root() / "layers");
  damage(digest);
  EXPECT_NE(refusal([&] { store.prepare("tools"); }).find(digest), std::string::npos);
  EXPECT_FALSE(fs::exists(root() / "layers") && entries(root() / "layers") > 0);
  damage(digest);
  EXPECT_EQ(base::read_file(store.prepare("tools").root.directories[0] / "bin/tool"), "content")
      << "a sound layer is unpacked again";
}

TEST_F(StoreTest, StillListsRemovesAndReplacesADamagedImage) {
  Store store(root());
  const auto id = store.import("tools", source()).id;
  damage(id);
  const auto images = store.list();
  ASSERT_EQ(images.size(), 1U);
  EXPECT_NE(images[0].damage.find(id), std::string::npos);
  store.import("tools", source());
  EXPECT_TRUE(store.list().at(0).damage.empty());
  damage(store.list().at(0).id);
  store.remove("tools");
  EXPECT_TRUE(store.list().empty());
}

TEST_F(StoreTest, RemovesAnImageOnlyWhileNoBoxUsesIt) {
  Store store(root());
  store.import("tools", source());
  {
    const auto in_use = store.prepare("tools");
    EXPECT_NE(refusal([&] { store.remove("tools"); }).find("a box is using"), std::string::npos);
    EXPECT_TRUE(fs::exists(in_use.root.disks[0]));
  }
  store.remove("tools");
  EXPECT_EQ(entries(root() / "layers"), 0U);
  EXPECT_EQ(entries(root() / "images/blobs/sha256"), 0U);
}

TEST_F(StoreTest, KeepsALayerThatAnotherImageShares) {
  Store store(root());
  store.import("one", source());
  store.import("two", source());
  store.remove("one");
  EXPECT_EQ(base::read_file(store.prepare("two").root.directories[0] / "bin/tool"), "content");
}

TEST_F(StoreTest, SweepsWhatAKilledImportLeft) {
  Store store(root());
  store.import("tools", source());
  const auto before = entries(root() / "images/blobs/sha256");
  fs::create_directories(root() / "work/0123456789ab/layer/root");
  base::write_file(blob(digest_of("orphan")), "orphan");
  store.sweep();
  EXPECT_EQ(entries(root() / "work"), 0U);
  EXPECT_EQ(entries(root() / "images/blobs/sha256"), before);
}

TEST_F(StoreTest, TakesConcurrentImportsAndReaders) {
  Store(root()).import("shared", source());
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        try {
          Store store(root());
          store.import("own" + std::to_string(i), source());
          for (int run = 0; run < 20; ++run) store.prepare("shared");
        } catch (const std::exception&) {
          ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Store(root()).list().size(), 4U);
}

TEST_F(StoreTest, SaysThatTheDiskIsFullAndLeavesNothing) {
  fs::create_directory(root());
  // In a mount namespace of our own: whatever happens here, the host keeps no mount.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "needs the right to mount";
  }
  std::string noise(1 << 20, '\0');
  unsigned state = 1;
  for (auto& byte : noise)
    byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  base::write_file(source() / "noise", noise);
  {
    Store store(root());
    EXPECT_NE(refusal([&] { store.import("big", source()); }).find("No space left on device"),
              std::string::npos);
    EXPECT_TRUE(store.list().empty());
    EXPECT_EQ(entries(root() / "work"), 0U);
  }
  ::umount2(root().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace twinbox::image
