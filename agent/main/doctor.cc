#include "agent/main/doctor.h"

#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/main/state_lock.h"
#include "agent/main/status_file.h"
#include "protos/base/files.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kHandshake = absl::Seconds(10);

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

std::string Stamp(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

}  // namespace

const char* NameOf(Health health) {
  switch (health) {
    case Health::kUnspecified:
      break;
    case Health::kGood:
      return "ok";
    case Health::kWarning:
      return "warning";
    case Health::kFailed:
      return "failed";
  }
  return "unknown";
}

Check CheckConfig(const Settings& settings) {
  return {.name = "configuration",
          .health = Health::kGood,
          .finding = settings.config_read
                         ? absl::StrCat(settings.config_path, " is good")
                         : absl::StrCat("defaults: there is no ",
                                        settings.config_path),
          .remedy = {}};
}

Check CheckState(KeyStore& store) {
  // Looking makes nothing.
  if (access(store.folder().c_str(), F_OK) != 0 && errno == ENOENT) {
    return {.name = "state folder",
            .health = Health::kWarning,
            .finding = absl::StrCat("there is no ", store.folder(), " yet"),
            .remedy = "enroll and run make it"};
  }
  const absl::Status status = store.Prepare();
  if (status.ok()) {
    return {.name = "state folder",
            .health = Health::kGood,
            .finding = absl::StrCat(store.folder(), " is private"),
            .remedy = {}};
  }
  return {.name = "state folder",
          .health = Health::kFailed,
          .finding = Message(status),
          .remedy =
              absl::StrCat("as the user that runs the agent: mkdir -p ",
                           store.folder(), " && chmod 0700 ", store.folder())};
}

Check CheckCertificate(const KeyStore& store, absl::Time now) {
  Check check{.name = "certificate",
              .health = Health::kFailed,
              .finding = {},
              .remedy = {}};
  const std::string enrol =
      "on the collector: forewarn token create; here: forewarn-agent enroll "
      "--token -";
  const absl::StatusOr<Identity> identity = store.Load();
  if (!identity.ok()) {
    check.finding = absl::IsNotFound(identity.status())
                        ? "this machine is not enrolled"
                        : Message(identity.status());
    check.remedy = absl::IsNotFound(identity.status())
                       ? enrol
                       : absl::StrCat(enrol, " --replace");
    return check;
  }
  if (now >= identity->not_after) {
    check.finding = absl::StrCat("expired at ", Stamp(identity->not_after));
    check.remedy =
        "start the agent: it renews the certificate over HTTPS; if the "
        "collector refuses, enrol again with --replace";
    return check;
  }
  if (now < identity->not_before) {
    check.finding =
        absl::StrCat("valid only from ", Stamp(identity->not_before),
                     "; this machine's clock is behind");
    check.remedy = "set the clock: timedatectl set-ntp true";
    return check;
  }
  check.health = Health::kGood;
  check.finding = absl::StrCat("endpoint ", identity->endpoint_id,
                               ", valid until ", Stamp(identity->not_after));
  // Renewal comes at half life; with a quarter left something is wrong.
  if (identity->not_after - now <
      (identity->not_after - identity->not_before) / 4) {
    check.health = Health::kWarning;
    check.remedy = "see why renewal fails: journalctl -u forewarn-agent";
  }
  return check;
}

std::vector<Check> CheckCollectors(const Settings& settings,
                                   const KeyStore& store,
                                   Transport& transport) {
  const absl::StatusOr<Identity> identity = store.Load();
  if (!identity.ok()) return {};  // the certificate's check says so
  std::vector<std::string> collectors = {settings.config.collectors().begin(),
                                         settings.config.collectors().end()};
  if (collectors.empty()) collectors = identity->collectors;
  std::vector<Check> checks;
  bool any = false;
  for (const std::string& collector : collectors) {
    const absl::Status status =
        transport.Probe(collector, *identity, kHandshake);
    any |= status.ok();
    checks.push_back(
        {.name = absl::StrCat("collector ", collector),
         .health = status.ok() ? Health::kGood : Health::kFailed,
         .finding = status.ok() ? "handshake succeeds" : Message(status),
         .remedy = status.ok()
                       ? ""
                       : "check that the collector runs, that its name and "
                         "port are right, and that no firewall is between"});
  }
  // One that answers is enough to work.
  for (Check& check : checks) {
    if (any && check.health == Health::kFailed) {
      check.health = Health::kWarning;
    }
  }
  if (checks.empty()) {
    checks.push_back({.name = "collector",
                      .health = Health::kFailed,
                      .finding = "no collector is known",
                      .remedy = absl::StrCat("name one under `collectors` in ",
                                             settings.config_path)});
  }
  return checks;
}

Check CheckRunning(const Settings& settings, absl::Time now) {
  Check check{
      .name = "agent", .health = Health::kGood, .finding = {}, .remedy = {}};
  const std::optional<int> pid =
      StateLock::Holder(settings.PathInState("agent.lock"));
  if (!pid.has_value()) {
    check.health = Health::kWarning;
    check.finding = "no agent runs on this state folder";
    check.remedy = "systemctl start forewarn-agent, or forewarn-agent run";
    return check;
  }
  const absl::StatusOr<AgentStatus> status =
      ReadStatusFile(base::Files::Posix(), settings.PathInState("status.json"));
  check.finding = absl::StrCat("runs, process ", *pid);
  if (!status.ok()) return check;
  absl::StrAppend(&check.finding, ", ", status->phase);
  if (!status->spool_error.empty()) {
    check.health = Health::kFailed;
    absl::StrAppend(&check.finding, "; ", status->spool_error);
    check.remedy = absl::StrCat("free space under ", settings.state(),
                                " or make it writable");
  } else if (now - status->written_at > absl::Minutes(2)) {
    check.health = Health::kFailed;
    absl::StrAppend(&check.finding, "; has said nothing since ",
                    Stamp(status->written_at));
    check.remedy = "systemctl restart forewarn-agent";
  }
  return check;
}

Check CheckClock() {
  timex state{};
  const int result = adjtimex(&state);
  if (result >= 0 && (state.status & STA_UNSYNC) == 0) {
    return {.name = "clock",
            .health = Health::kGood,
            .finding = "synchronised",
            .remedy = {}};
  }
  // A container or a virtual machine may be kept in time from outside.
  return {.name = "clock",
          .health = Health::kWarning,
          .finding = "the kernel does not know that it is synchronised",
          .remedy = "timedatectl set-ntp true, or install chrony"};
}

Check CheckSource(const SourceReadings& readings) {
  Check check{.name = absl::StrCat("source ", readings.source),
              .health = Health::kGood,
              .finding = absl::StrCat(readings.readings.size(), " series"),
              .remedy = {}};
  const absl::Status& status = readings.status;
  if (status.ok()) return check;
  if (absl::IsNotFound(status) || absl::IsUnimplemented(status)) {
    check.finding = absl::StrCat("nothing of its kind here: ", Message(status));
    return check;
  }
  check.finding = Message(status);
  // An unprivileged agent does without what it may not read.
  check.health =
      absl::IsPermissionDenied(status) ? Health::kWarning : Health::kFailed;
  check.remedy =
      absl::IsPermissionDenied(status)
          ? absl::StrCat("run as root or with the capability it needs, or add ",
                         readings.source, " to disabled_sources")
          : absl::StrCat("see the message; to do without it add ",
                         readings.source, " to disabled_sources");
  return check;
}

}  // namespace forewarn::agent
