#include "collector/shard/endpoint_state.h"

#include <algorithm>

#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::shard {
namespace {

constexpr size_t kEventsKept = 50;
constexpr int kEventsInEvidence = 10;
constexpr absl::Duration kRecent = absl::Hours(6);

}  // namespace

EndpointState::EndpointState(uint32_t number, detect::EndpointProfile profile,
                             const detect::RuleSet& rules,
                             history::HistoryStore& history,
                             detect::SymptomSink& symptoms,
                             const Options& options)
    : number_(number),
      profile_(std::move(profile)),
      history_(history),
      symptoms_(symptoms),
      options_(options),
      judge_(profile_, rules, *this),
      silence_(profile_, options.silence, *this) {}

EndpointState::~EndpointState() = default;

absl::Status EndpointState::WarmUp(absl::Time now) {
  if (warm_) return absl::OkStatus();
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<history::SeriesRecord> known,
                            history_.LoadSeries(number_));
  for (const history::SeriesRecord& record : known) {
    series_[wire::SeriesName(record.definition.metric,
                             record.definition.attributes)] = record.series;
    judge_.DefineSeries(record.series, record.definition);
  }
  muted_ = true;
  const absl::Status replayed = history_.Replay(
      number_, now - options_.warm_up, [this](const wire::Tick& tick) {
        judge_.Observe(tick.time, tick.samples);
      });
  muted_ = false;
  FOREWARN_RETURN_IF_ERROR(replayed);
  if (auto events = history_.Events(number_, now - kRecent,
                                    absl::InfiniteFuture(), kEventsKept);
      events.ok()) {
    events_.assign(events->begin(), events->end());
  }
  warm_ = true;
  detect::SymptomEdge edge;
  for (v1::Symptom& symptom : judge_.Standing()) {
    edge.kind = detect::SymptomEdge::Kind::kStanding;
    edge.symptom = std::move(symptom);
    Accept(std::move(edge));
  }
  edge.kind = detect::SymptomEdge::Kind::kReconciled;
  edge.symptom.Clear();
  edge.symptom.set_endpoint_id(profile_.id);
  edge.symptom.set_host_name(profile_.host_name);
  *edge.symptom.mutable_updated_at() = wire::ToStamp(now);
  symptoms_.Accept(std::move(edge));
  return absl::OkStatus();
}

uint32_t EndpointState::Number(const wire::SeriesDefinition& definition) {
  std::string name = wire::SeriesName(definition.metric, definition.attributes);
  if (const auto it = series_.find(name); it != series_.end()) {
    return it->second;
  }
  if (series_.size() >= options_.series_limit) return kNoSeries;
  const auto number = static_cast<uint32_t>(series_.size());
  series_.emplace(std::move(name), number);
  judge_.DefineSeries(number, definition);
  unsaved_.push_back({number, definition});
  return number;
}

void EndpointState::Judge(const wire::Batch& batch) {
  if (!batch.processes.empty()) processes_ = batch.processes.back();
  for (const v1::Event& event : batch.events) events_.push_front(event);
  for (const v1::Gap& gap : batch.gaps) {
    v1::Event event;
    *event.mutable_time() = gap.to();
    event.set_name("forewarn.event.gap");
    event.set_message(gap.reason());
    events_.push_front(std::move(event));
  }
  if (events_.size() > kEventsKept) events_.resize(kEventsKept);
  for (const wire::Tick& tick : batch.ticks) {
    judge_.Observe(tick.time, tick.samples);
  }
}

void EndpointState::SetProfile(detect::EndpointProfile profile) {
  profile_ = profile;
  silence_.SetProfile(profile);
  judge_.SetProfile(std::move(profile));
}

void EndpointState::Accept(detect::SymptomEdge edge) {
  if (muted_) return;
  v1::Symptom& symptom = edge.symptom;
  symptom.set_host_name(profile_.host_name);
  if (edge.kind != detect::SymptomEdge::Kind::kCleared) {
    v1::Evidence& evidence = *symptom.mutable_evidence();
    if (processes_.has_time()) *evidence.mutable_processes() = processes_;
    const absl::Time moment = wire::ToTime(symptom.updated_at());
    for (const v1::Event& event : events_) {
      if (evidence.recent_events_size() >= kEventsInEvidence) break;
      const absl::Time time = wire::ToTime(event.time());
      if (time > moment - kRecent && time <= moment + absl::Minutes(1)) {
        *evidence.add_recent_events() = event;
      }
    }
  }
  if (edge.kind == detect::SymptomEdge::Kind::kOpened && urgent_ &&
      (symptom.priority() == v1::P1 || symptom.priority() == v1::P2)) {
    urgent_();
  }
  symptoms_.Accept(std::move(edge));
}

}  // namespace forewarn::shard
