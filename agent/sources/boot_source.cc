#include "agent/sources/boot_source.h"

#include <openssl/sha.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/source_event.h"
#include "agent/sources/text.h"
#include "agent/sources/wtmp.h"
#include "protos/base/files.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kUnexpectedFor = absl::Hours(1);
constexpr absl::Duration kIdentityInterval = absl::Minutes(1);
// How far the clock may have been off when init noted the boot; chosen.
constexpr absl::Duration kBootTolerance = absl::Hours(1);
constexpr size_t kMaxBootId = 64;
constexpr uint64_t kMaxState = 64 << 10;  // bytes; a real one has under 2 KiB
constexpr const char* kWatched[] = {"accounts", "host_name", "machine_id",
                                    "os_version"};

std::string OrderlyPath(const std::string& state_path) {
  return state_path + ".orderly";
}

// One way, for the files may hold secrets.
std::string Checksum(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

// The lines of os-release that change with a version, not with every update
// of the package that ships the file.
absl::StatusOr<std::string> OsVersion(const HostFiles& files) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files.Read("/etc/os-release"));
  std::string version;
  absl::string_view rest = text;
  absl::string_view line;
  while (NextLine(rest, line)) {
    if (absl::StartsWith(line, "ID=") ||
        absl::StartsWith(line, "VERSION_ID=")) {
      absl::StrAppend(&version, line, "\n");
    }
  }
  if (version.empty()) {
    return absl::DataLossError("read /etc/os-release: no ID");
  }
  return version;
}

}  // namespace

absl::Status MarkOrderlyShutdown(const std::string& state_path) {
  return base::Files::Posix().WriteAtomically(OrderlyPath(state_path),
                                              "orderly\n");
}

BootSource::BootSource(const HostFiles& files, std::string state_path)
    : files_(files), state_path_(std::move(state_path)) {}

absl::Status BootSource::Sample(const SampleTime& now, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.ReadLine("/proc/uptime"));
  absl::string_view rest = text;
  double uptime_seconds = 0;
  if (!absl::SimpleAtod(NextField(rest), &uptime_seconds) ||
      !(uptime_seconds >= 0)) {
    return absl::DataLossError("read /proc/uptime: no number");
  }
  const absl::Duration uptime = absl::Seconds(uptime_seconds);
  sink.Accept("system.uptime", uptime_seconds);
  const auto entropy =
      files_.ReadNumber("/proc/sys/kernel/random/entropy_avail");
  if (entropy.ok()) sink.Accept("forewarn.entropy.available", *entropy);

  if (!state_.has_value()) {
    FOREWARN_RETURN_IF_ERROR(LoadState(now, uptime, sink));
  }
  sink.Accept("forewarn.boot.count", static_cast<double>(state_->boots));
  sink.Accept("forewarn.boot.unexpected",
              state_->unexpected && uptime < kUnexpectedFor ? 1 : 0);
  SampleReboot(now, sink);
  SampleIdentity(now, sink);

  if (state_path_.empty() || *state_ == saved_) return absl::OkStatus();
  FOREWARN_RETURN_IF_ERROR(base::Files::Posix().WriteAtomically(
      state_path_, FormatBootState(*state_)));
  saved_ = *state_;
  // Only now: a crash in between must not lose what the mark told.
  return RemoveMark();
}

absl::Status BootSource::LoadState(const SampleTime& now, absl::Duration uptime,
                                   ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string boot_line,
                            files_.ReadLine("/proc/sys/kernel/random/boot_id"));
  std::string boot_id = CleanText(boot_line, kMaxBootId);
  if (boot_id.empty() || absl::StrContains(boot_id, ' ')) {
    return absl::DataLossError(
        "read /proc/sys/kernel/random/boot_id: not an id");
  }
  std::optional<BootState> before;
  if (!state_path_.empty()) {
    const auto text = base::Files::Posix().Read(state_path_, kMaxState);
    if (text.ok()) {
      auto parsed = ParseBootState(*text);
      if (parsed.ok()) {
        before = *std::move(parsed);
      } else {
        base::Log(
            base::LogLevel::kWarning, "boot state starts anew",
            {{"path", state_path_}, {"reason", parsed.status().message()}});
      }
    } else if (!absl::IsNotFound(text.status())) {
      return text.status();
    }
  }
  BootState state = before.value_or(BootState());
  if (state.boot_id == boot_id) {
    // The agent restarted; a shutdown it heard of was called off.
    saved_ = state;
    state_ = std::move(state);
    return RemoveMark();
  }
  state.boot_id = std::move(boot_id);
  state.boots += 1;
  state.unexpected = before.has_value() && !WasOrderly(now, uptime);
  state.reboot_required_since = 0;
  if (before.has_value()) {
    sink.AcceptEvent(
        MakeEvent(now.wall, "boot",
                  {{"forewarn.boot.unexpected", state.unexpected ? "1" : "0"}},
                  state.unexpected ? "booted without an orderly shutdown before"
                                   : "booted"));
  }
  state_ = std::move(state);
  return absl::OkStatus();
}

