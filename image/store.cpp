#include "image/store.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "image/compression.hpp"
#include "image/digest.hpp"
#include "image/import_source.hpp"
#include "image/tar_writer.hpp"
#include "sandbox/owned_directory.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;
using base::JsonView;

constexpr auto manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr auto config_type = "application/vnd.oci.image.config.v1+json";
constexpr auto layer_type = "application/vnd.oci.image.layer.v1.tar+zstd";

// A name as registries allow it: lower case words, parted by single separators, and a tag.
void check_name(const std::string& name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  };
  bool valid = !name.empty() && name.size() <= 255 && is_word(name.front()) && is_word(name.back());
  for (std::size_t i = 1; valid && i < name.size(); ++i) {
    const bool is_separator = std::string_view("._-/:").find(name[i]) != std::string_view::npos;
    valid = is_word(name[i]) || (is_separator && (is_word(name[i - 1]) || name[i - 1] == name[i]));
  }
  if (!valid || name.find("..") != std::string::npos) {
    throw base::Error(ErrorKind::usage, fmt::format("'{}' is not an image name", name),
                      "use letters and digits, parted by . _ - / or : (for example tools/shell:1)");
  }
}

std::string join(const std::map<std::string, Descriptor>& images) {
  std::string names;
  for (const auto& [name, manifest] : images) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

Store::Store(const fs::path& root)
    : root_(root),
      blobs_(root / "images", root / "work"),
      layers_(root / "layers", root / "work"),
      lookups_(root / "cache/images") {}

base::Fd Store::lock() {
  blobs_.prepare();
  auto fd = base::open_file(blobs_.layout(), O_RDONLY | O_DIRECTORY);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) base::throw_errno("cannot lock {}", blobs_.layout().string());
  }
  return fd;
}

ImportedImage Store::import(const std::string& name, const fs::path& source, ImageConfig config) {
  check_name(name);
  const auto told = told_time();
  const auto held = lock();
  try {
    return import_locked(name, source, std::move(config), told);
  } catch (const base::Error& error) {
    drop_unnamed_blobs();
    if (!base::is_out_of_room(error.number())) throw;
    throw base::Error(ErrorKind::system,
                      fmt::format("no room to import {} below {}: {}", source.string(),
                                  root_.string(), error.message()),
                      "make room there, or set TWINBOX_ROOT to another place", error.number());
  }
}

ImportedImage Store::import_locked(const std::string& name, const fs::path& source,
                                   ImageConfig config, std::optional<std::time_t> told) {
  const auto work = sandbox::OwnedDirectory::create(root_ / "work");
  const auto directory = import_directory(source, work.path());
  if (directory == source) check_is_outside(root_, source);
  config.diff_ids.resize(1);
  const auto layer = store_layer(directory, config.diff_ids.front());
  auto images = blobs_.index();
  const auto old = images.find(name);
  if (told) config.created = as_rfc3339(*told);
  if (old == images.end() || !is_same(old->second, config)) {
    if (!told) config.created = as_rfc3339(std::time(nullptr));
    images[name] = store_image(config, layer);
  }
  const auto manifest = images.at(name);
  ImportMarks marks{.stored = base::monotonic_now(), .unpacked = {}, .converted = {}};
  if (const auto times = unpack_missing(read_manifest(manifest), config)) {
    marks.unpacked = times->directory;
    marks.converted = times->disk;
  }
  blobs_.write_index(images);
  collect_garbage();
  return {summary(name, manifest), marks};
}

// Packs, hashes and compresses in one pass over the directory.
Descriptor Store::store_layer(const fs::path& directory, std::string& diff_id) {
  const auto work = sandbox::OwnedDirectory::create(root_ / "work");
  const auto path = work.path() / "layer";
  const auto file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  Descriptor layer{.media_type = layer_type, .digest = {}, .size = 0};
  Sha256 packed;
  Sha256 stored;
  Compressor compressor([&](std::span<const std::byte> bytes) {
    stored.update(bytes);
    layer.size += bytes.size();
    base::write_all(file.get(), bytes);
  });
  write_tar(directory, [&](std::span<const std::byte> bytes) {
    packed.update(bytes);
    compressor.write(bytes);
  });
  compressor.finish();
  diff_id = packed.finish();
  layer.digest = stored.finish();
  blobs_.adopt(path, layer.digest);
  return layer;
}

