#ifndef FOREWARN_AGENT_SOURCES_UPDATE_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_UPDATE_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

struct PackageChange {
  absl::string_view action;  // install, upgrade or remove
  std::string package;
  std::string version;  // the new one; of a removed package the old
};

// What one line of dpkg.log tells of a change; nothing for its other lines.
std::optional<PackageChange> ParseDpkgLine(absl::string_view line);

struct WaitingUpdates {
  double all = 0;
  double security = 0;
};

// The text that update-notifier keeps for log-ins; nothing when it counts
// none.
std::optional<WaitingUpdates> ParseUpdatesAvailable(absl::string_view text);

// forewarn.updates.* and forewarn.packages.changes of dpkg and apt, from their
// files only, and an event "forewarn.event.package_change" when packages
// changed since the reading before. kNotFound without dpkg.
class UpdateSource final : public Source {
 public:
  // `files` must outlive it.
  explicit UpdateSource(const HostFiles& files);

  absl::string_view name() const override { return "update"; }
  absl::Duration interval() const override { return absl::Minutes(1); }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  absl::Status FollowLog(const SampleTime& now, ReadingSink& sink);

  const HostFiles& files_;
  bool is_following_ = false;
  uint64_t offset_ = 0;  // in dpkg.log
  uint64_t inode_ = 0;
  uint64_t changes_ = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_UPDATE_SOURCE_H_
