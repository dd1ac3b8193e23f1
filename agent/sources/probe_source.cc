#include "agent/sources/probe_source.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/source_event.h"
#include "agent/sources/text.h"
#include "google/protobuf/duration.pb.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxProbes = 64;
constexpr size_t kMaxNameBytes = 128;
constexpr absl::Duration kInterval = absl::Minutes(1);
constexpr absl::Duration kTimeout = absl::Seconds(5);
// What a check may take beyond its time-out to say so itself.
constexpr absl::Duration kGrace = absl::Milliseconds(200);

absl::Duration DurationOr(const google::protobuf::Duration& value,
                          absl::Duration otherwise) {
  const absl::Duration duration =
      absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  return duration > absl::ZeroDuration() ? duration : otherwise;
}

}  // namespace

struct ProbeSource::Probe {
  std::string name;
  std::string type;
  std::string target;
  absl::Duration interval;
  absl::Duration timeout;
  absl::Duration due = -absl::InfiniteDuration();  // since boot
  bool has_failed = false;
  // Two lifetimes: the probe's and, when it hangs, its thread's.
  std::shared_ptr<ProbeCheck> check;
  bool is_started = false;
  std::chrono::steady_clock::time_point started;
  TimedCall<ProbeResult> call;
};

ProbeSource::ProbeSource(const v1::AgentConfig& config, MakeCheck make_check)
    : make_check_(std::move(make_check)) {
  absl::flat_hash_set<std::string> names;
  for (const v1::ProbeConfig& given : config.probes()) {
    if (probes_.size() >= kMaxProbes) break;
    if (!names.insert(given.name()).second) continue;
    auto probe = std::make_unique<Probe>();
    probe->name = CleanText(given.name(), kMaxNameBytes);
    probe->type = given.type();
    probe->target = given.target();
    probe->interval = DurationOr(given.interval(), kInterval);
    probe->timeout = DurationOr(given.timeout(), kTimeout);
    interval_ = probes_.empty() ? probe->interval
                                : std::min(interval_, probe->interval);
    probes_.push_back(std::move(probe));
  }
}

ProbeSource::~ProbeSource() {
  for (const auto& probe : probes_) {
    if (probe->check != nullptr) probe->check->Cancel();
  }
}

absl::Status ProbeSource::Sample(const SampleTime& now, ReadingSink& sink) {
  if (probes_.empty()) {
    return absl::NotFoundError("run probes: none is configured");
  }
  std::vector<Probe*> due;
  for (const auto& probe : probes_) {
    // Ticks do not come to the millisecond.
    if (now.since_boot + probe->interval / 10 < probe->due) continue;
    probe->due = now.since_boot + probe->interval;
    due.push_back(probe.get());
    Start(*probe);
  }
  for (Probe* probe : due) Finish(*probe, now, sink);
  return absl::OkStatus();
}

void ProbeSource::Start(Probe& probe) {
  std::shared_ptr<ProbeCheck> check =
      make_check_(probe.type, probe.target, probe.timeout);
  probe.started = std::chrono::steady_clock::now();
  probe.is_started =
      check != nullptr && probe.call.Start([check] { return check->Run(); });
  if (probe.is_started) probe.check = std::move(check);
}

void ProbeSource::Finish(Probe& probe, const SampleTime& now,
                         ReadingSink& sink) {
  ProbeResult result;
  result.status = absl::DeadlineExceededError(
      absl::StrCat("probe ", probe.target, ": no answer"));
  if (probe.is_started) {
    const absl::Duration left =
        probe.timeout + kGrace -
        absl::FromChrono(std::chrono::steady_clock::now() - probe.started);
    if (std::optional<ProbeResult> answer = probe.call.Wait(left)) {
      result = *std::move(answer);
      probe.check.reset();
    } else {
      probe.check->Cancel();
    }
  }
  // Where it is not permitted to ask, nothing is known.
  if (absl::IsUnimplemented(result.status)) return;

  const bool is_up = result.status.ok();
  sink.Accept("forewarn.probe.up",
              {{"forewarn.probe.name", probe.name},
               {"forewarn.probe.type", probe.type}},
              is_up ? 1 : 0);
  if (is_up) {
    sink.Accept("forewarn.probe.duration",
                {{"forewarn.probe.name", probe.name},
                 {"forewarn.probe.type", probe.type}},
                absl::ToDoubleSeconds(result.duration));
  }
  if (result.http_status.has_value()) {
    sink.Accept("forewarn.probe.http.status",
                {{"forewarn.probe.name", probe.name}}, *result.http_status);
  }
  if (result.certificate_expires.has_value()) {
    sink.Accept("forewarn.probe.certificate.time_left",
                {{"forewarn.probe.name", probe.name}},
                absl::ToDoubleSeconds(*result.certificate_expires - now.wall));
  }
  if (!is_up && !std::exchange(probe.has_failed, true)) {
    sink.AcceptEvent(MakeEvent(now.wall, "probe_failed",
                               {{"forewarn.probe.name", probe.name}},
                               result.status.message()));
  }
  if (is_up) probe.has_failed = false;
}

}  // namespace forewarn::agent
