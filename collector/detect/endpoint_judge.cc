#include "collector/detect/endpoint_judge.h"

#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "collector/detect/anomaly_watch.h"
#include "collector/detect/peer_detector.h"
#include "collector/detect/rule_plan.h"
#include "collector/detect/rule_watch.h"
#include "collector/detect/series_table.h"
#include "collector/detect/signal_reader.h"
#include "collector/detect/state_archive.h"
#include "collector/detect/symptom_writer.h"
#include "protos/base/crc32c.h"

namespace forewarn::detect {
namespace {

// A whole number of unit 1 is a count or a flag; shown as a ratio, eight bad
// sectors would be 800 %.
std::string UnitForPeople(const wire::SeriesDefinition& definition) {
  return definition.unit == "1" && definition.digits == 0 ? ""
                                                          : definition.unit;
}

constexpr absl::string_view kUptime = "system.uptime";
constexpr absl::string_view kAnomalyRule = "anomaly";
constexpr absl::string_view kPeerRule = "peer";
constexpr absl::Duration kSweepInterval = absl::Minutes(1);

// Every window that any signal of the rule reads.
template <typename Need>
void ForEachRuleWindow(const v1::Rule& rule, Need need) {
  ForEachWindow(rule.signal(), need);
  for (const v1::Condition& one : rule.and_()) {
    ForEachWindow(one.signal(), need);
  }
  for (const v1::Level& level : rule.levels()) {
    for (const v1::Condition& one : level.and_()) {
      ForEachWindow(one.signal(), need);
    }
  }
  ForEachWindow(rule.forecast().limit_signal(), need);
}

}  // namespace

class EndpointJudge::Impl {
  using Odd = absl::btree_map<uint32_t, v1::Symptom>;  // by series

 public:
  Impl(EndpointProfile profile, const RuleSet& rules, SymptomSink& sink,
       PeerBoard* peers)
      : profile_(std::move(profile)),
        rules_(rules),
        sink_(sink),
        peers_(peers) {
    peers_.SetProfile(profile_);
    MakePlans();
  }

  void Define(uint32_t series, const wire::SeriesDefinition& definition) {
    const SeriesState* known = table_.Find(series);
    if (known != nullptr && known->defined) return;
    table_.Define(series, definition);
    anomalies_.Define(series, definition);
    peers_.Define(series, definition);
    if (definition.metric == kUptime) uptime_series_ = series;
    WatchSeries(series);
  }

  void Observe(absl::Time time, absl::Span<const wire::Sample> samples) {
    if (time <= now_) return;
    now_ = time;
    NoticeBoot(samples);
    for (const wire::Sample& sample : samples) {
      table_.Observe(time, sample.series, sample.value);
    }
    const RuleWatch::Moment moment = Now();
    for (const wire::Sample& sample : samples) {
      if (sample.series >= watches_.size() || !std::isfinite(sample.value)) {
        continue;
      }
      for (RuleWatch& watch : watches_[sample.series]) watch.Judge(moment);
      anomalies_.Observe(time, sample.series, sample.value);
    }
    TellAnomalies();
    peers_.Observe(time, samples);
    if (peers_.changed()) TellPeers();
    if (time >= next_sweep_) {
      next_sweep_ = time + kSweepInterval;
      ClearVanished();
    }
  }

  void SetProfile(EndpointProfile profile) {
    profile_ = std::move(profile);
    peers_.SetProfile(profile_);
    MakePlans();
    std::vector<std::vector<RuleWatch>> former = std::move(watches_);
    watches_.clear();
    for (uint32_t series = 0; series < table_.size(); ++series) {
      if (series < former.size()) former_ = std::move(former[series]);
      WatchSeries(series);
      // What is left belongs to rules that no longer apply.
      for (RuleWatch& watch : former_) watch.Retire(Now());
      former_.clear();
    }
  }

  std::vector<v1::Symptom> Standing() const {
    std::vector<v1::Symptom> standing;
    for (const auto& watches : watches_) {
      for (const RuleWatch& watch : watches) {
        if (watch.standing()) standing.push_back(*watch.standing());
      }
    }
    for (const auto& [series, symptom] : odd_) standing.push_back(symptom);
    for (const auto& [metric, symptom] : apart_) standing.push_back(symptom);
    return standing;
  }

