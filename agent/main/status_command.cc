#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/main/commands.h"
#include "agent/main/state_lock.h"
#include "agent/main/status_file.h"
#include "agent/main/text_table.h"
#include "protos/base/files.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

std::string Ago(absl::Time time) {
  if (time <= absl::UnixEpoch()) return "never";
  return absl::StrCat(
      absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()), " (",
      absl::FormatDuration(absl::Trunc(absl::Now() - time, absl::Seconds(1))),
      " ago)");
}

std::string Megabytes(uint64_t bytes) {
  return absl::StrCat(bytes / 1024 / 1024, ".", bytes / 1024 % 1024 / 103,
                      " MiB");
}

// Sources that failed, or are long overdue.
std::vector<AgentStatus::SourceStatus> Troubled(const AgentStatus& status) {
  std::vector<AgentStatus::SourceStatus> troubled;
  for (const AgentStatus::SourceStatus& source : status.sources) {
    if (source.failures > 0 ||
        source.age > 3 * source.interval + absl::Minutes(1)) {
      troubled.push_back(source);
    }
  }
  return troubled;
}

void PrintTable(const AgentStatus& status, std::optional<int> pid) {
  std::vector<std::vector<std::string>> rows = {
      {"agent",
       pid.has_value() ? absl::StrCat("runs, process ", *pid) : "does not run"},
      {"endpoint",
       status.endpoint_id.empty() ? "not enrolled" : status.endpoint_id},
      {"connection",
       absl::StrCat(status.phase,
                    status.collector.empty() ? "" : ", collector ",
                    status.collector)},
      {"since", Ago(status.since)},
      {"last ack", Ago(status.last_ack)},
      {"last error", status.last_error.empty() ? "-" : status.last_error},
      {"spool", absl::StrCat(status.spool_batches, " batches, ",
                             Megabytes(status.spool_bytes), " of ",
                             Megabytes(status.spool_limit_bytes),
                             status.spool_error.empty() ? "" : "; ",
                             status.spool_error)},
      {"dropped", absl::StrCat(status.dropped_samples, " samples")},
      {"series", absl::StrCat(status.series, " every ",
                              absl::FormatDuration(status.tick))},
      {"sources", absl::StrCat(status.sources.size())}};
  for (const AgentStatus::SourceStatus& source : Troubled(status)) {
    rows.push_back({"  " + source.name,
                    absl::StrCat(source.failures, " failures, last read ",
                                 absl::FormatDuration(
                                     absl::Trunc(source.age, absl::Seconds(1))),
                                 " before")});
  }
  std::fputs(TextTable(rows).c_str(), stdout);
}

}  // namespace

int StatusCommand(const Settings& settings, const std::string& output) {
  const absl::StatusOr<AgentStatus> status =
      ReadStatusFile(base::Files::Posix(), settings.PathInState("status.json"));
  const std::optional<int> pid =
      StateLock::Holder(settings.PathInState("agent.lock"));
  if (!status.ok()) {
    std::fprintf(stderr, "forewarn-agent: %s%s\n",
                 base::ToLine(status.status()).c_str(),
                 absl::IsNotFound(status.status())
                     ? "; no agent has run on this state folder"
                     : "");
    return 1;
  }
  if (output == "json") {
    std::fputs(status->ToJson(pid.has_value(), pid.value_or(0)).c_str(),
               stdout);
  } else {
    PrintTable(*status, pid);
  }
  return 0;
}

}  // namespace forewarn::agent
