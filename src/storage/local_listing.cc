#include "storage/local_listing.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "storage/object_key.h"
#include "storage/posix_file.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

enum class EntryKind { kFile, kFolder, kOther };

struct Entry {
  std::string name;
  EntryKind kind;
};

EntryKind KindOfMode(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::kFile;
  return S_ISDIR(mode) ? EntryKind::kFolder : EntryKind::kOther;
}

// kOther when it is gone meanwhile or a dangling link.
Result<EntryKind> KindOf(const fs::path& folder, const dirent& entry) {
  if (entry.d_type == DT_REG) return EntryKind::kFile;
  if (entry.d_type == DT_DIR) return EntryKind::kFolder;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return EntryKind::kOther;
  struct stat info{};
  const fs::path path = folder / entry.d_name;
  if (::stat(path.c_str(), &info) == 0) return KindOfMode(info.st_mode);
  if (errno == ENOENT) return EntryKind::kOther;
  return FailErrno(errno, "look at", path);
}

// Files and folders in it whose name begins with `begin`, unordered; a missing folder has none.
Result<std::vector<Entry>> Entries(const fs::path& folder, std::string_view begin) {
  std::vector<Entry> entries;
  const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
  if (!open) {
    if (errno == ENOENT || errno == ENOTDIR) return entries;
    return FailErrno(errno, "list", folder);
  }
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || !name.starts_with(begin)) continue;
    VL_TRY(const EntryKind kind, KindOf(folder, *entry));
    if (kind != EntryKind::kOther) entries.push_back({std::string(name), kind});
  }
  if (errno != 0) return FailErrno(errno, "list", folder);
  return entries;
}

class Walk {
 public:
  Walk(const fs::path& root, std::string_view start_after)
      : root_(root), start_after_(start_after) {}

  // `folder` is "" or ends in '/'.
  Status Into(const std::string& folder, std::string_view begin) {
    VL_TRY(const std::vector<Entry> entries, Entries(root_ / folder, begin));
    for (const Entry& entry : entries) {
      const std::string key = folder + entry.name;
      VL_RETURN_IF_ERROR(entry.kind == EntryKind::kFile ? File(key) : Folder(key + '/'));
    }
    return {};
  }

  std::vector<ObjectInfo> Take() {
    std::ranges::sort(found_, {}, &ObjectInfo::key);
    return std::move(found_);
  }

 private:
  Status Folder(const std::string& folder) {
    if (folder == kStagingPrefix) return {};
    const bool all_before = folder < start_after_ && !start_after_.starts_with(folder);
    return all_before ? Status{} : Into(folder, "");
  }

  Status File(const std::string& key) {
    if (key <= start_after_) return {};
    struct stat info{};
    const fs::path path = root_ / key;
    if (::stat(path.c_str(), &info) != 0) {
      if (errno == ENOENT) return {};
      return FailErrno(errno, "look at", path);
    }
    if (S_ISREG(info.st_mode)) found_.push_back({key, info.st_size, ModifiedMicros(info)});
    return {};
  }

  const fs::path& root_;
  std::string_view start_after_;
  std::vector<ObjectInfo> found_;
};

std::string_view FolderOf(std::string_view prefix) {
  const size_t slash = prefix.rfind('/');
  return slash == std::string_view::npos ? "" : prefix.substr(0, slash + 1);
}

// Staging is no folder of objects; the one above it is none while it holds nothing else.
Result<bool> IsForStagingOnly(const fs::path& root, const std::string& folder) {
  if (folder == kStagingPrefix) return true;
  if (!kStagingPrefix.starts_with(folder)) return false;
  VL_TRY(const std::vector<Entry> entries, Entries(root / folder, ""));
  return std::ranges::all_of(
      entries, [&](const Entry& entry) { return folder + entry.name + '/' == kStagingPrefix; });
}

}  // namespace

Micros ModifiedMicros(const struct stat& info) {
  return static_cast<Micros>(info.st_mtim.tv_sec) * 1'000'000 + info.st_mtim.tv_nsec / 1000;
}

Result<std::vector<ObjectInfo>> ListObjects(const fs::path& root, std::string_view prefix,
                                            std::string_view start_after) {
  const std::string_view folder = FolderOf(prefix);
  if (folder.starts_with(kStagingPrefix)) return {};
  Walk walk(root, start_after);
  VL_RETURN_IF_ERROR(walk.Into(std::string(folder), prefix.substr(folder.size())));
  return walk.Take();
}

Result<std::vector<std::string>> ListNames(const fs::path& root, std::string_view prefix) {
  std::vector<std::string> names;
  if (prefix.starts_with(kStagingPrefix)) return names;
  VL_TRY(std::vector<Entry> entries, Entries(root / prefix, ""));
  for (Entry& entry : entries) {
    if (entry.kind == EntryKind::kFolder) {
      const std::string folder = std::string(prefix) + entry.name + '/';
      VL_TRY(const bool hidden, IsForStagingOnly(root, folder));
      if (hidden) continue;
      entry.name += '/';
    }
    names.push_back(std::move(entry.name));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace vitalake::storage
