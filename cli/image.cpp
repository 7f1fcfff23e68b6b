// twinbox image: import, ls, rm, verify.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "cli/boxes.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "image/store.hpp"
#include "supervise/snapshot_store.hpp"
#include "vmm/huge_layers.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::cli {
namespace {

struct ImageFlags {
  std::string marks;  // a file
};

struct ImageVerb {
  std::string_view name;
  std::string_view usage;
  std::string_view purpose;
  std::size_t words;
  void (*function)(image::Store& store, const Arguments& words, const ImageFlags& flags);
};

std::string short_id(const std::string& digest) {
  constexpr std::size_t prefix = std::string_view("sha256:").size();
  return digest.empty() ? "damaged" : digest.substr(prefix, 12);
}

// "2026-01-31T12:00:00Z" as "2026-01-31 12:00".
std::string short_time(std::string time) {
  std::ranges::replace(time, 'T', ' ');
  return time.substr(0, 16);
}

void import_image(image::Store& store, const Arguments& words, const ImageFlags& flags) {
  const auto made = store.import(words[0], words[1]);
  if (!flags.marks.empty()) base::write_file(flags.marks, made.marks.to_json());
  vmm::HugeLayers(vmm::templates_directory()).remove_orphans();  // of the one that it replaces
  fmt::print("{} {} {}\n", made.name, short_id(made.id), base::format_size(made.size));
}

void list_images(image::Store& store, const Arguments&, const ImageFlags&) {
  const auto images = store.list();
  std::size_t width = std::string_view("NAME").size();
  for (const auto& image : images) width = std::max(width, image.name.size());
  fmt::print("{:<{}}  {:<12}  {:<16}  {}\n", "NAME", width, "ID", "CREATED", "SIZE");
  for (const auto& image : images) {
    fmt::print("{:<{}}  {:<12}  {:<16}  {}\n", image.name, width, short_id(image.id),
               short_time(image.created),
               image.damage.empty() ? base::format_size(image.size) : image.damage);
  }
}

// A box that does not run, or a snapshot, holds no layer, and needs its image all the same for its
// next start.
void check_unused(image::Store& store, const std::string& name) {
  const auto images = store.list();
  const auto found = std::ranges::find(images, name, &image::ImageSummary::name);
  if (found == images.end() ||
      std::ranges::count(images, found->id, &image::ImageSummary::id) > 1) {
    return;
  }
  for (const auto& snapshot : supervise::SnapshotStore().list()) {
    if (snapshot.box.settings.image_id != found->id) continue;
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("the snapshot '{}' is using the image '{}'", snapshot.name, name),
                      fmt::format("remove it first: twinbox snapshot rm {}", snapshot.name));
  }
  for (const auto& box : box_store().list()) {
    if (box.settings.image_id != found->id) continue;
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("box {} is using the image '{}'", box.name, name),
                      fmt::format("remove it first: twinbox rm {}", box.name));
  }
}

void remove_image(image::Store& store, const Arguments& words, const ImageFlags&) {
  check_unused(store, words[0]);
  store.remove(words[0]);
  vmm::HugeLayers(vmm::templates_directory()).remove_orphans();
}

void verify_image(image::Store& store, const Arguments& words, const ImageFlags&) {
  store.verify(words[0]);
  fmt::print("{}: every blob has its digest\n", words[0]);
}

constexpr std::array image_verbs{
    ImageVerb{"import", "NAME DIRECTORY|TAR",
              "make an image from a directory or a tar (plain, gzip, bzip2, xz, zstd)", 2,
              import_image},
    ImageVerb{"ls", "", "list the images", 0, list_images},
    ImageVerb{"rm", "NAME", "remove an image", 1, remove_image},
    ImageVerb{"verify", "NAME", "check an image's blobs against their digests", 1, verify_image},
};

std::string purpose() {
  std::string text = "Keeps the images that boxes are made of.\n\nVerbs:\n";
  for (const auto& verb : image_verbs) {
    text += fmt::format("  {:<26} {}\n", fmt::format("{} {}", verb.name, verb.usage), verb.purpose);
  }
  return text +
         "\nSOURCE_DATE_EPOCH in the environment is the time that an import notes in its image.\n";
}

const ImageVerb& find_image_verb(const Arguments& words, const std::string& hint) {
  if (words.empty()) {
    throw base::Error(base::ErrorKind::usage, "image: say what to do: import, ls, rm or verify",
                      hint);
  }
  const auto* const found = std::ranges::find(image_verbs, words.front(), &ImageVerb::name);
  if (found != image_verbs.end()) return *found;
  throw base::Error(base::ErrorKind::usage, fmt::format("image: there is no verb '{}'", words[0]),
                    hint);
}

}  // namespace

int image(const Arguments& arguments) {
  Options options("image VERB [ARGUMENTS]", purpose());
  ImageFlags flags;
  options.value("marks", "FILE",
                "of import: write when the image was stored, unpacked and converted (nanoseconds "
                "of CLOCK_MONOTONIC, JSON)",
                flags.marks);
  auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  const auto& verb = find_image_verb(words, options.see_help());
  words.erase(words.begin());
  if (words.size() != verb.words) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("image {} takes {}", verb.name, verb.words == 0 ? "no arguments" : verb.usage),
        options.see_help());
  }
  if (!flags.marks.empty() && verb.name != "import") {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("image {} has no marks: only import has", verb.name),
                      options.see_help());
  }
  image::Store store;
  verb.function(store, words, flags);
  return 0;
}

}  // namespace twinbox::cli
