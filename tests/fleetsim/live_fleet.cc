#include "tests/fleetsim/live_fleet.h"

#include <cmath>
#include <utility>

#include "protos/base/status.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"
#include "tests/fleetsim/fleet_streams.h"
#include "tests/fleetsim/signals.h"

namespace forewarn::fleetsim {
namespace {

// A batch holds so many ticks of a minute each, as agents of slow lines send.
constexpr Minute kBatch = 2;

class LiveFleet {
 public:
  LiveFleet(absl::Span<const Machine> fleet, std::vector<Mishap>& mishaps,
            absl::Time start)
      : fleet_(fleet),
        start_(start),
        models_(MakeModels(fleet, mishaps)),
        spools_(fleet.size()),
        collector_(start) {}

  absl::StatusOr<DeskRecord> Play(Minute length,
                                  const std::function<void(Minute)>& progress) {
    for (const wire::SeriesDefinition& definition : SignalDefinitions()) {
      dictionary_.Intern(definition);
    }
    std::vector<v1::EndpointFacts> facts;
    for (const Machine& machine : fleet_) facts.push_back(FactsOf(machine));
    FOREWARN_ASSIGN_OR_RETURN(auto identities,
                              collector_.Start(facts, absl::Minutes(1)));
    streams_.emplace(collector_.agents_address(), std::move(identities),
                     std::move(facts), dictionary_);
    for (Minute now = 0; now < length; ++now) {
      progress(now);
      for (uint32_t i = 0; i < fleet_.size(); ++i) {
        FOREWARN_RETURN_IF_ERROR(Step(i, now));
      }
      collector_.clock().Advance(absl::Minutes(1));
      // One round may be under way while the next is made: with a batch's two
      // minutes that is less than the silence that means something.
      FOREWARN_RETURN_IF_ERROR(streams_->EndRound());
    }
    progress(length);
    FOREWARN_RETURN_IF_ERROR(streams_->EndRound());
    FOREWARN_RETURN_IF_ERROR(streams_->EndRound());
    return collector_.Finish();
  }

 private:
  static v1::EndpointFacts FactsOf(const Machine& machine) {
    v1::EndpointFacts facts;
    facts.set_host_name(machine.host);
    facts.set_endpoint_class(machine.kind);
    facts.set_site(machine.site);
    facts.set_os_name("Debian GNU/Linux");
    facts.set_os_version("12");
    facts.set_model(machine.model);
    facts.set_vendor("Fleetsim");
    facts.set_cpu_count(static_cast<uint32_t>(machine.cores));
    facts.set_memory_bytes(static_cast<uint64_t>(machine.memory_bytes));
    return facts;
  }

  absl::Time At(Minute minute) const { return start_ + absl::Minutes(minute); }

  absl::Status Step(uint32_t i, Minute now) {
    EndpointModel& model = models_[i];
    const Power power = model.Step(now, values_);
    std::vector<wire::Tick>& spool = spools_[i];
    if (power == Power::kOn) {
      wire::Tick& tick = spool.emplace_back();
      tick.time = At(now);
      for (uint32_t s = 0; s < kSignals; ++s) {
        if (!std::isnan(values_[s])) tick.samples.push_back({s, values_[s]});
      }
    }
    if (model.cut_off()) {
      // The other end takes the stream for alive; what is measured waits.
      cut_off_.resize(fleet_.size());
      cut_off_[i] = streams_->connected(i);
      return absl::OkStatus();
    }
    if (i < cut_off_.size() && cut_off_[i]) {
      cut_off_[i] = false;
      streams_->Abandon(i);
    }
    if (power != Power::kOn) {
      if (!streams_->connected(i)) return absl::OkStatus();
      FOREWARN_RETURN_IF_ERROR(Flush(i));
      return streams_->Leave(i, power == Power::kAsleep
                                    ? v1::Goodbye::REASON_SUSPEND
                                    : v1::Goodbye::REASON_SHUTDOWN);
    }
    if (!streams_->connected(i)) {
      FOREWARN_RETURN_IF_ERROR(streams_->Connect(i, At(now)));
      return Flush(i);
    }
    // Not all in the same minute.
    return (now + i) % kBatch == 0 ? Flush(i) : absl::OkStatus();
  }

  absl::Status Flush(uint32_t i) {
    if (spools_[i].empty()) return absl::OkStatus();
    return streams_->Send(i, std::exchange(spools_[i], {}));
  }

  const absl::Span<const Machine> fleet_;
  const absl::Time start_;
  std::vector<EndpointModel> models_;
  std::vector<std::vector<wire::Tick>> spools_;
  std::vector<bool> cut_off_;
  wire::SeriesDictionary dictionary_;
  SimulatedCollector collector_;
  std::optional<FleetStreams> streams_;
  Values values_{};
};

}  // namespace

std::vector<EndpointModel> MakeModels(absl::Span<const Machine> fleet,
                                      std::vector<Mishap>& mishaps) {
  std::vector<std::vector<EndpointModel::Case>> cases(fleet.size());
  for (Mishap& mishap : mishaps) {
    for (Mishap::Member& member : mishap.members) {
      cases[member.machine].push_back({&mishap, &member});
    }
  }
  std::vector<EndpointModel> models;
  models.reserve(fleet.size());
  for (const Machine& machine : fleet) {
    models.emplace_back(machine, std::move(cases[machine.number]));
  }
  return models;
}

absl::StatusOr<DeskRecord> PlayFleet(
    absl::Span<const Machine> fleet, std::vector<Mishap>& mishaps,
    absl::Time start, Minute length,
    const std::function<void(Minute)>& progress) {
  return LiveFleet(fleet, mishaps, start).Play(length, progress);
}

}  // namespace forewarn::fleetsim
