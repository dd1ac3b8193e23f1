#include "collector/correlate/incident_folder.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "collector/correlate/symptom_order.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::correlate {
namespace {

using Edge = ::forewarn::detect::SymptomEdge;

// For symptoms that name none; the rules' own default.
constexpr absl::Duration kDefaultQuiet = absl::Minutes(15);
// Other users of the desk wait so long; chosen.
constexpr size_t kClosedTogether = 64;

absl::Time TimeOr(bool present, const google::protobuf::Timestamp& stamp,
                  absl::Time otherwise) {
  return present ? wire::ToTime(stamp) : otherwise;
}

absl::Time OpenedAt(const v1::Symptom& symptom) {
  return wire::ToTime(symptom.opened_at());
}

// The newer verdict on a symptom that stands: what was seen at its opening and
// is not seen again is kept.
v1::Symptom Merge(const v1::Symptom& known, const v1::Symptom& newer) {
  v1::Symptom merged = newer;
  *merged.mutable_opened_at() = known.opened_at();
  merged.clear_cleared_at();
  merged.set_incident(known.incident());
  merged.set_ticket(known.ticket());
  if (known.has_since()) *merged.mutable_since() = known.since();
  const v1::Evidence& seen = known.evidence();
  if (seen.has_processes() && !merged.evidence().has_processes()) {
    *merged.mutable_evidence()->mutable_processes() = seen.processes();
  }
  if (merged.evidence().recent_events().empty()) {
    *merged.mutable_evidence()->mutable_recent_events() = seen.recent_events();
  }
  return merged;
}

// Before an incident with this symptom may close; zero where it does not count.
absl::Duration QuietOf(const v1::Symptom& symptom) {
  if (!Weighs(symptom)) return absl::ZeroDuration();
  return symptom.has_quiet() ? wire::ToDuration(symptom.quiet())
                             : kDefaultQuiet;
}

}  // namespace

bool IncidentFolder::IsReplay(Edge::Kind kind, const v1::Symptom& known,
                              const v1::Symptom& edge) {
  return kind != Edge::Kind::kStanding && OpenedAt(edge) <= OpenedAt(known);
}

absl::Status IncidentFolder::Load(absl::Time now) {
  named_.clear();
  return ReadOpen(now);
}

absl::Status IncidentFolder::Refresh(absl::Time now) {
  return stale_ ? ReadOpen(now) : absl::OkStatus();
}

absl::Status IncidentFolder::ReadOpen(absl::Time now) {
  stale_ = true;
  incidents_.clear();
  by_endpoint_.clear();
  where_.clear();
  noted_.clear();
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<v1::Incident> incidents,
                            store_.OpenIncidents());
  for (const v1::Incident& incident : incidents) {
    Open& open = incidents_[incident.id()];
    open.incident = incident;
    FOREWARN_ASSIGN_OR_RETURN(open.symptoms, PastOf(incident));
    by_endpoint_[incident.endpoint_id()].insert(incident.id());
    for (const auto& [fingerprint, symptom] : open.symptoms) {
      Locate(fingerprint, incident.id());
    }
    if (incident.has_resolve_after()) {
      absl::Duration longest;
      for (const auto& [fingerprint, symptom] : open.symptoms) {
        longest = std::max(longest, QuietOf(symptom));
      }
      *open.incident.mutable_resolve_after() =
          wire::ToStamp(now + QuietOr(longest));
    }
  }
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<v1::Symptom> symptoms,
                            store_.OpenSymptoms());
  for (const v1::Symptom& symptom : symptoms) {
    if (incidents_.contains(symptom.incident())) continue;
    where_.erase(symptom.fingerprint());  // an older spell
    Remember(symptom);
  }
  stale_ = false;
  return absl::OkStatus();
}

absl::Status IncidentFolder::Fold(const Edge& edge, absl::Time now,
                                  IncidentSink& sink) {
  const bool reconciled = edge.kind == Edge::Kind::kReconciled;
  if (edge.symptom.endpoint_id().empty() ||
      (edge.symptom.fingerprint().empty() && !reconciled)) {
    return absl::InvalidArgumentError(
        absl::StrCat("fold symptom of rule \"", edge.symptom.rule(),
                     "\": no endpoint or no fingerprint"));
  }
  FOREWARN_RETURN_IF_ERROR(Refresh(now));
  v1::Symptom symptom = edge.symptom;
  if (!symptom.has_opened_at())
    *symptom.mutable_opened_at() = wire::ToStamp(now);
  switch (edge.kind) {
    case Edge::Kind::kStanding:
      named_[symptom.endpoint_id()].insert(symptom.fingerprint());
      [[fallthrough]];
    case Edge::Kind::kOpened:
    case Edge::Kind::kUpdated:
      symptom.clear_cleared_at();
      return FoldStanding(edge.kind, symptom, now, sink);
    case Edge::Kind::kCleared:
      return FoldClear(symptom, now, sink);
    case Edge::Kind::kReconciled:
      return Reconcile(symptom, now, sink);
    case Edge::Kind::kScored:
      return absl::OkStatus();  // of what was, not of what is
  }
  return absl::InternalError("fold symptom: unknown kind of edge");
}