absl::Status BootSource::RemoveMark() const {
  const absl::Status status =
      base::Files::Posix().Remove(OrderlyPath(state_path_));
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

bool BootSource::WasOrderly(const SampleTime& now,
                            absl::Duration uptime) const {
  if (access(OrderlyPath(state_path_).c_str(), F_OK) == 0) return true;
  const auto wtmp = files_.Read("/var/log/wtmp");
  if (!wtmp.ok()) return false;
  const std::optional<NotedBoot> noted = LastNotedBoot(*wtmp);
  // Not every system notes its boots: an old record tells of another one.
  return noted.has_value() && noted->orderly &&
         absl::AbsDuration(noted->time - (now.wall - uptime)) < kBootTolerance;
}

void BootSource::SampleReboot(const SampleTime& now, ReadingSink& sink) {
  const bool required = files_.Exists("/run/reboot-required") ||
                        files_.Exists("/var/run/reboot-required");
  sink.Accept("forewarn.reboot.required", required ? 1 : 0);
  if (!required) {
    state_->reboot_required_since = 0;
    return;
  }
  const int64_t seconds = absl::ToUnixSeconds(now.wall);
  // A clock that was put back starts the age anew.
  if (state_->reboot_required_since == 0 ||
      state_->reboot_required_since > seconds) {
    state_->reboot_required_since = seconds;
  }
  sink.Accept("forewarn.reboot.required.age",
              static_cast<double>(seconds - state_->reboot_required_since));
}

void BootSource::SampleIdentity(const SampleTime& now, ReadingSink& sink) {
  if (now.since_boot >= identity_due_) {
    identity_due_ = now.since_boot + kIdentityInterval;
    Note(now, "accounts", "accounts.group", files_.Read("/etc/group"), sink);
    Note(now, "accounts", "accounts.passwd", files_.Read("/etc/passwd"), sink);
    Note(now, "accounts", "accounts.shadow", files_.Read("/etc/shadow"), sink);
    Note(now, "host_name", "host_name",
         files_.ReadLine("/proc/sys/kernel/hostname"), sink);
    Note(now, "machine_id", "machine_id", files_.ReadLine("/etc/machine-id"),
         sink);
    Note(now, "os_version", "os_version", OsVersion(files_), sink);
  }
  for (const char* what : kWatched) {
    const auto count = state_->changes.find(what);
    if (count == state_->changes.end()) continue;
    sink.Accept("forewarn.identity.changes", {{"forewarn.identity.what", what}},
                static_cast<double>(count->second));
  }
}

// Compares one part with what it was. What cannot be read (the agent may not
// read shadow) tells nothing.
void BootSource::Note(const SampleTime& now, absl::string_view what,
                      absl::string_view part,
                      const absl::StatusOr<std::string>& text,
                      ReadingSink& sink) {
  if (!text.ok() || text->empty()) return;
  uint64_t& changes = state_->changes[what];
  std::string& known = state_->checksums[part];
  std::string checksum = Checksum(*text);
  if (known == checksum) return;
  const bool is_first = known.empty();
  known = std::move(checksum);
  if (is_first) return;
  ++changes;
  sink.AcceptEvent(MakeEvent(now.wall, "identity_changed",
                             {{"forewarn.identity.what", what}},
                             absl::StrCat(part, " changed")));
}

}  // namespace forewarn::agent
