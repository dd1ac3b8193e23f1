#include "collector/detect/anomaly_watch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

struct Prefix {
  const char* metric;
  const char* subsystem;
};
// The longest match stands first.
constexpr Prefix kSubsystems[] = {
    {"forewarn.agent.", "agent"},
    {"forewarn.battery.", "power"},
    {"forewarn.certificate.", "certificate"},
    {"forewarn.clock.", "clock"},
    {"forewarn.cpu.", "cpu"},
    {"forewarn.disk.", "disk"},
    {"forewarn.fan.", "thermal"},
    {"forewarn.files.", "process"},
    {"forewarn.filesystem.", "filesystem"},
    {"forewarn.gateway.", "network"},
    {"forewarn.load_per_core.", "cpu"},
    {"forewarn.memory.", "memory"},
    {"forewarn.network.", "network"},
    {"forewarn.nvme.", "disk"},
    {"forewarn.power.", "power"},
    {"forewarn.probe.", "probe"},
    {"forewarn.process.", "process"},
    {"forewarn.raid.", "disk"},
    {"forewarn.resolver.", "network"},
    {"forewarn.smart.", "disk"},
    {"forewarn.systemd.", "service"},
    {"forewarn.thermal.", "thermal"},
    {"hw.battery.", "power"},
    {"hw.fan.", "thermal"},
    {"hw.physical_disk.", "disk"},
    {"hw.temperature", "thermal"},
    {"system.cpu.", "cpu"},
    {"system.disk.", "disk"},
    {"system.filesystem.", "filesystem"},
    {"system.memory.", "memory"},
    {"system.network.", "network"},
    {"system.paging.", "memory"},
    {"system.process.", "process"},
};

// What stands under pressure, or what the kernel complains of.
constexpr Prefix kAbout[] = {
    {"cpu", "cpu"},           {"filesystem_error", "filesystem"},
    {"hung_task", "process"}, {"io", "disk"},
    {"io_error", "disk"},     {"link_down", "network"},
    {"memory", "memory"},     {"nvme_error", "disk"},
    {"oom_kill", "memory"},   {"segfault", "process"},
};

struct Felt {
  const char* metric;
  float floor;
};
// What users feel, and from where on: chosen well above the usual.
constexpr Felt kFelt[] = {
    {"forewarn.disk.latency", 0.05F},
    {"forewarn.gateway.loss", 0.05F},
    {"forewarn.gateway.rtt", 0.15F},
    {"forewarn.network.error.ratio", 0.01F},
    {"forewarn.network.tcp.retransmit.ratio", 0.05F},
    {"forewarn.pressure.share", 0.2F},
    {"forewarn.probe.duration", 1.0F},
    {"forewarn.resolver.duration", 0.5F},
};

// Chosen: one in thirty thousand, kept up over minutes, opens.
constexpr float kOpens = 0.45F;
constexpr float kClears = 0.25F;
// What users feel still counts when the detector begins to get used to it.
constexpr float kFeltStill = 0.35F;
constexpr absl::Duration kSmoothing = absl::Minutes(2);
constexpr absl::Duration kClearHold = absl::Minutes(10);
// Nobody is called before two nights have been seen.
constexpr absl::Duration kKnown = absl::Hours(48);
constexpr absl::Duration kLasts = absl::Minutes(30);
constexpr absl::Duration kLastsLong = absl::Hours(1);
// Of an endpoint's series some turn odd a minute later than others.
constexpr float kHeld = 0.7F;
constexpr int kSeveral = 4;  // metrics, this one counted in
constexpr size_t kMaxStanding = 20;

}  // namespace

absl::string_view SubsystemOf(const wire::SeriesDefinition& definition) {
  const absl::string_view metric = definition.metric;
  // Of these an attribute tells what it is about.
  const absl::string_view about =
      absl::StartsWith(metric, "forewarn.pressure.")
          ? wire::AttributeValue(definition.attributes,
                                 "forewarn.pressure.resource")
      : metric == "forewarn.kernel.log.events"
          ? wire::AttributeValue(definition.attributes,
                                 "forewarn.kernel.log.type")
          : "";
  for (const Prefix& kind : kAbout) {
    if (about == kind.metric) return kind.subsystem;
  }
  for (const Prefix& prefix : kSubsystems) {
    if (absl::StartsWith(metric, prefix.metric)) return prefix.subsystem;
  }
  return "system";
}

