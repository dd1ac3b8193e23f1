#include "collector/detect/peer_detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace forewarn::detect {
namespace {

// Who is compared with whom: all machines of a class, or of a site, where the
// network is what they share.
enum CohortKind : uint8_t { kClass = 0, kSite = 1 };

struct Compared {
  const char* metric;
  CohortKind cohort;
  float matters;  // less than this beyond the usual is no news
  float felt;     // > 0: users feel values beyond it
};
// What is worse when it is higher. Amounts are chosen.
constexpr Compared kCompared[] = {
    {"forewarn.cpu.busy", kClass, 0.25F, 0},
    {"forewarn.disk.latency", kClass, 0.01F, 0.05F},
    {"forewarn.disk.utilization", kClass, 0.3F, 0},
    {"forewarn.gateway.loss", kSite, 0.03F, 0.05F},
    {"forewarn.gateway.rtt", kSite, 0.03F, 0.15F},
    {"forewarn.load_per_core.1m", kClass, 0.7F, 0},
    {"forewarn.memory.used", kClass, 0.15F, 0},
    {"forewarn.network.error.ratio", kSite, 0.005F, 0.01F},
    {"forewarn.network.tcp.retransmit.ratio", kSite, 0.03F, 0.05F},
    {"forewarn.pressure.share.5m", kClass, 0.1F, 0.2F},
    {"forewarn.resolver.duration", kSite, 0.2F, 0.5F},
    {"forewarn.thermal.critical.share", kClass, 0.15F, 0},
};
static_assert(std::size(kCompared) == PeerBoard::kMetrics);
constexpr uint8_t kNone = PeerBoard::kMetrics;

// So many deviations beyond the usual are far, less than half of them near.
constexpr float kFar = 6;
// Until an hour was seen nothing is said; the usual then follows within a day.
constexpr uint32_t kLearn = 12;
constexpr float kRate = 1.0F / 288;
// While it stands the usual follows more slowly: a lasting difference is the
// new usual after some days.
constexpr float kSlowly = 0.2F;
constexpr uint32_t kOnEnd = 3;
constexpr absl::Duration kKnown = absl::Hours(48);
constexpr absl::Duration kLasts = absl::Hours(1);

}  // namespace

void PeerDetector::SetProfile(const EndpointProfile& profile) {
  const std::string& of_class = v1::EndpointClass_Name(profile.endpoint_class);
  const std::string of_site =
      profile.site.empty() ? of_class : absl::StrCat("site ", profile.site);
  const bool moved =
      !cohorts_[kClass].empty() &&
      (cohorts_[kClass] != of_class || cohorts_[kSite] != of_site);
  // Among others other distances are usual.
  if (moved) states_ = {};
  cohorts_[kClass] = of_class;
  cohorts_[kSite] = of_site;
  endpoint_ = absl::HashOf(profile.id);
}

void PeerDetector::Define(uint32_t series,
                          const wire::SeriesDefinition& definition) {
  if (metric_of_.size() <= series) metric_of_.resize(series + 1, kNone);
  const auto* const found =
      std::find_if(std::begin(kCompared), std::end(kCompared),
                   [&](const Compared& compared) {
                     return definition.metric == compared.metric;
                   });
  if (found == std::end(kCompared)) return;
  metric_of_[series] = static_cast<uint8_t>(found - std::begin(kCompared));
  compares_ = true;
}

void PeerDetector::Observe(absl::Time time,
                           absl::Span<const wire::Sample> samples) {
  changed_ = false;
  if (!Compares()) return;
  const int64_t bucket = PeerBoard::BucketOf(time);
  if (bucket != bucket_ && bucket_ >= 0) {
    // By now all have told of the bucket before the one that is full.
    if (finished_ == bucket_ - 1 && finished_ >= 0 && bucket == bucket_ + 1) {
      Judge(finished_);
    }
    Finish(bucket);
  }
  bucket_ = bucket;
  Gather(samples);
}

void PeerDetector::Tell(absl::Time time,
                        absl::Span<const wire::Sample> samples) {
  const int64_t bucket = PeerBoard::BucketOf(time);
  if (bucket != bucket_ && bucket_ >= 0) Finish(bucket);
  bucket_ = bucket;
  Gather(samples);
}

