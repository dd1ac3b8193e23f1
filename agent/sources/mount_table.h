#ifndef FOREWARN_AGENT_SOURCES_MOUNT_TABLE_H_
#define FOREWARN_AGENT_SOURCES_MOUNT_TABLE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace forewarn::agent {

// One file system worth watching.
struct Mount {
  std::string device;      // "254:1", the kernel's number
  std::string source;      // "/dev/vda1", as mounted; may hold any bytes
  std::string mountpoint;  // decoded; may hold any bytes
  std::string type;        // "ext4"
  std::string root;        // "/", or the part of the file system mounted
  bool read_only = false;  // the file system itself, not only this mount

  bool operator==(const Mount&) const = default;
};

// The file systems of /proc/self/mountinfo that can fill up or fail, each
// once, by device.
//
// Left out: pseudo, network and overlay file systems, images (squashfs, iso,
// erofs, anything read-only on a loop device), mounts of containers, and every
// tmpfs but those with a size of their own outside /run, /dev, /sys and /proc.
// Of several mounts of one device that of its root counts, then the shortest
// mount point. Lines that make no sense are skipped.
std::vector<Mount> WatchedMounts(absl::string_view mountinfo);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_MOUNT_TABLE_H_
