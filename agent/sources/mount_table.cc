#include "agent/sources/mount_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxMounts = 128;   // watched; chosen
constexpr size_t kMaxLines = 65536;  // looked at; chosen

// Types that need no block device by name, yet live on disks.
constexpr absl::string_view kDiskTypes[] = {"bcachefs", "btrfs", "f2fs",
                                            "jffs2",    "ubifs", "zfs"};
constexpr absl::string_view kImageTypes[] = {"cramfs", "erofs",    "iso9660",
                                             "romfs",  "squashfs", "udf"};
// Where others than the machine's owner mount: containers and their layers.
constexpr absl::string_view kForeignFolders[] = {"/snap",
                                                 "/var/lib/containers",
                                                 "/var/lib/containerd",
                                                 "/var/lib/docker",
                                                 "/var/lib/kubelet",
                                                 "/var/lib/lxc",
                                                 "/var/lib/lxd",
                                                 "/var/snap"};
constexpr absl::string_view kKernelFolders[] = {"/dev", "/proc", "/run",
                                                "/sys"};

template <typename Names>
bool Holds(const Names& names, absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// True when `path` lies below one of the folders.
template <typename Folders>
bool LiesIn(const Folders& folders, absl::string_view path) {
  return std::any_of(
      std::begin(folders), std::end(folders), [&](absl::string_view folder) {
        return path.size() > folder.size() && path[folder.size()] == '/' &&
               absl::StartsWith(path, folder);
      });
}

bool HasOption(absl::string_view options, absl::string_view prefix) {
  for (const absl::string_view option : absl::StrSplit(options, ',')) {
    if (absl::StartsWith(option, prefix)) return true;
  }
  return false;
}

bool IsReadOnly(absl::string_view options) {
  for (const absl::string_view option : absl::StrSplit(options, ',')) {
    if (option == "ro") return true;
  }
  return false;
}

bool IsWatched(const Mount& mount, absl::string_view options) {
  // A disk mounted at such a folder itself is the machine's own.
  if (LiesIn(kForeignFolders, mount.mountpoint)) return false;
  if (mount.type == "tmpfs") {
    return HasOption(options, "size=") && !mount.read_only &&
           !Holds(kKernelFolders, mount.mountpoint) &&
           !LiesIn(kKernelFolders, mount.mountpoint);
  }
  if (Holds(kImageTypes, mount.type)) return false;
  if (Holds(kDiskTypes, mount.type)) return true;
  // A program's file system may name any source; only fuseblk has a disk.
  if (!absl::StartsWith(mount.source, "/dev/") ||
      absl::StartsWith(mount.type, "fuse.") || mount.type == "fuse" ||
      mount.type == "overlay" || mount.type == "devtmpfs") {
    return false;
  }
  return !absl::StartsWith(mount.source, "/dev/loop") || !mount.read_only;
}

// "36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/x rw,errors=..."
bool ParseMount(absl::string_view line, Mount& mount,
                absl::string_view& options) {
  std::array<absl::string_view, 6> head;
  if (SplitFields(line, head) < head.size()) return false;
  const size_t dash = line.find(" - ");
  if (dash == absl::string_view::npos) return false;
  std::array<absl::string_view, 3> tail;
  if (SplitFields(line.substr(dash + 3), tail) < tail.size()) return false;
  if (head[4].front() != '/') return false;
  mount.device = std::string(head[2]);
  mount.root = DecodeOctal(head[3]);
  mount.mountpoint = DecodeOctal(head[4]);
  mount.type = std::string(tail[0]);
  mount.source = DecodeOctal(tail[1]);
  options = tail[2];
  // The options of the file system itself: those of the mount alone are also
  // "ro" where a sandbox shows a service the whole tree read-only.
  mount.read_only = IsReadOnly(options);
  return true;
}

bool IsBetter(const Mount& a, const Mount& b) {
  if ((a.root == "/") != (b.root == "/")) return a.root == "/";
  if (a.mountpoint.size() != b.mountpoint.size()) {
    return a.mountpoint.size() < b.mountpoint.size();
  }
  return a.mountpoint < b.mountpoint;
}

}  // namespace

std::vector<Mount> WatchedMounts(absl::string_view mountinfo) {
  // A later mount hides an earlier one at the same place.
  absl::flat_hash_map<std::string, size_t> places;
  std::vector<std::pair<Mount, bool>> mounts;
  absl::string_view line;
  for (size_t lines = 0; lines < kMaxLines && NextLine(mountinfo, line);
       ++lines) {
    Mount mount;
    absl::string_view options;
    if (!ParseMount(line, mount, options)) continue;
    const bool watched = IsWatched(mount, options);
    const auto [place, is_new] =
        places.try_emplace(mount.mountpoint, mounts.size());
    if (!is_new) mounts[place->second].second = false;
    place->second = mounts.size();
    mounts.emplace_back(std::move(mount), watched);
  }
  absl::btree_map<std::string, Mount> by_device;
  for (auto& [mount, watched] : mounts) {
    if (!watched) continue;
    const auto found = by_device.find(mount.device);
    if (found == by_device.end()) {
      if (by_device.size() < kMaxMounts) {
        by_device.emplace(mount.device, std::move(mount));
      }
    } else if (IsBetter(mount, found->second)) {
      found->second = std::move(mount);
    }
  }
  std::vector<Mount> watched;
  watched.reserve(by_device.size());
  for (auto& [device, mount] : by_device) watched.push_back(std::move(mount));
  return watched;
}

}  // namespace forewarn::agent