absl::StatusOr<size_t> IncidentFolder::FoldTogether(
    absl::Span<const Edge> edges, absl::Time now, IncidentSink& sink) {
  const Named named = named_;
  size_t taken = 0;
  const absl::Status kept = Together(sink, [&] {
    while (taken < edges.size() && Fold(edges[taken], now, sink).ok()) ++taken;
  });
  if (kept.ok()) return taken;
  named_ = named;
  return kept;
}

absl::Status IncidentFolder::Together(IncidentSink& sink,
                                      absl::FunctionRef<void()> body) {
  const absl::Status kept = sink.Together(body);
  if (!kept.ok()) stale_ = true;
  return kept;
}

absl::Status IncidentFolder::Tick(absl::Time now, IncidentSink& sink) {
  FOREWARN_RETURN_IF_ERROR(Refresh(now));
  std::vector<uint32_t> quiet;
  for (const auto& [id, open] : incidents_) {
    if (open.incident.has_resolve_after() &&
        wire::ToTime(open.incident.resolve_after()) <= now) {
      quiet.push_back(id);
    }
  }
  for (size_t next = 0; next < quiet.size();) {
    const size_t end = std::min(next + kClosedTogether, quiet.size());
    absl::Status closed;
    FOREWARN_RETURN_IF_ERROR(Together(sink, [&] {
      for (; next < end && closed.ok(); ++next) {
        closed = Close(quiet[next], now, sink);
      }
    }));
    FOREWARN_RETURN_IF_ERROR(closed);
  }
  return absl::OkStatus();
}

absl::Status IncidentFolder::Close(uint32_t id, absl::Time now,
                                   IncidentSink& sink) {
  const Open& open = incidents_[id];
  IncidentChange change = Describe(IncidentChange::Kind::kResolved,
                                   open.incident, open.symptoms, {}, now, now);
  *change.incident.mutable_closed_at() = wire::ToStamp(now);
  FOREWARN_RETURN_IF_ERROR(sink.Accept(change).status());
  for (const auto& [fingerprint, symptom] : open.symptoms) {
    const auto located = where_.find(fingerprint);
    if (located == where_.end() || located->second != id) continue;
    where_.erase(located);
    if (!symptom.has_cleared_at()) Remember(symptom);
  }
  auto siblings = by_endpoint_.find(open.incident.endpoint_id());
  siblings->second.erase(id);
  if (siblings->second.empty()) by_endpoint_.erase(siblings);
  incidents_.erase(id);
  return absl::OkStatus();
}

absl::Status IncidentFolder::FoldStanding(Edge::Kind kind,
                                          const v1::Symptom& symptom,
                                          absl::Time now, IncidentSink& sink) {
  if (const v1::Symptom* known =
          Current(symptom.fingerprint(), symptom.endpoint_id());
      known != nullptr && !known->has_cleared_at()) {
    return FoldUpdate(kind, *known, symptom, now, sink);
  }
  FOREWARN_ASSIGN_OR_RETURN(const std::optional<v1::Symptom> latest,
                            store_.LatestSymptomOf(symptom.fingerprint()));
  v1::Symptom opening = symptom;
  if (latest.has_value()) {
    if (IsReplay(kind, *latest, symptom)) return absl::OkStatus();
    if (OpenedAt(*latest) == OpenedAt(symptom)) {
      opening.set_incident(latest->incident());
      opening.set_ticket(latest->ticket());
    }
  }
  return Weighs(opening) ? Place(opening, now, sink)
                         : PlaceInfo(opening, now, sink);
}

absl::Status IncidentFolder::FoldUpdate(Edge::Kind kind,
                                        const v1::Symptom& known,
                                        const v1::Symptom& symptom,
                                        absl::Time now, IncidentSink& sink) {
  const bool same = known.priority() == symptom.priority();
  if (kind != Edge::Kind::kUpdated) {
    if (same ||
        (kind == Edge::Kind::kOpened && OpenedAt(symptom) <= OpenedAt(known))) {
      return absl::OkStatus();
    }
  } else if (known.has_updated_at() && symptom.has_updated_at()) {
    const absl::Time last = wire::ToTime(known.updated_at());
    const absl::Time next = wire::ToTime(symptom.updated_at());
    if (next < last || (next == last && same)) return absl::OkStatus();
  }
  const v1::Symptom merged = Merge(known, symptom);
  if (Weighs(merged) && !Weighs(known)) return Place(merged, now, sink);
  const auto located = where_.find(merged.fingerprint());
  if (located == where_.end()) return Note({merged}, sink);
  const Open& open = incidents_[located->second];
  const absl::Time at =
      TimeOr(merged.has_updated_at(), merged.updated_at(), OpenedAt(symptom));
  return Apply(Describe(IncidentChange::Kind::kUpdated, open.incident,
                        open.symptoms, {merged}, at, now),
               open.symptoms, sink);
}