void PeerDetector::Gather(absl::Span<const wire::Sample> samples) {
  std::array<float, PeerBoard::kMetrics> worst;
  worst.fill(-std::numeric_limits<float>::infinity());
  for (const wire::Sample& sample : samples) {
    if (sample.series >= metric_of_.size() || !std::isfinite(sample.value)) {
      continue;
    }
    const uint8_t metric = metric_of_[sample.series];
    if (metric == kNone || sample.value <= worst[metric]) continue;
    worst[metric] = static_cast<float>(sample.value);
    states_[metric].series = sample.series;
  }
  for (size_t metric = 0; metric < worst.size(); ++metric) {
    if (std::isinf(worst[metric])) continue;
    states_[metric].sum += worst[metric];
    ++states_[metric].count;
  }
}

// The bucket is full: tells of it, unless that is too late for the others.
void PeerDetector::Finish(int64_t next) {
  // Without a site both are one cohort, and one row.
  const bool one = cohorts_[kSite] == cohorts_[kClass];
  PeerBoard::Row rows[2];
  for (PeerBoard::Row& row : rows) {
    row.fill(std::numeric_limits<float>::quiet_NaN());
  }
  for (size_t metric = 0; metric < states_.size(); ++metric) {
    State& state = states_[metric];
    state.before = state.count > 0 ? state.sum / static_cast<float>(state.count)
                                   : std::numeric_limits<float>::quiet_NaN();
    state.series_before = state.series;
    state.sum = 0;
    state.count = 0;
    rows[one ? kClass : kCompared[metric].cohort][metric] = state.before;
  }
  finished_ = bucket_;
  if (next != bucket_ + 1) return;
  board_->Publish(cohorts_[kClass], bucket_, endpoint_, rows[kClass]);
  if (!one) {
    board_->Publish(cohorts_[kSite], bucket_, endpoint_, rows[kSite]);
  }
}

void PeerDetector::Judge(int64_t bucket) {
  const absl::Time at = absl::FromUnixSeconds(
      (bucket + 1) * absl::ToInt64Seconds(PeerBoard::kBucket));
  std::vector<Finding> findings;
  for (size_t metric = 0; metric < states_.size(); ++metric) {
    const float value = states_[metric].before;
    if (!std::isnan(value)) {
      const auto centre =
          board_->CentreOf(cohorts_[kCompared[metric].cohort], bucket, metric);
      if (centre) {
        Compare(metric, value, *centre, at, findings);
        continue;
      }
    }
    // Nobody to compare with, at night say: what stands goes on standing.
    for (const Finding& finding : findings_) {
      if (finding.metric == metric && states_[metric].stands) {
        findings.push_back(finding);
      }
    }
  }
  changed_ = !findings.empty() || !findings_.empty();
  findings_ = std::move(findings);
}

void PeerDetector::Compare(size_t metric, float value,
                           const PeerBoard::Centre& centre, absl::Time at,
                           std::vector<Finding>& findings) {
  State& state = states_[metric];
  const Compared& compared = kCompared[metric];
  state.first = std::min(state.first, at);
  const float apart = value - centre.median;
  const float off = apart - state.offset;
  // The normal deviation is 1.25 times the mean absolute one. While little of
  // the own past is known, how far the others are apart counts as well.
  const float young = 1 / (1 + static_cast<float>(state.seen) / 144);
  const float beyond =
      std::max(compared.matters,
               kFar * std::max(1.25F * state.spread, young * centre.spread));
  const bool may_judge = state.seen >= kLearn;
  if (may_judge && off > beyond) {
    if (state.far++ == 0 && !state.stands) {
      state.since = at - PeerBoard::kBucket;
    }
    state.near = 0;
  } else {
    if (!state.stands || off < beyond / 2) ++state.near;
    if (!state.stands) state.far = 0;
  }
  if (state.far >= kOnEnd) state.stands = true;
  if (state.stands && state.near >= kOnEnd) {
    state.stands = false;
    state.far = 0;
  }
  if (!state.stands) state.near = 0;
  // What is far is not learnt until it has lasted.
  if (state.far == 0 || state.stands) {
    const float rate = std::max(1.0F / static_cast<float>(state.seen + 1),
                                state.stands ? kRate * kSlowly : kRate);
    state.offset += rate * off;
    if (!state.stands) {
      state.spread += rate * (std::abs(off) - state.spread);
      ++state.seen;
    }
  }
  if (!state.stands) return;
  const bool felt = compared.felt > 0 && value > compared.felt &&
                    at - state.since >= kLasts &&
                    state.since - state.first >= kKnown;
  findings.push_back({.metric = metric,
                      .series = state.series_before,
                      .priority = felt ? v1::P4 : v1::INFO,
                      .value = value,
                      .peers = centre.median,
                      .limit = centre.median + state.offset + beyond,
                      .members = centre.members,
                      .score = std::clamp(1 - 0.5 * beyond / off, 0.5, 1.0),
                      .since = state.since});
}

}  // namespace forewarn::detect