void AnomalyWatch::Define(uint32_t series,
                          const wire::SeriesDefinition& definition) {
  while (states_.size() < series) {
    states_.emplace_back(wire::MetricKind::kState, 0);
    states_.back().may_speak = false;
  }
  State state(definition.kind, definition.digits);
  const absl::string_view subsystem = SubsystemOf(definition);
  // States have rules; what always grows is no anomaly; the agent's own
  // figures are shown, not told.
  state.may_speak = definition.kind != wire::MetricKind::kState &&
                    definition.metric != "system.uptime" &&
                    subsystem != "agent";
  const auto* place = std::find_if(
      std::begin(kSubsystems), std::end(kSubsystems),
      [subsystem](const Prefix& p) { return p.subsystem == subsystem; });
  state.subsystem = static_cast<uint8_t>(place - std::begin(kSubsystems));
  for (const Felt& felt : kFelt) {
    if (definition.metric == felt.metric) state.felt_floor = felt.floor;
  }
  const auto known =
      std::find(metrics_.begin(), metrics_.end(), definition.metric);
  state.metric_group =
      static_cast<uint8_t>(std::min<size_t>(known - metrics_.begin(), 255));
  if (known == metrics_.end() && metrics_.size() < 255) {
    metrics_.push_back(definition.metric);
  }
  speakers_ += state.may_speak ? 1 : 0;
  if (series < states_.size()) {
    speakers_ -= states_[series].may_speak ? 1 : 0;
    states_[series] = state;
  } else {
    states_.push_back(state);
  }
}

void AnomalyWatch::Observe(absl::Time time, uint32_t series, double value) {
  if (series >= states_.size()) return;
  State& state = states_[series];
  if (!state.detector.Observe(time, value)) return;
  const double score = state.detector.score();
  if (state.may_speak) {
    const double weight = EndpointOddness::Weight(
        state.detector.surprise(), state.detector.outcry(), speakers_);
    state.weight = std::max(static_cast<float>(weight), state.weight * kHeld);
    judged_ = true;
  }
  const absl::Duration since = std::min(time - state.last, kSmoothing);
  state.first = std::min(state.first, time);
  state.last = time;
  state.value = static_cast<float>(value);
  const double share = SecondsOf(since) / SecondsOf(since + kSmoothing);
  state.strength += static_cast<float>(share * (score - state.strength));
  if (!state.may_speak) return;
  if (!state.stands) {
    if (state.strength < kOpens || standing_.size() >= kMaxStanding) return;
    state.stands = true;
    state.since = time;
    state.weak_since = absl::InfiniteFuture();
    state.priority = v1::INFO;
    standing_.insert(
        std::lower_bound(standing_.begin(), standing_.end(), series), series);
    return;
  }
  if (state.strength >= kClears) {
    state.weak_since = absl::InfiniteFuture();
    return;
  }
  state.weak_since = std::min(state.weak_since, time);
  if (time - state.weak_since >= kClearHold) Forget(series);
}

void AnomalyWatch::Forget(uint32_t series) {
  if (series >= states_.size() || !states_[series].stands) return;
  states_[series].stands = false;
  standing_.erase(std::lower_bound(standing_.begin(), standing_.end(), series));
}

v1::Priority AnomalyWatch::PriorityOf(absl::Time time,
                                      const State& state) const {
  if (time - state.since < kLasts || state.since - state.first < kKnown) {
    return v1::INFO;
  }
  const bool felt = state.felt_floor > 0 && state.strength >= kFeltStill &&
                    state.value > state.felt_floor &&
                    state.value > state.detector.expected_high();
  // Others of the subsystem that are strong and last, each metric once, and
  // none of them stronger: only the strongest speaks for them.
  std::array<bool, 256> counted{};
  counted[state.metric_group] = true;
  int metrics = 1;
  bool strongest = true;
  for (const uint32_t series : standing_) {
    const State& other = states_[series];
    if (&other == &state || other.subsystem != state.subsystem ||
        other.strength < kOpens || time - other.since < kLasts) {
      continue;
    }
    if (other.strength > state.strength) strongest = false;
    if (!counted[other.metric_group]) ++metrics;
    counted[other.metric_group] = true;
  }
  const bool several = state.strength >= kOpens && metrics >= kSeveral &&
                       time - state.since >= kLastsLong;
  if (felt && several) return v1::P3;
  return felt || (several && strongest) ? v1::P4 : v1::INFO;
}

void AnomalyWatch::JudgeEndpoint(absl::Time time) {
  oddness_.Begin();
  for (const State& state : states_) {
    if (state.weight > 0) oddness_.Add(state.weight);
  }
  oddness_.Finish(time, speakers_);
}

const std::vector<AnomalyWatch::Finding>& AnomalyWatch::Decide(
    absl::Time time) {
  if (std::exchange(judged_, false)) JudgeEndpoint(time);
  findings_.clear();
  for (const uint32_t series : standing_) {
    State& state = states_[series];
    // Once raised it stays so until it clears: no ticket is taken back.
    state.priority = std::min(state.priority, PriorityOf(time, state));
    findings_.push_back({series, state.priority, state.strength, state.since});
  }
  return findings_;
}

double AnomalyWatch::score(uint32_t series) const {
  return series < states_.size() ? states_[series].detector.score() : 0;
}

const AnomalyDetector* AnomalyWatch::detector(uint32_t series) const {
  return series < states_.size() ? &states_[series].detector : nullptr;
}

}  // namespace forewarn::detect