absl::Status IncidentFolder::FoldClear(const v1::Symptom& symptom,
                                       absl::Time now, IncidentSink& sink) {
  const v1::Symptom* known =
      Current(symptom.fingerprint(), symptom.endpoint_id());
  if (known == nullptr || known->has_cleared_at()) return absl::OkStatus();
  const absl::Time at =
      TimeOr(symptom.has_cleared_at(), symptom.cleared_at(),
             TimeOr(symptom.has_updated_at(), symptom.updated_at(), now));
  if (at < OpenedAt(*known)) return absl::OkStatus();  // of an earlier spell
  v1::Symptom cleared = *known;
  *cleared.mutable_cleared_at() = wire::ToStamp(at);
  *cleared.mutable_updated_at() = wire::ToStamp(at);
  const auto located = where_.find(cleared.fingerprint());
  if (located == where_.end()) return Note({cleared}, sink);
  const Open& open = incidents_[located->second];
  return Apply(Describe(IncidentChange::Kind::kCleared, open.incident,
                        open.symptoms, {cleared}, at, now),
               open.symptoms, sink);
}

absl::Status IncidentFolder::Reconcile(const v1::Symptom& mark, absl::Time now,
                                       IncidentSink& sink) {
  const std::string& endpoint = mark.endpoint_id();
  const absl::Time at = TimeOr(mark.has_updated_at(), mark.updated_at(), now);
  const absl::flat_hash_set<std::string>& named = named_[endpoint];
  const auto gone = [&](const Symptoms& symptoms, uint32_t incident) {
    std::vector<v1::Symptom> cleared;
    for (const auto& [fingerprint, symptom] : symptoms) {
      if (symptom.has_cleared_at() || named.contains(fingerprint)) continue;
      const auto located = where_.find(fingerprint);
      if (located != where_.end() && located->second != incident) continue;
      v1::Symptom& row = cleared.emplace_back(symptom);
      const absl::Time cleared_at = std::max(at, OpenedAt(symptom));
      *row.mutable_cleared_at() = wire::ToStamp(cleared_at);
      *row.mutable_updated_at() = wire::ToStamp(cleared_at);
    }
    return cleared;
  };
  if (const auto ids = by_endpoint_.find(endpoint); ids != by_endpoint_.end()) {
    for (const uint32_t id : ids->second) {
      const Open& open = incidents_[id];
      std::vector<v1::Symptom> cleared = gone(open.symptoms, id);
      if (cleared.empty()) continue;
      FOREWARN_RETURN_IF_ERROR(
          Apply(Describe(IncidentChange::Kind::kCleared, open.incident,
                         open.symptoms, std::move(cleared), at, now),
                open.symptoms, sink));
    }
  }
  if (const auto noted = noted_.find(endpoint); noted != noted_.end()) {
    std::vector<v1::Symptom> cleared = gone(noted->second, 0);
    if (!cleared.empty()) {
      FOREWARN_RETURN_IF_ERROR(Note(std::move(cleared), sink));
    }
  }
  named_.erase(endpoint);
  return absl::OkStatus();
}

absl::Status IncidentFolder::Apply(const IncidentChange& change,
                                   const Symptoms& known, IncidentSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const v1::Incident stored, sink.Accept(change));
  Open& open = incidents_[stored.id()];
  open.incident = stored;
  // `known` is the incident's own map, or that of one read from the store.
  if (&open.symptoms != &known) {
    open.symptoms = known;
    for (const auto& [fingerprint, symptom] : known) {
      Locate(fingerprint, stored.id());
    }
  }
  by_endpoint_[stored.endpoint_id()].insert(stored.id());
  for (const v1::Symptom& changed : change.symptoms) {
    Forget(changed.fingerprint(), changed.endpoint_id());
    const auto located = where_.find(changed.fingerprint());
    if (located != where_.end() && located->second != stored.id()) {
      incidents_[located->second].symptoms.erase(changed.fingerprint());
    }
    where_[changed.fingerprint()] = stored.id();
    v1::Symptom& row = open.symptoms[changed.fingerprint()];
    row = changed;
    row.set_incident(stored.id());
    row.set_ticket(stored.ticket());
  }
  return absl::OkStatus();
}

