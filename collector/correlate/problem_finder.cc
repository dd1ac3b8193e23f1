#include "collector/correlate/problem_finder.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "collector/correlate/symptom_order.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::correlate {
namespace {

// A cohort with such a share of the members may explain a problem, if it is
// that much rarer in the fleet. Chosen: one in five may be a bystander.
constexpr double kExplains = 0.8;
constexpr double kLeastLift = 1.3;
// Arrivals kept of one symptom: as many as 15 % of the largest fleet that one
// collector carries.
constexpr size_t kMostArrivals = 8192;
constexpr absl::Duration kSizesGood = absl::Minutes(1);

// What an incident of another endpoint would have too.
std::string SymptomKey(const v1::Symptom& symptom) {
  if (absl::StartsWith(symptom.rule(), "agent_lost_")) return "agent_lost";
  if (symptom.detector() == v1::DETECTOR_KIND_ANOMALY) {
    return absl::StrCat(symptom.rule(), ":", symptom.metric());
  }
  return symptom.rule();
}

uint32_t SizeOf(const fleet::Cohorts::Sizes& sizes,
                const fleet::Cohort& cohort) {
  const auto found = sizes.cohorts.find(cohort);
  return found == sizes.cohorts.end() ? 1 : std::max(1U, found->second);
}

}  // namespace

ProblemFinder::ProblemFinder(ProblemOptions options, ProblemStore& problems,
                             IncidentStore& incidents,
                             const fleet::Cohorts& cohorts)
    : options_(options),
      problems_(problems),
      incidents_(incidents),
      cohorts_(cohorts) {}

absl::Status ProblemFinder::Load(absl::Time now, ProblemSink& sink) {
  arrivals_.clear();
  open_.clear();
  member_of_.clear();
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<v1::Problem> problems,
                            problems_.OpenProblems());
  for (const v1::Problem& problem : problems) {
    Open& open = open_[problem.id()];
    open.problem = problem;
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<v1::Incident> members,
                              problems_.MembersOf(problem.id()));
    for (const v1::Incident& member : members) {
      Arrival arrival;
      arrival.endpoint = member.endpoint_id();
      arrival.cohorts = cohorts_.Of(member.endpoint_id());
      Count(arrival, open);
      if (member.has_closed_at()) continue;
      open.standing.insert(member.id());
      member_of_[member.id()] = problem.id();
    }
  }
  for (auto it = open_.begin(); it != open_.end();) {
    if (!it->second.standing.empty()) {
      ++it;
      continue;
    }
    // Its last member closed while nobody looked.
    FOREWARN_RETURN_IF_ERROR(Close(it->second, now, sink));
    it = open_.erase(it);
  }
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Symptom> symptoms,
                            incidents_.OpenSymptoms());
  absl::c_stable_sort(symptoms, [](const v1::Symptom& a, const v1::Symptom& b) {
    return wire::ToTime(a.opened_at()) < wire::ToTime(b.opened_at());
  });
  for (const v1::Symptom& symptom : symptoms) {
    if (symptom.incident() == 0 || !Presses(symptom)) continue;
    v1::Incident incident;
    incident.set_id(symptom.incident());
    incident.set_endpoint_id(symptom.endpoint_id());
    IncidentChange change;
    change.kind = IncidentChange::Kind::kJoined;
    change.symptoms = {symptom};
    FOREWARN_RETURN_IF_ERROR(Observe(change, incident, now, sink));
  }
  return absl::OkStatus();
}

absl::Status ProblemFinder::Observe(const IncidentChange& change,
                                    const v1::Incident& stored, absl::Time now,
                                    ProblemSink& sink) {
  using Kind = IncidentChange::Kind;
  switch (change.kind) {
    case Kind::kResolved:
      return Leave(stored.id(), now, sink);
    case Kind::kOpened:
    case Kind::kJoined:
    case Kind::kReopened:
    case Kind::kUpdated:
      break;
    default:
      return absl::OkStatus();
  }
  if (change.symptoms.empty()) return absl::OkStatus();
  const v1::Symptom& symptom = change.symptoms.front();
  if (const auto member = member_of_.find(stored.id());
      member != member_of_.end()) {
    return Worsen(member->second, symptom, sink);
  }
  // A clock that runs ahead makes nothing newer than now.
  const absl::Time at = std::min(wire::ToTime(symptom.opened_at()), now);
  if (!Presses(symptom) || at < now - options_.slow_window) {
    return absl::OkStatus();
  }
  if (now - sizes_at_ >= kSizesGood || now < sizes_at_) {
    sizes_ = cohorts_.CountAll();
    sizes_at_ = now;
    Forget(now);
  }
  return Arrive(SymptomKey(symptom),
                {.at = at,
                 .endpoint = stored.endpoint_id(),
                 .incident = stored.id(),
                 .priority = symptom.priority(),
                 .subsystem = symptom.subsystem(),
                 .title = symptom.title(),
                 .cohorts = cohorts_.Of(stored.endpoint_id())},
                sink);
}

