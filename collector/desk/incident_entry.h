#ifndef FOREWARN_COLLECTOR_DESK_INCIDENT_ENTRY_H_
#define FOREWARN_COLLECTOR_DESK_INCIDENT_ENTRY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/correlate/incident.h"
#include "collector/desk/desk_store.h"
#include "collector/desk/outbox.h"

namespace forewarn::desk {

// Enters one step of an incident's life into the desk, inside the caller's
// transaction: incident, symptoms, the ticket with its history and its
// notifications. Returns the incident as stored.
absl::StatusOr<v1::Incident> EnterIncidentChange(
    const correlate::IncidentChange& change, DeskTransaction& rows,
    const std::vector<OutboxChannel>& channels, absl::Time now);

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_INCIDENT_ENTRY_H_
