#include "agent/sources/update_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/source_event.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kLog = "/var/log/dpkg.log";
constexpr size_t kMaxLogBytes = 1 << 20;  // read at once; the rest comes next
constexpr size_t kMaxNamed = 10;          // packages named in one event

}  // namespace

std::optional<PackageChange> ParseDpkgLine(absl::string_view line) {
  // "2024-05-03 10:12:31 upgrade libssl3:amd64 3.0.11-1 3.0.13-1"
  std::array<absl::string_view, 6> fields;
  if (SplitFields(line, fields) < fields.size()) return std::nullopt;
  const absl::string_view action = fields[2];
  if (action != "install" && action != "upgrade" && action != "remove") {
    return std::nullopt;
  }
  PackageChange change;
  change.action = action == "install"   ? "install"
                  : action == "upgrade" ? "upgrade"
                                        : "remove";
  change.package = CleanText(fields[3].substr(0, fields[3].find(':')), 64);
  change.version = CleanText(action == "remove" ? fields[4] : fields[5], 64);
  return change;
}

std::optional<WaitingUpdates> ParseUpdatesAvailable(absl::string_view text) {
  std::optional<WaitingUpdates> found;
  absl::string_view line;
  while (NextLine(text, line)) {
    absl::string_view words = line;
    uint64_t count = 0;
    if (!ParseCount(NextField(words), count)) continue;
    // What a subscription would add does not wait.
    if (absl::StrContains(words, "additional") ||
        absl::StrContains(words, "ESM")) {
      continue;
    }
    if (!found.has_value()) found.emplace();
    if (absl::StrContains(words, "security")) {
      found->security = static_cast<double>(count);
    } else if (found->all == 0) {
      found->all = static_cast<double>(count);
    }
  }
  return found;
}

UpdateSource::UpdateSource(const HostFiles& files) : files_(files) {}

absl::Status UpdateSource::Sample(const SampleTime& now, ReadingSink& sink) {
  if (!files_.Exists("/var/lib/dpkg/status")) {
    return absl::NotFoundError("read package state: there is no dpkg");
  }
  const auto available =
      files_.Read("/var/lib/update-notifier/updates-available");
  if (available.ok()) {
    if (const auto waiting = ParseUpdatesAvailable(*available)) {
      sink.Accept("forewarn.updates.waiting", {{"forewarn.update.type", "all"}},
                  waiting->all);
      sink.Accept("forewarn.updates.waiting",
                  {{"forewarn.update.type", "security"}}, waiting->security);
    }
  }
  // apt touches one of these each time it has fetched the lists.
  std::optional<absl::Time> fetched;
  for (const char* stamp :
       {"/var/lib/apt/periodic/update-success-stamp",
        "/var/lib/apt/periodic/update-stamp", "/var/lib/apt/lists/partial"}) {
    const auto info = files_.Info(stamp);
    if (!info.ok()) continue;
    fetched = std::max(fetched.value_or(info->modified), info->modified);
  }
  if (fetched.has_value()) {
    sink.Accept("forewarn.updates.oldest",
                std::max(absl::ToDoubleSeconds(now.wall - *fetched), 0.0));
  }
  const absl::Status followed = FollowLog(now, sink);
  if (followed.ok()) {
    sink.Accept("forewarn.packages.changes", static_cast<double>(changes_));
  }
  return absl::IsPermissionDenied(followed) ? absl::OkStatus() : followed;
}

// The log is followed from the agent's start on; a new file in its place is
// read from its beginning.
absl::Status UpdateSource::FollowLog(const SampleTime& now, ReadingSink& sink) {
  const absl::StatusOr<FileInfo> info = files_.Info(kLog);
  if (absl::IsNotFound(info.status())) {
    is_following_ = true;  // what comes in its place is new
    offset_ = 0;
    inode_ = 0;
    return absl::OkStatus();
  }
  if (!info.ok()) return info.status();
  if (!std::exchange(is_following_, true)) offset_ = info->size_bytes;
  if (inode_ != 0 && inode_ != info->inode) offset_ = 0;
  if (info->size_bytes < offset_) offset_ = 0;
  inode_ = info->inode;
  if (info->size_bytes == offset_) return absl::OkStatus();

  FOREWARN_ASSIGN_OR_RETURN(const std::string added,
                            files_.ReadFrom(kLog, offset_, kMaxLogBytes));
  // The last line may not be whole yet; one of this length is none.
  const size_t end = added.rfind('\n');
  const size_t whole = end == std::string::npos ? 0 : end + 1;
  offset_ += whole == 0 && added.size() == kMaxLogBytes ? added.size() : whole;
  absl::string_view text = absl::string_view(added).substr(0, whole);
  absl::string_view line;
  size_t count = 0;
  std::string names;
  std::string message;
  while (NextLine(text, line)) {
    const std::optional<PackageChange> change = ParseDpkgLine(line);
    if (!change.has_value()) continue;
    if (++count > kMaxNamed) continue;
    absl::StrAppend(&names, count == 1 ? "" : ", ", change->package);
    absl::StrAppend(&message, count == 1 ? "" : ", ", change->action, " ",
                    change->package, " ", change->version);
  }
  changes_ += count;
  if (count == 0) return absl::OkStatus();
  if (count > kMaxNamed) {
    message = absl::StrCat(count, " packages: ", message, ", ...");
  }
  sink.AcceptEvent(MakeEvent(now.wall, "package_change",
                             {{"forewarn.package.count", absl::StrCat(count)},
                              {"forewarn.package.names", names}},
                             message));
  return absl::OkStatus();
}

}  // namespace forewarn::agent