  double AnomalyScore(uint32_t series) const {
    return anomalies_.score(series);
  }

  const EndpointOddness::Novelty& Novelty() const {
    return anomalies_.novelty();
  }

  absl::Time now() const { return now_; }

  std::string SaveState() const {
    StateWriter writer;
    writer(Shape());
    Fields(*this, writer);
    return writer.Finish();
  }

  absl::Status RestoreState(absl::string_view state) {
    StateReader reader(state);
    uint32_t shape = 0;
    reader(shape);
    if (shape != Shape()) reader.Fail("of other rules or definitions");
    Fields(*this, reader);
    return reader.Finish();
  }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.now_, self.next_sweep_, self.uptime_, self.table_,
            self.anomalies_, self.peers_);
    for (auto& watches : self.watches_) archive.InPlace(watches);
    for (auto* standing : {&self.odd_, &self.apart_}) {
      std::vector<std::pair<uint32_t, v1::Symptom>> rows(standing->begin(),
                                                         standing->end());
      archive(rows);
      if constexpr (!std::is_const_v<Self>) {
        *standing = Odd(rows.begin(), rows.end());
      }
    }
  }

 private:
  // A checksum of all that the state hangs on.
  uint32_t Shape() const {
    uint32_t shape = 0;
    for (const std::shared_ptr<const RulePlan>& plan : plans_) {
      shape = base::Crc32c(plan->rule->SerializeAsString(), shape);
    }
    for (uint32_t series = 0; series < table_.size(); ++series) {
      shape = base::Crc32c(table_.Find(series)->name, shape);
    }
    return base::Crc32c(v1::EndpointClass_Name(profile_.endpoint_class), shape);
  }

  RuleWatch::Moment Now() { return {now_, profile_, table_, uptime_, sink_}; }

  // A rule that is as it was keeps its plan, and so do its watches.
  std::shared_ptr<const RulePlan> PlanOf(
      const std::vector<std::shared_ptr<const RulePlan>>& former,
      std::shared_ptr<const v1::Rule> rule) const {
    for (const auto& plan : former) {
      if (plan->rule == rule &&
          plan->endpoint_class == profile_.endpoint_class) {
        return plan;
      }
    }
    return std::make_shared<RulePlan>(std::move(rule), profile_.endpoint_class);
  }

  void MakePlans() {
    const std::vector<std::shared_ptr<const RulePlan>> former =
        std::move(plans_);
    plans_.clear();
    absl::flat_hash_set<absl::string_view> done;
    for (const v1::Rule& rule : rules_.rules()) {
      const std::string& metric = rule.signal().metric();
      if (!done.insert(metric).second) continue;
      for (auto& found : rules_.SharedRulesFor(profile_, metric)) {
        plans_.push_back(PlanOf(former, std::move(found)));
      }
    }
  }

  // Sets up what rules want of a series: windows, and their own state.
  void WatchSeries(uint32_t series) {
    while (watches_.size() <= series) watches_.emplace_back();
    const SeriesState& state = *table_.Find(series);
    if (!state.defined) return;
    const wire::SeriesDefinition& definition = state.definition;
    const auto need = [&](const v1::Signal& signal, absl::Duration window) {
      if (signal.metric() == definition.metric &&
          MatchesWhere(signal, definition.attributes)) {
        table_.Watch(series, window, ParseFunction(signal.function()));
      }
    };
    for (const std::shared_ptr<const RulePlan>& plan : plans_) {
      ForEachRuleWindow(*plan->rule, need);
      const v1::Signal& signal = plan->rule->signal();
      if (signal.metric() == definition.metric &&
          MatchesWhere(signal, definition.attributes)) {
        watches_[series].push_back(MakeWatch(
            plan, series, SignalUnit(signal, UnitForPeople(definition))));
      }
    }
  }

  RuleWatch MakeWatch(const std::shared_ptr<const RulePlan>& plan,
                      uint32_t series, std::string unit) {
    for (auto it = former_.begin(); it != former_.end(); ++it) {
      if (it->plan().rule->id() != plan->rule->id()) continue;
      RuleWatch before = std::move(*it);
      former_.erase(it);
      if (before.shared_plan() == plan) return before;
      RuleWatch watch(plan, series, std::move(unit));
      watch.Inherit(before);
      return watch;
    }
    return RuleWatch(plan, series, std::move(unit));
  }

  void NoticeBoot(absl::Span<const wire::Sample> samples) {
    if (!uptime_series_) return;
    for (const wire::Sample& sample : samples) {
      if (sample.series != *uptime_series_ || !std::isfinite(sample.value)) {
        continue;
      }
      const absl::Duration uptime = absl::Seconds(sample.value);
      if (uptime_ && uptime < *uptime_) {
        for (auto& watches : watches_) {
          for (RuleWatch& watch : watches) watch.Rearm();
        }
      }
      uptime_ = uptime;
      return;
    }
  }

  // Whether the rules that know the series take nothing of it for more than
  // evidence in this class: a laptop's packet loss.
  bool OnlyEvidence(uint32_t series) const {
    const std::vector<RuleWatch>& watches = watches_[series];
    return !watches.empty() &&
           std::all_of(watches.begin(), watches.end(),
                       [](const RuleWatch& watch) {
                         return watch.plan().OnlyEvidence();
                       });
  }

  // Both the findings and odd_ ascend by series.
  void TellAnomalies() {
    auto odd = odd_.begin();
    for (AnomalyWatch::Finding finding : anomalies_.Decide(now_)) {
      if (finding.priority != v1::INFO && OnlyEvidence(finding.series)) {
        finding.priority = v1::INFO;
      }
      while (odd != odd_.end() && odd->first < finding.series) {
        odd = ClearAnomaly(odd);
      }
      if (odd == odd_.end() || odd->first != finding.series) {
        const SeriesState& series = *table_.Find(finding.series);
        odd = odd_.emplace_hint(
            odd, finding.series,
            SymptomWriter::Open(profile_, kAnomalyRule, nullptr,
                                v1::DETECTOR_KIND_ANOMALY,
                                SubsystemOf(series.definition), series));
        TellAnomaly(finding, SymptomEdge::Kind::kOpened, odd->second);
      } else if (odd->second.priority() != finding.priority) {
        TellAnomaly(finding, SymptomEdge::Kind::kUpdated, odd->second);
      }
      ++odd;
    }
    while (odd != odd_.end()) odd = ClearAnomaly(odd);
  }

  void TellAnomaly(const AnomalyWatch::Finding& finding, SymptomEdge::Kind kind,
                   v1::Symptom& symptom) {
    const SeriesState& series = *table_.Find(finding.series);
    const AnomalyDetector& detector = *anomalies_.detector(finding.series);
    SymptomFacts facts;
    facts.time = now_;
    facts.since = finding.since;
    facts.priority = finding.priority;
    facts.value = detector.value();
    facts.unit = series.definition.unit;
    if (series.definition.kind == wire::MetricKind::kCounter) {
      facts.unit += "/s";
    }
    facts.expected_low = detector.expected_low();
    facts.expected_high = detector.expected_high();
    facts.score = finding.score;
    SymptomWriter::Update(profile_, facts, symptom);
    symptom.mutable_explanation()->set_key(absl::StrCat(
        "rule.anomaly.", ViewName(detector.view()), ".explanation"));
    SymptomWriter::SetWindow(series, now_, *symptom.mutable_evidence());
    sink_.Accept({kind, symptom});
  }

  // Both the findings and apart_ ascend by metric.
  void TellPeers() {
    Odd still;
    for (const PeerDetector::Finding& finding : peers_.findings()) {
      const auto key = static_cast<uint32_t>(finding.metric);
      const auto known = apart_.find(key);
      const SeriesState& series = *table_.Find(finding.series);
      const v1::Priority priority =
          OnlyEvidence(finding.series) ? v1::INFO : finding.priority;
      if (known == apart_.end()) {
        v1::Symptom symptom =
            SymptomWriter::Open(profile_, kPeerRule, nullptr,
                                v1::DETECTOR_KIND_PEER,
                                SubsystemOf(series.definition), series);
        TellPeer(finding, priority, SymptomEdge::Kind::kOpened, symptom);
        still[key] = std::move(symptom);
        continue;
      }
      // Once raised it stays so: no ticket is taken back.
      v1::Symptom& symptom = still[key] = std::move(known->second);
      if (priority < symptom.priority()) {
        TellPeer(finding, priority, SymptomEdge::Kind::kUpdated, symptom);
      }
      apart_.erase(known);
    }
    for (auto& [metric, symptom] : apart_) {
      SymptomWriter::Close(now_, std::nullopt, symptom);
      sink_.Accept({SymptomEdge::Kind::kCleared, symptom});
    }
    apart_ = std::move(still);
  }

  void TellPeer(const PeerDetector::Finding& finding, v1::Priority priority,
                SymptomEdge::Kind kind, v1::Symptom& symptom) {
    const SeriesState& series = *table_.Find(finding.series);
    SymptomFacts facts;
    facts.time = now_;
    facts.since = finding.since;
    facts.priority = priority;
    facts.value = finding.value;
    facts.unit = series.definition.unit;
    facts.expected_high = finding.limit;
    facts.score = finding.score;
    SymptomWriter::Update(profile_, facts, symptom);
    SymptomWriter::AddQuantity("peers", finding.peers, facts.unit, symptom);
    SymptomWriter::AddQuantity("count", finding.members, "{endpoint}",
                               symptom);
    SymptomWriter::SetWindow(series, now_, *symptom.mutable_evidence());
    sink_.Accept({kind, symptom});
  }

  Odd::iterator ClearAnomaly(Odd::iterator odd) {
    SymptomWriter::Close(now_, std::nullopt, odd->second);
    sink_.Accept({SymptomEdge::Kind::kCleared, odd->second});
    return odd_.erase(odd);
  }

  void ClearVanished() {
    for (auto& watches : watches_) {
      for (RuleWatch& watch : watches) {
        if (watch.standing() &&
            table_.Find(watch.series())->cadence.Vanished(now_)) {
          watch.Vanish(Now());
        }
      }
    }
    for (const auto& [series, symptom] : odd_) {
      if (table_.Find(series)->cadence.Vanished(now_)) {
        anomalies_.Forget(series);
      }
    }
  }

  EndpointProfile profile_;
  const RuleSet& rules_;
  SymptomSink& sink_;
  std::vector<std::shared_ptr<const RulePlan>> plans_;
  SeriesTable table_;
  AnomalyWatch anomalies_;
  PeerDetector peers_;
  Odd apart_;  // by metric
  std::vector<std::vector<RuleWatch>> watches_;  // by series
  std::vector<RuleWatch> former_;  // during SetProfile, of one series
  Odd odd_;
  absl::Time now_ = absl::InfinitePast();
  absl::Time next_sweep_ = absl::InfinitePast();
  std::optional<uint32_t> uptime_series_;
  std::optional<absl::Duration> uptime_;
};

