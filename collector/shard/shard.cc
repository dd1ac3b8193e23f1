#include "collector/shard/shard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::shard {
namespace {

using base::Log;
using base::LogLevel;

constexpr absl::Duration kCheckEvery = absl::Seconds(1);

// Our trouble, not the batch's: whoever holds it must keep it.
absl::Status NotKept(const absl::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("the collector cannot keep it: ", status.message()));
}

}  // namespace

Shard::Shard(const Options& options, const detect::RuleSet& rules,
             history::HistoryStore& history, fleet::EndpointRegistry& registry,
             detect::SymptomSink& symptoms, metrics::SelfMetrics& metrics,
             base::Clock& clock)
    : options_(options),
      rules_(rules),
      history_(history),
      registry_(registry),
      symptoms_(symptoms),
      metrics_(metrics),
      clock_(clock),
      started_wall_(clock.Now()),
      started_boot_(clock.SinceBoot()),
      mailbox_(options.mailbox) {}

Shard::~Shard() { Stop(); }

void Shard::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Shard::Stop() {
  mailbox_.Close();
  if (thread_.joinable()) thread_.join();
}

absl::Time Shard::Now() const {
  return started_wall_ + (clock_.SinceBoot() - started_boot_);
}

void Shard::Run() {
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    const absl::Duration patience =
        !cold_.empty()     ? absl::ZeroDuration()
        : pending_.empty() ? kCheckEvery
                           : std::max(absl::FromChrono(commit_due_ - now),
                                      absl::ZeroDuration());
    std::vector<Message> messages =
        mailbox_.Gather(patience, options_.gather, options_.enough);
    if (messages.empty() && mailbox_.closed()) {
      Commit();
      for (auto& [number, endpoint] : endpoints_) Checkpoint(*endpoint);
      return;
    }
    turn_ = base::Deadline(options_.aside);
    metrics_.MailboxDepth(options_.index)
        .Set(static_cast<double>(messages.size()));
    for (Message& message : messages) {
      // All but a batch waits until the batches before it are durable.
      if (!std::holds_alternative<BatchArrived>(message)) Commit();
      std::visit([this](auto& item) { Handle(std::move(item)); }, message);
    }
    if (pending_.size() >= options_.enough ||
        std::chrono::steady_clock::now() >= commit_due_) {
      Commit();
    }
    WarmSome();
    CheckSilence();
  }
}

EndpointState& Shard::StateOf(uint32_t endpoint,
                              const detect::EndpointProfile& profile) {
  std::unique_ptr<EndpointState>& state = endpoints_[endpoint];
  if (state == nullptr) {
    state = std::make_unique<EndpointState>(endpoint, profile, rules_, history_,
                                            symptoms_, options_.endpoint);
  }
  return *state;
}

void Shard::Handle(EndpointKnown&& known) {
  EndpointState& endpoint = StateOf(known.endpoint, known.profile);
  presence_[known.endpoint] = known.presence;
  endpoint.silence().Resume(known.presence, known.last_seen, Now(),
                            known.presence == v1::PRESENCE_LOST);
}

void Shard::Handle(StreamOpened&& opened) {
  EndpointState& endpoint = StateOf(opened.endpoint, opened.profile);
  endpoint.SetProfile(std::move(opened.profile));
  if (const absl::Status known = endpoint.Know(); !known.ok()) {
    return CannotKeep(endpoint, known, *opened.link);
  }
  // Acks wait for no detector: what comes before it is warm is judged out of
  // the history.
  if (!endpoint.warm() &&
      std::find(cold_.begin(), cold_.end(), &endpoint) == cold_.end()) {
    cold_.push_back(&endpoint);
  }
  WarmSome();
  endpoint.silence().Heard(Now());
  NotePresence(endpoint);
  endpoint.OnUrgent([this, link = opened.link] {
    link->SetPace(options_.burst_tick, options_.burst, "urgent symptom");
  });
  streams_[opened.stream] = {&endpoint, std::move(opened.link), {}};
}

void Shard::Handle(BatchArrived&& arrived) {
  const auto it = streams_.find(arrived.stream);
  if (it == streams_.end()) return;  // failed before; nothing was promised
  Stream& stream = it->second;
  for (const wire::SeriesDefinition& definition : arrived.definitions) {
    stream.numbers.push_back(stream.endpoint->Number(definition));
  }
  for (wire::Tick& tick : arrived.batch.ticks) {
    size_t kept = 0;
    for (const wire::Sample& sample : tick.samples) {
      const uint32_t number = stream.numbers[sample.series];
      if (number == EndpointState::kNoSeries) {
        metrics_.Rejected("limit").Increment();
        continue;
      }
      tick.samples[kept++] = {number, sample.value};
    }
    tick.samples.resize(kept);
  }
  Pending item{arrived.stream, std::move(arrived.batch),
               std::move(arrived.dropped)};
  const absl::StatusOr<uint64_t> mark =
      history_.HighWater(stream.endpoint->number(), item.batch.run_id);
  if (!mark.ok()) {
    // This endpoint's alone: the others of the group are kept.
    CannotKeep(*stream.endpoint, mark.status(), *stream.link);
    stream.endpoint->OnUrgent(nullptr);
    Commit();  // what came before it on this stream
    streams_.erase(arrived.stream);
    return;
  }
  item.repeated = item.batch.sequence <= *mark;
  if (!item.repeated && stream.endpoint->warm()) {
    stream.endpoint->Judge(item.batch, Now());
  }
  if (pending_.empty()) {
    commit_due_ = std::chrono::steady_clock::now() +
                  absl::ToChronoNanoseconds(options_.commit);
  }
  pending_.push_back(std::move(item));
}