Descriptor Store::store_image(const ImageConfig& config, const Descriptor& layer) {
  const auto config_blob = blobs_.add(config_type, to_json(config).dump());
  const base::Json manifest{{"schemaVersion", 2},
                            {"mediaType", manifest_type},
                            {"config", to_json(config_blob)},
                            {"layers", base::Json::array({to_json(layer)})}};
  return blobs_.add(manifest_type, manifest.dump());
}

// Whether an image says the same as `config`, which may leave the time open.
bool Store::is_same(const Descriptor& manifest, const ImageConfig& config) const {
  try {
    auto old = read_config(read_manifest(manifest));
    if (config.created.empty()) old.created.clear();
    return to_json(old) == to_json(config);
  } catch (const base::Error&) {
    return false;  // a damaged image is no reason to refuse its replacement
  }
}

Descriptor Store::find(const std::string& name) const {
  const auto images = blobs_.index();
  if (const auto found = images.find(name); found != images.end()) return found->second;
  const auto import = fmt::format("twinbox image import {} DIRECTORY|TAR", name);
  throw base::Error(ErrorKind::not_found, fmt::format("there is no image '{}'", name),
                    images.empty()
                        ? fmt::format("there are no images yet; make one: {}", import)
                        : fmt::format("there is: {}; or make it: {}", join(images), import));
}

Store::Manifest Store::read_manifest(const Descriptor& manifest) const {
  const auto json = blobs_.read_json(manifest.digest);
  const JsonView view(json, "manifest " + manifest.digest);
  Manifest result{.config = descriptor_from(view.at("config")), .layers = {}};
  for (const auto& layer : view.at("layers").elements()) {
    result.layers.push_back(descriptor_from(layer));
  }
  return result;
}

ImageConfig Store::read_config(const Manifest& manifest) const {
  const auto json = blobs_.read_json(manifest.config.digest);
  const JsonView view(json, "config " + manifest.config.digest);
  auto config = config_from(view);
  if (config.diff_ids.size() != manifest.layers.size()) {
    view.at("rootfs").at("diff_ids").fail(fmt::format("{} of them", manifest.layers.size()));
  }
  return config;
}

ImageSummary Store::summary(const std::string& name, const Descriptor& descriptor) const {
  const auto manifest = read_manifest(descriptor);
  ImageSummary result{.name = name,
                      .id = manifest.config.digest,
                      .created = read_config(manifest).created,
                      .size = descriptor.size + manifest.config.size,
                      .damage = {}};
  for (const auto& layer : manifest.layers) result.size += layer.size;
  return result;
}

std::vector<ImageSummary> Store::list() const {
  std::vector<ImageSummary> images;
  for (const auto& [name, manifest] : blobs_.index()) {
    try {
      images.push_back(summary(name, manifest));
    } catch (const base::Error& error) {
      images.push_back(
          {.name = name, .id = {}, .created = {}, .size = 0, .damage = error.message()});
    }
  }
  return images;
}

void Store::remove(const std::string& name) {
  const auto held = lock();
  const auto manifest = find(name);
  auto images = blobs_.index();
  images.erase(name);
  std::set<std::string> used_elsewhere;
  for (const auto& [other, descriptor] : images) {
    used_elsewhere.merge(layers_of(descriptor).value_or(std::set<std::string>{}));
  }
  for (const auto& diff_id : layers_of(manifest).value_or(std::set<std::string>{})) {
    if (used_elsewhere.contains(diff_id) || layers_.remove(diff_id)) continue;
    throw base::Error(ErrorKind::conflict, fmt::format("a box is using the image '{}'", name),
                      "wait for it to end, or end it");
  }
  blobs_.write_index(images);
  lookups_.forget(name);
  collect_garbage();
}

PreparedImage Store::prepare(const std::string& name) {
  try {
    return prepare_found(name, look_up(name));
  } catch (const base::Error&) {
    // Another process may have replaced the image between two of the reads, or a layer has to be
    // unpacked: with the lock held, what is wrong then is wrong.
    if (!fs::exists(blobs_.layout())) throw;
    const auto held = lock();
    const auto contents = read_manifest(find(name));
    unpack_missing(contents, read_config(contents));
    return prepare_found(name, look_up(name));
  }
}

