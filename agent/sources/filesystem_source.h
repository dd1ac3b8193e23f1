#ifndef FOREWARN_AGENT_SOURCES_FILESYSTEM_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_FILESYSTEM_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "agent/sources/mount_table.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Space and inodes of the file systems that WatchedMounts names, whether they
// are read-only, and the errors that ext4 and btrfs count.
//
// A file system that is meant to be read-only tells no space: it cannot fill.
// It "turned" read-only if the agent saw it writable before, or if ext4 has
// noted errors in it.
class FilesystemSource final : public Source {
 public:
  // `files` must outlive it.
  explicit FilesystemSource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "filesystem"; }
  // A drive that fails, or a program behind fuseblk, may not answer.
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  struct State {
    Mount mount;
    std::string device;       // the source, cleaned
    std::string mountpoint;   // cleaned
    std::string type;         // cleaned
    std::string errors_path;  // ext4's counter, else empty
    bool was_writable = false;
    uint64_t seen = 0;
  };

  State Inspect(const Mount& mount) const;
  absl::Status SampleOne(State& state, ReadingSink& sink) const;
  void SampleUsage(const State& state, const FilesystemUsage& usage,
                   ReadingSink& sink) const;
  void SampleBtrfs(ReadingSink& sink) const;

  const HostFiles& files_;
  // The mount table changes seldom: it is parsed anew only when it did.
  std::string mountinfo_;
  std::vector<Mount> mounts_;
  absl::flat_hash_map<std::string, State> states_;  // by kernel device
  uint64_t reading_ = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_FILESYSTEM_SOURCE_H_