absl::Status ProblemFinder::Worsen(uint32_t problem, const v1::Symptom& symptom,
                                   ProblemSink& sink) {
  const auto it = open_.find(problem);
  if (it == open_.end() || !Presses(symptom) ||
      (it->second.worst != v1::PRIORITY_UNSPECIFIED &&
       symptom.priority() >= it->second.worst)) {
    return absl::OkStatus();
  }
  ProblemChange change;
  change.kind = ProblemChange::Kind::kJoined;
  change.problem = it->second.problem;
  change.priority = symptom.priority();
  FOREWARN_RETURN_IF_ERROR(sink.AcceptProblem(change).status());
  it->second.worst = symptom.priority();
  return absl::OkStatus();
}

void ProblemFinder::Forget(absl::Time now) {
  for (auto it = arrivals_.begin(); it != arrivals_.end();) {
    std::erase_if(it->second, [&](const Arrival& arrival) {
      return arrival.at < now - options_.slow_window ||
             member_of_.contains(arrival.incident);
    });
    it = it->second.empty() ? arrivals_.erase(it) : std::next(it);
  }
}

ProblemFinder::Fit ProblemFinder::Explains(const Open& open,
                                           const Arrival& arrival) const {
  const double members = static_cast<double>(open.endpoints.size());
  bool explained = false;
  for (const auto& [cohort, count] : open.counts) {
    const double part = count / members;
    const double of_fleet = static_cast<double>(SizeOf(sizes_, cohort)) /
                            std::max(1U, sizes_.fleet);
    if (part < kExplains || part < kLeastLift * of_fleet) continue;
    if (absl::c_linear_search(arrival.cohorts, cohort)) return Fit::kCohort;
    explained = true;
  }
  // What no cohort explains may befall anybody.
  return explained ? Fit::kNone : Fit::kAnybody;
}

ProblemFinder::Open* ProblemFinder::ProblemFor(const std::string& symptom,
                                               const Arrival& arrival) {
  for (auto& [id, open] : open_) {
    const absl::Duration since = absl::AbsDuration(
        arrival.at - wire::ToTime(open.problem.last_joined_at()));
    const Fit fit = Explains(open, arrival);
    if (fit == Fit::kNone) continue;
    const bool same = open.problem.symptom() == symptom &&
                      since <= (fit == Fit::kCohort ? options_.follow_window
                                                    : options_.slow_window);
    const bool near = open.problem.subsystem() == arrival.subsystem &&
                      since <= options_.window;
    if (same || near) return &open;
  }
  return nullptr;
}

absl::Status ProblemFinder::Arrive(const std::string& symptom, Arrival arrival,
                                   ProblemSink& sink) {
  Open* const open = ProblemFor(symptom, arrival);
  if (open == nullptr) {
    std::deque<Arrival>& arrivals = arrivals_[symptom];
    // One of an incident; those of members are a problem's already.
    std::erase_if(arrivals, [&](const Arrival& known) {
      return known.incident == arrival.incident ||
             member_of_.contains(known.incident);
    });
    if (arrivals.size() >= kMostArrivals) arrivals.pop_front();
    arrivals.push_back(std::move(arrival));
    return Begin(symptom, sink);
  }
  Count(arrival, *open);
  v1::Problem& problem = open->problem;
  *problem.mutable_last_joined_at() = wire::ToStamp(
      std::max(arrival.at, wire::ToTime(problem.last_joined_at())));
  problem.set_members(static_cast<uint32_t>(open->endpoints.size()));
  if (open->worst == v1::PRIORITY_UNSPECIFIED ||
      arrival.priority < open->worst) {
    open->worst = arrival.priority;
  }
  Describe(*open);
  FOREWARN_ASSIGN_OR_RETURN(
      problem, sink.AcceptProblem({.kind = ProblemChange::Kind::kJoined,
                                   .problem = problem,
                                   .incidents = {arrival.incident},
                                   .priority = arrival.priority,
                                   .example = arrival.title}));
  open->standing.insert(arrival.incident);
  member_of_[arrival.incident] = problem.id();
  return absl::OkStatus();
}