IncidentChange IncidentFolder::Describe(IncidentChange::Kind kind,
                                        const v1::Incident& before,
                                        const Symptoms& known,
                                        std::vector<v1::Symptom> changed,
                                        absl::Time at, absl::Time now) const {
  IncidentChange change;
  change.kind = kind;
  change.incident = before;
  change.at = at;
  // Not copied: in a storm there are many, and each of them comes by here.
  absl::btree_map<absl::string_view, const v1::Symptom*> newer;
  for (v1::Symptom& symptom : changed) {
    symptom.set_incident(before.id());
    symptom.set_ticket(before.ticket());
    if (!absl::c_linear_search(before.subsystems(), symptom.subsystem()) &&
        !absl::c_linear_search(change.incident.subsystems(),
                               symptom.subsystem())) {
      change.incident.add_subsystems(symptom.subsystem());
    }
  }
  change.symptoms = std::move(changed);
  for (const v1::Symptom& symptom : change.symptoms) {
    newer[symptom.fingerprint()] = &symptom;
  }
  const v1::Symptom* lead = nullptr;
  const v1::Symptom* former = nullptr;  // the lead so far
  absl::Duration quiet;
  const auto look = [&](const v1::Symptom& symptom) {
    if (symptom.fingerprint() == before.lead_fingerprint()) former = &symptom;
    quiet = std::max(quiet, QuietOf(symptom));
    if (!Presses(symptom)) return;
    if (lead == nullptr || ExplainsBetter(symptom, *lead)) lead = &symptom;
    const v1::TimeLeft& left = symptom.evidence().time_left();
    if (left.has_limit_at()) {
      change.limit_at =
          std::min(change.limit_at, wire::ToTime(left.limit_at()));
    }
  };
  for (const auto& [fingerprint, symptom] : known) {
    if (!newer.contains(fingerprint)) look(symptom);
  }
  for (const auto& [fingerprint, symptom] : newer) look(*symptom);
  if (lead != nullptr) {
    // The order begins with priority: the lead's is the worst.
    change.priority = lead->priority();
    change.incident.set_lead_fingerprint(lead->fingerprint());
    change.incident.clear_cleared_at();
    change.incident.clear_resolve_after();
  } else {
    lead = former;
  }
  if (lead != nullptr) {
    change.title = lead->title();
    change.subsystem = lead->subsystem();
  }

  if (kind == IncidentChange::Kind::kResolved) return change;
  if (!change.incident.has_last_edge_at() ||
      wire::ToTime(change.incident.last_edge_at()) < at) {
    *change.incident.mutable_last_edge_at() = wire::ToStamp(at);
  }
  if (change.priority == v1::PRIORITY_UNSPECIFIED && !before.has_cleared_at()) {
    change.kind = IncidentChange::Kind::kAllClear;
    *change.incident.mutable_cleared_at() = wire::ToStamp(at);
    *change.incident.mutable_resolve_after() =
        wire::ToStamp(now + QuietOr(quiet));
  }
  return change;
}

absl::Duration IncidentFolder::QuietOr(absl::Duration longest) const {
  if (options_.quiet > absl::ZeroDuration()) return options_.quiet;
  return longest > absl::ZeroDuration() ? longest : kDefaultQuiet;
}

const v1::Symptom* IncidentFolder::Current(const std::string& fingerprint,
                                           const std::string& endpoint) const {
  if (const auto located = where_.find(fingerprint); located != where_.end()) {
    const Open& open = incidents_.at(located->second);
    const auto found = open.symptoms.find(fingerprint);
    return found == open.symptoms.end() ? nullptr : &found->second;
  }
  const auto noted = noted_.find(endpoint);
  if (noted == noted_.end()) return nullptr;
  const auto found = noted->second.find(fingerprint);
  return found == noted->second.end() ? nullptr : &found->second;
}

void IncidentFolder::Locate(const std::string& fingerprint, uint32_t id) {
  const Open& open = incidents_[id];
  const v1::Symptom& here = open.symptoms.at(fingerprint);
  const std::string& endpoint = open.incident.endpoint_id();
  const v1::Symptom* known = Current(fingerprint, endpoint);
  if (known != nullptr && OpenedAt(*known) > OpenedAt(here)) return;
  Forget(fingerprint, endpoint);
  where_[fingerprint] = id;
}

void IncidentFolder::Remember(const v1::Symptom& noted) {
  noted_[noted.endpoint_id()][noted.fingerprint()] = noted;
}

void IncidentFolder::Forget(const std::string& fingerprint,
                            const std::string& endpoint) {
  const auto noted = noted_.find(endpoint);
  if (noted == noted_.end()) return;
  noted->second.erase(fingerprint);
  if (noted->second.empty()) noted_.erase(noted);
}

}  // namespace forewarn::correlate