void Shard::CannotKeep(const EndpointState& endpoint,
                       const absl::Status& status, StreamLink& link) {
  Log(LogLevel::kError, "nothing of the endpoint can be kept",
      {{"endpoint", endpoint.id()}, {"reason", base::ToLine(status)}});
  link.Fail(NotKept(status));
}

void Shard::Commit() {
  if (pending_.empty()) return;
  std::vector<std::pair<uint32_t, history::SeriesRecord>> new_series;
  std::vector<history::EndpointBatch> batches;
  absl::flat_hash_map<uint32_t, EndpointState*> touched;
  for (Pending& item : pending_) {
    EndpointState& endpoint = *streams_[item.stream].endpoint;
    if (touched.emplace(endpoint.number(), &endpoint).second) {
      for (const history::SeriesRecord& record : endpoint.unsaved()) {
        new_series.emplace_back(endpoint.number(), record);
      }
    }
    if (!item.repeated) {
      batches.push_back({endpoint.number(), std::move(item.batch)});
      item.batch.run_id = batches.back().batch.run_id;
      item.batch.sequence = batches.back().batch.sequence;
    }
  }
  const absl::Time before = clock_.Now();
  const absl::Status status = history_.Append(new_series, batches);
  metrics_.history_write_seconds.Observe(
      absl::ToDoubleSeconds(clock_.Now() - before));
  std::vector<Pending> done = std::move(pending_);
  pending_.clear();
  if (!status.ok()) {
    Log(LogLevel::kError, "batches could not be kept",
        {{"batches", done.size()}, {"reason", base::ToLine(status)}});
    const absl::Status told = NotKept(status);
    for (const Pending& item : done) {
      if (const auto it = streams_.find(item.stream); it != streams_.end()) {
        it->second.link->Fail(told);
        streams_.erase(it);
      }
    }
    return;
  }
  for (auto& [number, endpoint] : touched) endpoint->MarkSaved();
  const absl::Time now = Now();
  for (Pending& item : done) {
    Stream& stream = streams_[item.stream];
    stream.link->Acknowledge(item.batch.run_id, item.batch.sequence,
                             std::move(item.dropped));
    stream.endpoint->silence().Heard(now);
    NotePresence(*stream.endpoint);
    if (item.repeated) {
      metrics_.batches_repeated.Increment();
    } else {
      registry_.Seen(stream.endpoint->id(), now,
                     stream.endpoint->series_count());
    }
  }
}

void Shard::Handle(GoodbyeSaid&& goodbye) {
  const auto it = streams_.find(goodbye.stream);
  if (it == streams_.end()) return;
  it->second.endpoint->silence().SaidGoodbye(goodbye.reason, Now());
  NotePresence(*it->second.endpoint);
}

void Shard::Handle(StreamClosed&& closed) {
  const auto it = streams_.find(closed.stream);
  if (it == streams_.end()) return;
  it->second.endpoint->OnUrgent(nullptr);
  streams_.erase(it);
}

void Shard::WarmUp(EndpointState& endpoint) {
  if (const absl::Status warm = endpoint.WarmUp(Now()); !warm.ok()) {
    // Without its past an endpoint is judged from now on.
    Log(LogLevel::kError, "detectors could not be warmed from history",
        {{"endpoint", endpoint.id()}, {"reason", base::ToLine(warm)}});
  }
}

void Shard::WarmSome() {
  if (cold_.empty()) return;
  Commit();  // so that the history has all that was not judged
  while (!cold_.empty() && turn_.Left() > absl::ZeroDuration()) {
    WarmUp(*cold_.front());
    cold_.pop_front();
  }
}

void Shard::Checkpoint(EndpointState& endpoint) {
  if (const absl::Status saved = endpoint.Checkpoint(); !saved.ok()) {
    Log(LogLevel::kWarning, "detectors' state could not be saved",
        {{"endpoint", endpoint.id()}, {"reason", base::ToLine(saved)}});
  }
}

// Those that are not reached now are due in the next turn too.
void Shard::CheckpointSome() {
  for (auto& [number, endpoint] : endpoints_) {
    if (!endpoint->checkpoint_due()) continue;
    Commit();
    Checkpoint(*endpoint);
    if (turn_.Left() == absl::ZeroDuration()) break;
  }
}

void Shard::CheckSilence() {
  const absl::Time now = Now();
  if (now < next_check_) return;
  next_check_ = now + kCheckEvery;
  for (auto& [number, endpoint] : endpoints_) {
    endpoint->silence().Check(now);
    NotePresence(*endpoint);
    if (endpoint->LearnAnewAfterBacklog(now)) {
      cold_.push_back(endpoint.get());
      Log(LogLevel::kInfo, "detectors learn anew, with the backlog",
          {{"endpoint", endpoint->id()}});
    }
  }
  CheckpointSome();
}

void Shard::NotePresence(EndpointState& endpoint) {
  const v1::Presence presence = endpoint.silence().presence();
  v1::Presence& noted = presence_[endpoint.number()];
  if (noted == presence) return;
  const absl::Status saved =
      registry_.SetPresence(endpoint.id(), presence, Now());
  if (saved.ok()) {
    noted = presence;
  } else {
    Log(LogLevel::kWarning, "presence could not be saved, trying again",
        {{"endpoint", endpoint.id()}, {"reason", base::ToLine(saved)}});
  }
}

}  // namespace forewarn::shard