std::vector<const ProblemFinder::Arrival*> ProblemFinder::Enough(
    const std::deque<Arrival>& arrivals) const {
  using Found = std::vector<const Arrival*>;
  // The newest is the only news: it must be among them.
  const Arrival& newest = arrivals.back();
  const auto within = [&](absl::Duration window, const fleet::Cohort* cohort) {
    absl::flat_hash_set<absl::string_view> endpoints;
    Found found;
    for (const Arrival& arrival : arrivals) {
      if (absl::AbsDuration(newest.at - arrival.at) > window) continue;
      if (cohort != nullptr &&
          !absl::c_linear_search(arrival.cohorts, *cohort)) {
        continue;
      }
      if (endpoints.insert(arrival.endpoint).second) found.push_back(&arrival);
    }
    return found;
  };
  const auto enough = [&](size_t count, double share, uint32_t size) {
    return count >= options_.fewest && count >= share * size;
  };
  Found best;
  const auto consider = [&](Found found) {
    if (found.size() > best.size()) best = std::move(found);
  };
  if (Found all = within(options_.window, nullptr);
      enough(all.size(), options_.share, sizes_.fleet)) {
    consider(std::move(all));
  }
  for (const fleet::Cohort& cohort : newest.cohorts) {
    const uint32_t size = SizeOf(sizes_, cohort);
    Found slow = within(options_.slow_window, &cohort);
    if (enough(slow.size(), options_.slow_share, size)) {
      consider(std::move(slow));
      continue;
    }
    Found quick = within(options_.window, &cohort);
    if (enough(quick.size(), options_.share, size)) consider(std::move(quick));
  }
  return best;
}

absl::Status ProblemFinder::Begin(const std::string& symptom,
                                  ProblemSink& sink) {
  std::deque<Arrival>& arrivals = arrivals_[symptom];
  if (arrivals.size() < options_.fewest) return absl::OkStatus();
  const std::vector<const Arrival*> members = Enough(arrivals);
  if (members.empty()) return absl::OkStatus();
  ProblemChange change;
  change.example = members.front()->title;
  Open open;
  absl::Time last = absl::InfinitePast();
  for (const Arrival* member : members) {
    change.incidents.push_back(member->incident);
    if (change.priority == v1::PRIORITY_UNSPECIFIED ||
        member->priority < change.priority) {
      change.priority = member->priority;
    }
    last = std::max(last, member->at);
    open.standing.insert(member->incident);
    Count(*member, open);
  }
  open.worst = change.priority;
  v1::Problem& problem = open.problem;
  problem.set_symptom(symptom);
  problem.set_subsystem(members.front()->subsystem);
  *problem.mutable_opened_at() = wire::ToStamp(last);
  *problem.mutable_last_joined_at() = wire::ToStamp(last);
  problem.set_members(static_cast<uint32_t>(open.endpoints.size()));
  Describe(open);
  change.problem = problem;
  FOREWARN_ASSIGN_OR_RETURN(problem, sink.AcceptProblem(change));
  for (const uint32_t incident : open.standing) {
    member_of_[incident] = problem.id();
  }
  std::erase_if(arrivals, [&](const Arrival& arrival) {
    return member_of_.contains(arrival.incident);
  });
  open_[problem.id()] = std::move(open);
  return absl::OkStatus();
}

absl::Status ProblemFinder::Leave(uint32_t incident, absl::Time now,
                                  ProblemSink& sink) {
  const auto member = member_of_.find(incident);
  if (member == member_of_.end()) return absl::OkStatus();
  const auto it = open_.find(member->second);
  member_of_.erase(member);
  if (it == open_.end()) return absl::OkStatus();
  Open& open = it->second;
  open.standing.erase(incident);
  if (!open.standing.empty()) return absl::OkStatus();
  FOREWARN_RETURN_IF_ERROR(Close(open, now, sink));
  open_.erase(it);
  return absl::OkStatus();
}

absl::Status ProblemFinder::Close(const Open& open, absl::Time now,
                                  ProblemSink& sink) {
  ProblemChange change;
  change.kind = ProblemChange::Kind::kClosed;
  change.problem = open.problem;
  *change.problem.mutable_closed_at() = wire::ToStamp(now);
  return sink.AcceptProblem(change).status();
}

void ProblemFinder::Count(const Arrival& arrival, Open& open) const {
  if (!open.endpoints.insert(arrival.endpoint).second) return;
  for (const fleet::Cohort& cohort : arrival.cohorts) ++open.counts[cohort];
}

void ProblemFinder::Describe(Open& open) const {
  v1::Problem& problem = open.problem;
  problem.clear_factor_kind();
  problem.clear_factor();
  problem.clear_factor_share();
  problem.clear_lift();
  const double members = static_cast<double>(open.endpoints.size());
  for (const auto& [cohort, count] : open.counts) {
    const double part = count / members;
    const double lift =
        part * std::max(1U, sizes_.fleet) / SizeOf(sizes_, cohort);
    if (part < kExplains || lift < kLeastLift || lift <= problem.lift()) {
      continue;
    }
    problem.set_factor_kind(cohort.kind);
    problem.set_factor(cohort.name);
    problem.set_factor_share(part);
    problem.set_lift(lift);
  }
}

}  // namespace forewarn::correlate
