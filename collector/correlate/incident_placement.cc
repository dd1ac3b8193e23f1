// Where a symptom belongs: the placing half of IncidentFolder.

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "collector/correlate/incident_folder.h"
#include "collector/correlate/subsystem_relation.h"
#include "collector/correlate/symptom_order.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::correlate {
namespace {

// When the edge that brought `symptom` here happened, in its own time.
absl::Time EdgeTime(const v1::Symptom& symptom) {
  const absl::Time opened = wire::ToTime(symptom.opened_at());
  return symptom.has_updated_at()
             ? std::max(opened, wire::ToTime(symptom.updated_at()))
             : opened;
}

// Attributes that name the thing a series is about.
constexpr absl::string_view kThings[] = {
    "forewarn.certificate.path",
    "forewarn.probe.name",
    "hw.id",
    "network.interface.name",
    "system.device",
    "system.filesystem.mountpoint",
    "systemd.unit.name",
};

bool NamesThing(const v1::Attribute& attribute) {
  return absl::c_linear_search(kThings, attribute.key());
}

// Whether both are about a thing of the same kind, and not the same one:
// another mount point, another unit.
bool AboutAnother(const v1::Symptom& a, const v1::Symptom& b) {
  bool comparable = false;
  for (const v1::Attribute& mine : a.attributes()) {
    for (const v1::Attribute& other : b.attributes()) {
      if (mine.key() != other.key() || !NamesThing(mine)) continue;
      if (mine.value() == other.value()) {
        // Every tmpfs has the same device; its mount point tells.
        if (mine.value() != "tmpfs") return false;
      } else {
        comparable = true;
      }
    }
  }
  return comparable;
}

}  // namespace

absl::Status IncidentFolder::Place(const v1::Symptom& symptom, absl::Time now,
                                   IncidentSink& sink) {
  const std::string& fingerprint = symptom.fingerprint();
  const Open* located = nullptr;
  if (const auto found = where_.find(fingerprint); found != where_.end()) {
    located = &incidents_[found->second];
    if (Weighs(located->symptoms.at(fingerprint))) {
      return Join(*located, symptom, now, sink);
    }
  }
  // An opening that the desk has already belongs where it was, however old.
  const bool known_opening = symptom.incident() != 0;
  FOREWARN_ASSIGN_OR_RETURN(
      const std::optional<v1::Incident> last,
      store_.LastIncidentOf(fingerprint, known_opening
                                             ? absl::InfinitePast()
                                             : now - options_.reopen_window));
  if (last.has_value()) {
    return Rejoin(*last, symptom, now, sink);
  }
  if (located == nullptr) located = RelatedIncident(symptom);
  return located != nullptr ? Join(*located, symptom, now, sink)
                            : OpenNew(symptom, now, sink);
}

absl::Status IncidentFolder::Rejoin(const v1::Incident& incident,
                                    const v1::Symptom& symptom, absl::Time now,
                                    IncidentSink& sink) {
  v1::Incident home = incident;
  Symptoms past;
  if (!incidents_.contains(home.id())) {
    FOREWARN_ASSIGN_OR_RETURN(past, PastOf(home));
    FOREWARN_ASSIGN_OR_RETURN(const std::optional<v1::Incident> rival,
                              RivalOf(home, past, symptom.fingerprint()));
    if (rival.has_value()) {
      // It holds a symptom that came with this one: the same trouble.
      home = *rival;
      FOREWARN_ASSIGN_OR_RETURN(past, PastOf(home));
    }
  }
  const auto open = incidents_.find(home.id());
  return open != incidents_.end() ? Join(open->second, symptom, now, sink)
                                  : Reopen(home, past, symptom, now, sink);
}

absl::Status IncidentFolder::PlaceInfo(const v1::Symptom& symptom,
                                       absl::Time now, IncidentSink& sink) {
  const Open* open = nullptr;
  if (const auto found = where_.find(symptom.fingerprint());
      found != where_.end()) {
    open = &incidents_[found->second];
  } else {
    open = RelatedIncident(symptom);
  }
  return open != nullptr ? Join(*open, symptom, now, sink)
                         : Note({symptom}, sink);
}

