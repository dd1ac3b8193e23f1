#include "collector/shard/endpoint_state.h"

#include <algorithm>

#include "protos/base/logging.h"
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
      rules_(rules),
      history_(history),
      symptoms_(symptoms),
      options_(options),
      judge_(MakeJudge({})),
      silence_(profile_, options.silence, *this) {}

EndpointState::~EndpointState() = default;

std::unique_ptr<detect::EndpointJudge> EndpointState::MakeJudge(
    const std::vector<history::SeriesRecord>& known) {
  auto judge = std::make_unique<detect::EndpointJudge>(profile_, rules_, *this);
  for (const history::SeriesRecord& record : known) {
    judge->DefineSeries(record.series, record.definition);
  }
  return judge;
}

// A checkpoint is as good as the samples it was made of; without one they are
// judged again.
absl::Status EndpointState::Restore(absl::Time now) {
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<history::SeriesRecord> known,
                            history_.LoadSeries(number_));
  for (const history::SeriesRecord& record : known) {
    series_[wire::SeriesName(record.definition.metric,
                             record.definition.attributes)] = record.series;
  }
  judge_ = MakeJudge(known);
  if (known.empty()) return absl::OkStatus();
  FOREWARN_ASSIGN_OR_RETURN(const std::string state,
                            history_.LoadState(number_));
  if (!state.empty()) {
    if (const absl::Status restored = judge_->RestoreState(state);
        !restored.ok()) {
      base::Log(base::LogLevel::kWarning,
                "detectors learn from history instead of their checkpoint",
                {{"endpoint", id()}, {"reason", base::ToLine(restored)}});
      judge_ = MakeJudge(known);
    }
  }
  saved_at_ = judge_->now();
  return history_.Replay(number_,
                         std::max(now - options_.warm_up, judge_->now()),
                         [this](const wire::Tick& tick) {
                           judge_->Observe(tick.time, tick.samples);
                         });
}

absl::Status EndpointState::WarmUp(absl::Time now) {
  if (warm_) return absl::OkStatus();
  muted_ = true;
  const absl::Status restored = Restore(now);
  muted_ = false;
  warm_ = true;
  FOREWARN_RETURN_IF_ERROR(restored);
  // Not all endpoints of a restart at once.
  next_checkpoint_ =
      now + options_.checkpoint_every * (0.5 + number_ % 16 / 16.0);
  if (auto events = history_.Events(number_, now - kRecent,
                                    absl::InfiniteFuture(), kEventsKept);
      events.ok()) {
    events_.assign(events->begin(), events->end());
  }
  detect::SymptomEdge edge;
  for (v1::Symptom& symptom : judge_->Standing()) {
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

absl::Status EndpointState::Checkpoint() {
  if (!warm_ || judge_->now() <= saved_at_) return absl::OkStatus();
  FOREWARN_RETURN_IF_ERROR(history_.KeepState(number_, judge_->SaveState()));
  saved_at_ = judge_->now();
  next_checkpoint_ = saved_at_ + options_.checkpoint_every;
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
  judge_->DefineSeries(number, definition);
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
    judge_->Observe(tick.time, tick.samples);
  }
}

void EndpointState::SetProfile(detect::EndpointProfile profile) {
  profile_ = profile;
  silence_.SetProfile(profile);
  judge_->SetProfile(std::move(profile));
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