std::string Store::find_name(const std::string& name, const std::string& id) const {
  const auto images = blobs_.index();
  const auto has_id = [&](const Descriptor& image) {
    return read_manifest(image).config.digest == id;
  };
  if (const auto same = images.find(name); same != images.end() && has_id(same->second)) {
    return name;
  }
  for (const auto& [other, image] : images) {
    if (has_id(image)) return other;
  }
  throw base::Error(ErrorKind::not_found,
                    fmt::format("the image '{}' that the box was made of ({}) is gone", name, id),
                    "import it again, or remove the box");
}

PreparedImage Store::prepare(const std::string& name, const std::string& id) {
  return prepare(find_name(name, id));
}

FoundImage Store::look_up(const std::string& name) const {
  if (auto found = lookups_.find(name)) return std::move(*found);
  Witnesses witnesses;
  witnesses.add(blobs_.index_path());
  const auto descriptor = find(name);
  witnesses.add(blobs_.path_of(descriptor.digest));
  const auto manifest = read_manifest(descriptor);
  witnesses.add(blobs_.path_of(manifest.config.digest));
  FoundImage found{.id = manifest.config.digest, .config = read_config(manifest)};
  lookups_.keep(name, found, witnesses);
  return found;
}

PreparedImage Store::prepare_found(const std::string& name, FoundImage found) {
  PreparedImage prepared{.name = name,
                         .id = std::move(found.id),
                         .config = std::move(found.config),
                         .root = {},
                         .locks = {}};
  for (const auto& diff_id : prepared.config.diff_ids) {
    auto layer = layers_.find(diff_id);
    if (!layer) {
      throw base::Error(ErrorKind::not_found,
                        fmt::format("the layer {} of '{}' is not unpacked", diff_id, name));
    }
    prepared.root.directories.push_back(layer->directory);
    prepared.root.disks.push_back(layer->disk);
    prepared.locks.push_back(std::move(layer->lock));
  }
  return prepared;
}

void Store::verify(const std::string& name) const {
  const auto manifest = read_manifest(find(name));
  read_config(manifest);
  for (const auto& layer : manifest.layers) blobs_.verify(layer.digest);
}

std::optional<UnpackTimes> Store::unpack_missing(const Manifest& manifest,
                                                 const ImageConfig& config) {
  std::optional<UnpackTimes> times;
  for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
    if (layers_.find(config.diff_ids[i])) continue;
    blobs_.verify(manifest.layers[i].digest);
    times = layers_.unpack(config.diff_ids[i], blobs_.path_of(manifest.layers[i].digest));
  }
  return times;
}

// None when the image is damaged, so that nothing is known of its layers.
std::optional<std::set<std::string>> Store::layers_of(const Descriptor& manifest) const {
  try {
    const auto ids = read_config(read_manifest(manifest)).diff_ids;
    return std::set<std::string>(ids.begin(), ids.end());
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

void Store::collect_garbage() {
  std::set<std::string> blobs;
  std::set<std::string> layers;
  for (const auto& [name, descriptor] : blobs_.index()) {
    auto ids = layers_of(descriptor);
    if (!ids) return;  // what a damaged image still uses cannot be told from garbage
    layers.merge(*ids);
    const auto manifest = read_manifest(descriptor);
    blobs.insert({descriptor.digest, manifest.config.digest});
    for (const auto& layer : manifest.layers) blobs.insert(layer.digest);
  }
  blobs_.keep_only(blobs);
  layers_.keep_only(layers);
}

void Store::drop_unnamed_blobs() {
  try {
    collect_garbage();
  } catch (const base::Error& error) {
    base::log(base::LogLevel::debug, "unused blobs stay: {}", error.what());
  }
}

void Store::sweep() {
  sandbox::sweep_ownerless(root_ / "work", [&](const fs::path&) {
    // Whoever was killed here may also have stored blobs that no index names.
    const auto held = lock();
    collect_garbage();
  });
}

}  // namespace twinbox::image