EndpointJudge::EndpointJudge(EndpointProfile profile, const RuleSet& rules,
                             SymptomSink& sink, PeerBoard* peers)
    : impl_(std::make_unique<Impl>(std::move(profile), rules, sink, peers)) {}

EndpointJudge::~EndpointJudge() = default;

void EndpointJudge::DefineSeries(uint32_t series,
                                 const wire::SeriesDefinition& definition) {
  impl_->Define(series, definition);
}

void EndpointJudge::Observe(absl::Time time,
                            absl::Span<const wire::Sample> samples) {
  impl_->Observe(time, samples);
}

void EndpointJudge::SetProfile(EndpointProfile profile) {
  impl_->SetProfile(std::move(profile));
}

std::vector<v1::Symptom> EndpointJudge::Standing() const {
  return impl_->Standing();
}

std::string EndpointJudge::SaveState() const { return impl_->SaveState(); }

absl::Status EndpointJudge::RestoreState(absl::string_view state) {
  return impl_->RestoreState(state);
}

absl::Time EndpointJudge::now() const { return impl_->now(); }

double EndpointJudge::AnomalyScore(uint32_t series) const {
  return impl_->AnomalyScore(series);
}

const EndpointOddness::Novelty& EndpointJudge::Novelty() const {
  return impl_->Novelty();
}

}  // namespace forewarn::detect