const IncidentFolder::Open* IncidentFolder::RelatedIncident(
    const v1::Symptom& symptom) const {
  const auto ids = by_endpoint_.find(symptom.endpoint_id());
  if (ids == by_endpoint_.end()) return nullptr;
  const absl::Time opened = wire::ToTime(symptom.opened_at());
  const auto near = [&](const google::protobuf::Timestamp& stamp) {
    return absl::AbsDuration(opened - wire::ToTime(stamp)) <=
           options_.fold_window;
  };
  // The closest kin: same subsystem and thing, then related, then begun at
  // the same time; of equals the oldest.
  const Open* best = nullptr;
  int best_rank = 3;
  for (const uint32_t id : ids->second) {
    const Open& open = incidents_.at(id);
    const auto& subsystems = open.incident.subsystems();
    int rank = 3;
    const bool begun_together = near(open.incident.opened_at());
    if (absl::c_linear_search(subsystems, symptom.subsystem())) {
      const bool other_thing =
          absl::c_all_of(open.symptoms, [&](const auto& entry) {
            return entry.second.subsystem() != symptom.subsystem() ||
                   AboutAnother(entry.second, symptom);
          });
      if (begun_together || !other_thing) rank = 0;
    } else if (absl::c_any_of(subsystems, [&](const std::string& other) {
                 return Related(other, symptom.subsystem());
               })) {
      rank = 1;
    } else if (begun_together && FoldsByTime(symptom.subsystem()) &&
               absl::c_all_of(subsystems, FoldsByTime)) {
      rank = 2;
    }
    if (rank < best_rank) {
      best = &open;
      best_rank = rank;
    }
  }
  return best;
}

absl::Status IncidentFolder::OpenNew(const v1::Symptom& symptom, absl::Time now,
                                     IncidentSink& sink) {
  v1::Incident incident;
  incident.set_endpoint_id(symptom.endpoint_id());
  *incident.mutable_opened_at() = symptom.opened_at();
  std::vector<v1::Symptom> rows = {symptom};
  if (const auto noted = noted_.find(symptom.endpoint_id());
      noted != noted_.end()) {
    for (const auto& [fingerprint, evidence] : noted->second) {
      if (evidence.incident() == 0 && fingerprint != symptom.fingerprint() &&
          Related(evidence.subsystem(), symptom.subsystem())) {
        rows.push_back(evidence);
      }
    }
  }
  return Apply(Describe(IncidentChange::Kind::kOpened, incident, {},
                        std::move(rows), EdgeTime(symptom), now),
               {}, sink);
}

absl::Status IncidentFolder::Join(const Open& open, const v1::Symptom& symptom,
                                  absl::Time now, IncidentSink& sink) {
  return Apply(Describe(IncidentChange::Kind::kJoined, open.incident,
                        open.symptoms, {symptom}, EdgeTime(symptom), now),
               open.symptoms, sink);
}

absl::Status IncidentFolder::Reopen(const v1::Incident& incident,
                                    const Symptoms& past,
                                    const v1::Symptom& symptom, absl::Time now,
                                    IncidentSink& sink) {
  v1::Incident reopened = incident;
  reopened.clear_closed_at();
  return Apply(Describe(IncidentChange::Kind::kReopened, reopened, past,
                        {symptom}, EdgeTime(symptom), now),
               past, sink);
}

absl::Status IncidentFolder::Note(std::vector<v1::Symptom> symptoms,
                                  IncidentSink& sink) {
  IncidentChange change;
  change.kind = IncidentChange::Kind::kNoted;
  change.incident.set_endpoint_id(symptoms.front().endpoint_id());
  change.at = EdgeTime(symptoms.front());
  change.symptoms = std::move(symptoms);
  FOREWARN_RETURN_IF_ERROR(sink.Accept(change).status());
  for (const v1::Symptom& symptom : change.symptoms) {
    if (symptom.has_cleared_at()) {
      Forget(symptom.fingerprint(), symptom.endpoint_id());
    } else {
      Remember(symptom);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<IncidentFolder::Symptoms> IncidentFolder::PastOf(
    const v1::Incident& incident) {
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Symptom> rows,
                            store_.SymptomsOf(incident.id()));
  Symptoms past;
  for (v1::Symptom& row : rows) {
    v1::Symptom& latest = past[row.fingerprint()];
    if (latest.fingerprint().empty() ||
        wire::ToTime(latest.opened_at()) < wire::ToTime(row.opened_at())) {
      latest = std::move(row);
    }
  }
  return past;
}

absl::StatusOr<std::optional<v1::Incident>> IncidentFolder::RivalOf(
    const v1::Incident& incident, const Symptoms& past,
    const std::string& returning) {
  // Its ticket is open still: it holds whatever it had that weighs.
  FOREWARN_ASSIGN_OR_RETURN(
      const std::optional<v1::Incident> own,
      store_.LastIncidentOf(returning, absl::InfiniteFuture()));
  if (own.has_value() && own->id() == incident.id()) return std::nullopt;
  for (const auto& [fingerprint, symptom] : past) {
    FOREWARN_ASSIGN_OR_RETURN(
        const std::optional<v1::Incident> holder,
        store_.LastIncidentOf(fingerprint, absl::InfiniteFuture()));
    if (holder.has_value() && holder->id() != incident.id()) return holder;
  }
  return std::nullopt;
}

}  // namespace forewarn::correlate
