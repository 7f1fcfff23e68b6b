// libarchive's handles as owning pointers, and its errors as ours.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <memory>
#include <string_view>

namespace twinbox::image {

struct ArchiveDeleter {
  // Frees readers and writers alike.
  void operator()(archive* handle) const { ::archive_free(handle); }
  void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};
using ArchiveHandle = std::unique_ptr<archive, ArchiveDeleter>;
using EntryHandle = std::unique_ptr<archive_entry, ArchiveDeleter>;

// Throws base::Error with libarchive's reason unless `result` is success or a mere warning.
void check_archive(archive* handle, int result, std::string_view what);

// libarchive converts names through the locale; in the C locale a name in UTF-8 would be lost. For
// as long as one of these lives the thread's names are UTF-8.
class Utf8Names {
 public:
  Utf8Names();
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names();

 private:
  locale_t own_;
  locale_t previous_;
};

}  // namespace twinbox::image
