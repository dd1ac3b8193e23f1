#include "collector/correlate/memory_incidents.h"

#include "absl/strings/str_cat.h"
#include "collector/correlate/symptom_order.h"
#include "protos/wire/proto_time.h"

namespace forewarn::correlate {

absl::StatusOr<v1::Incident> MemoryIncidents::Accept(
    const IncidentChange& change) {
  if (change.kind == IncidentChange::Kind::kNoted) {
    for (const v1::Symptom& symptom : change.symptoms) {
      latest_[symptom.fingerprint()] = symptom;
    }
    return change.incident;
  }
  v1::Incident incident = change.incident;
  if (incident.id() == 0) {
    incident.set_id(static_cast<uint32_t>(records_.size()) + 1);
    incident.set_ticket(incident.id());
  } else if (!records_.contains(incident.id())) {
    return absl::NotFoundError(absl::StrCat("no incident ", incident.id()));
  }
  Record& record = records_[incident.id()];
  record.incident = incident;
  record.title = change.title;
  if (change.priority != v1::PRIORITY_UNSPECIFIED &&
      (record.priority == v1::PRIORITY_UNSPECIFIED ||
       change.priority < record.priority)) {
    record.priority = change.priority;
  }
  for (const v1::Symptom& symptom : change.symptoms) {
    v1::Symptom& row = record.symptoms[symptom.fingerprint()];
    row = symptom;
    row.set_incident(incident.id());
    row.set_ticket(incident.ticket());
    latest_[symptom.fingerprint()] = row;
    if (Weighs(symptom)) last_of_[symptom.fingerprint()] = incident.id();
  }
  return incident;
}

absl::StatusOr<std::vector<v1::Incident>> MemoryIncidents::OpenIncidents() {
  std::vector<v1::Incident> open;
  for (const auto& [id, record] : records_) {
    if (!record.incident.has_closed_at()) open.push_back(record.incident);
  }
  return open;
}

absl::StatusOr<std::vector<v1::Symptom>> MemoryIncidents::OpenSymptoms() {
  std::vector<v1::Symptom> open;
  for (const auto& [fingerprint, symptom] : latest_) {
    if (!symptom.has_cleared_at()) open.push_back(symptom);
  }
  return open;
}

absl::StatusOr<std::optional<v1::Incident>> MemoryIncidents::LastIncidentOf(
    const std::string& fingerprint, absl::Time since) {
  const auto last = last_of_.find(fingerprint);
  if (last == last_of_.end()) return std::nullopt;
  const v1::Incident& incident = records_.at(last->second).incident;
  if (incident.has_closed_at() && wire::ToTime(incident.closed_at()) < since) {
    return std::nullopt;
  }
  return incident;
}

absl::StatusOr<std::optional<v1::Symptom>> MemoryIncidents::LatestSymptomOf(
    const std::string& fingerprint) {
  const auto latest = latest_.find(fingerprint);
  if (latest == latest_.end()) return std::nullopt;
  return latest->second;
}

absl::StatusOr<std::vector<v1::Symptom>> MemoryIncidents::SymptomsOf(
    uint32_t incident) {
  const auto record = records_.find(incident);
  if (record == records_.end()) return std::vector<v1::Symptom>();
  std::vector<v1::Symptom> symptoms;
  for (const auto& [fingerprint, symptom] : record->second.symptoms) {
    symptoms.push_back(symptom);
  }
  return symptoms;
}

}  // namespace forewarn::correlate
