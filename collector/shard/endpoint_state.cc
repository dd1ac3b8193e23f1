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
// So long without another batch of it a backlog counts as complete; chosen.
constexpr absl::Duration kBacklogQuiet = absl::Seconds(15);

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
  auto judge = std::make_unique<detect::EndpointJudge>(
      profile_, rules_, *this, options_.peers);
  for (const history::SeriesRecord& record : known) {
    judge->DefineSeries(record.series, record.definition);
  }
  return judge;
}

absl::Status EndpointState::Know() {
  if (known_) return absl::OkStatus();
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<history::SeriesRecord> records,
                            history_.LoadSeries(number_));
  for (const history::SeriesRecord& record : records) {
    series_[wire::SeriesName(record.definition.metric,
                             record.definition.attributes)] = record.series;
    next_series_ = std::max(next_series_, record.series + 1);
  }
  known_ = true;
  return absl::OkStatus();
}

// A checkpoint is as good as the samples it was made of; without one they are
// judged again.
absl::Status EndpointState::Restore(absl::Time now) {
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<history::SeriesRecord> known,
                            history_.LoadSeries(number_));
  judge_ = MakeJudge(known);
  if (known.empty()) return absl::OkStatus();
  FOREWARN_ASSIGN_OR_RETURN(const std::string state,
                            history_.LoadState(number_));
  if (!state.empty() && !checkpoint_lacks_backlog_) {
    if (const absl::Status restored = judge_->RestoreState(state);
        !restored.ok()) {
      base::Log(base::LogLevel::kWarning,
                "detectors learn from history instead of their checkpoint",
                {{"endpoint", id()}, {"reason", base::ToLine(restored)}});
      judge_ = MakeJudge(known);
    }
  }
  learns_anew_ = judge_->now() == absl::InfinitePast();
  saved_at_ = judge_->now();
  return history_.Replay(number_,
                         std::max(now - options_.warm_up, judge_->now()),
                         [this](const wire::Tick& tick) {
                           judge_->Observe(tick.time, tick.samples);
                         });
}

absl::Status EndpointState::WarmUp(absl::Time now) {
  if (warm_) return absl::OkStatus();
  FOREWARN_RETURN_IF_ERROR(Know());
  muted_ = true;
  const absl::Status restored = Restore(now);
  muted_ = false;
  warm_ = true;
  FOREWARN_RETURN_IF_ERROR(restored);
  // Not all endpoints of a restart at once.
  next_checkpoint_ =
      checkpoint_lacks_backlog_
          ? judge_->now()
          : now + options_.checkpoint_every * (0.5 + number_ % 16 / 16.0);
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

bool EndpointState::LearnAnewAfterBacklog(absl::Time now) {
  if (!warm_ || now - overtaken_at_ < kBacklogQuiet) return false;
  overtaken_at_ = absl::InfiniteFuture();
  warm_ = false;
  return true;
}

absl::Status EndpointState::Checkpoint() {
  // One without the backlog would be good for nothing.
  if (!warm_ || overtaken_at_ != absl::InfiniteFuture() ||
      judge_->now() <= saved_at_) {
    return absl::OkStatus();
  }
  FOREWARN_RETURN_IF_ERROR(history_.KeepState(number_, judge_->SaveState()));
  saved_at_ = judge_->now();
  checkpoint_lacks_backlog_ = false;
  next_checkpoint_ = saved_at_ + options_.checkpoint_every;
  return absl::OkStatus();
}

uint32_t EndpointState::Number(const wire::SeriesDefinition& definition) {
  std::string name = wire::SeriesName(definition.metric, definition.attributes);
  if (const auto it = series_.find(name); it != series_.end()) {
    return it->second;
  }
  if (series_.size() >= options_.series_limit) return kNoSeries;
  const uint32_t number = next_series_++;
  series_.emplace(std::move(name), number);
  judge_->DefineSeries(number, definition);
  unsaved_.push_back({number, definition});
  return number;
}

void EndpointState::Judge(const wire::Batch& batch, absl::Time now) {
  if (!batch.processes.empty() &&
      (!processes_.has_time() || wire::ToTime(batch.processes.back().time()) >=
                                     wire::ToTime(processes_.time()))) {
    processes_ = batch.processes.back();
  }
  for (const v1::Event& event : batch.events) Note(event);
  for (const v1::Gap& gap : batch.gaps) {
    v1::Event event;
    *event.mutable_time() = gap.to();
    event.set_name("forewarn.event.gap");
    event.set_message(gap.reason());
    Note(std::move(event));
  }
  for (const wire::Tick& tick : batch.ticks) {
    if (tick.time < judge_->now()) overtaken_at_ = now;
    if (tick.time < saved_at_) checkpoint_lacks_backlog_ = true;
    judge_->Observe(tick.time, tick.samples);
  }
}

void EndpointState::Note(v1::Event event) {
  const absl::Time time = wire::ToTime(event.time());
  const auto place = std::find_if(events_.begin(), events_.end(),
                                  [time](const v1::Event& one) {
                                    return wire::ToTime(one.time()) <= time;
                                  });
  events_.insert(place, std::move(event));
  if (events_.size() > kEventsKept) events_.pop_back();
}

void EndpointState::SetProfile(detect::EndpointProfile profile) {
  profile_ = profile;
  silence_.SetProfile(profile);
  judge_->SetProfile(std::move(profile));
}

void EndpointState::Accept(detect::SymptomEdge edge) {
  // How a forecast came out is kept once, however often it is told; but who
  // learns anew from nothing may claim it at another time.
  if (edge.kind == detect::SymptomEdge::Kind::kScored &&
      !(muted_ && learns_anew_)) {
    symptoms_.Accept(std::move(edge));
    return;
  }
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
