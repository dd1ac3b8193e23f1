#ifndef FOREWARN_COLLECTOR_DESK_TICKET_DESK_H_
#define FOREWARN_COLLECTOR_DESK_TICKET_DESK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "collector/correlate/forecast_record.h"
#include "collector/correlate/incident.h"
#include "collector/correlate/problem.h"
#include "collector/desk/desk_store.h"
#include "collector/desk/outbox.h"
#include "forewarn/v1/api.pb.h"
#include "forewarn/v1/desk.pb.h"
#include "protos/base/clock.h"

namespace forewarn::desk {

// Opens, updates and closes tickets: the service behind the API and at the
// end of the corridor. Every change is one transaction with its history row
// and its outbox rows. Thread-safe.
//
// Errors of the verbs: kNotFound no such ticket; kFailedPrecondition the
// workflow refuses (says which states allow it); kInvalidArgument text over
// 64 KiB or empty where it must not be.
class TicketDesk final : public correlate::IncidentSink,
                         public correlate::ProblemSink,
                         public correlate::ForecastBook {
 public:
  // `store` and `clock` must outlive it.
  TicketDesk(DeskStore& store, std::vector<OutboxChannel> channels,
             base::Clock& clock);

  absl::StatusOr<v1::Incident> Accept(
      const correlate::IncidentChange& change) override;
  absl::Status Together(absl::FunctionRef<void()> body) override;
  absl::StatusOr<v1::Problem> AcceptProblem(
      const correlate::ProblemChange& change) override;
  absl::StatusOr<v1::ForecastTally> KeepScore(
      const correlate::ForecastScore& score, absl::Time since) override;
  absl::StatusOr<std::vector<v1::ForecastTally>> Tallies(
      absl::Time since) override;

  absl::StatusOr<v1::Ticket> Acknowledge(uint32_t id, absl::string_view actor,
                                         absl::string_view comment);
  absl::StatusOr<v1::Ticket> Assign(uint32_t id, absl::string_view assignee,
                                    absl::string_view actor);
  absl::StatusOr<v1::Ticket> Comment(uint32_t id, absl::string_view comment,
                                     absl::string_view actor);
  absl::StatusOr<v1::Ticket> Resolve(uint32_t id, absl::string_view comment,
                                     absl::string_view actor);
  absl::StatusOr<v1::Ticket> Reopen(uint32_t id, absl::string_view comment,
                                    absl::string_view actor);

  absl::StatusOr<v1::TicketDetail> Find(uint32_t id) const;
  absl::StatusOr<std::vector<v1::Ticket>> List(
      const TicketFilter& filter) const;
  absl::StatusOr<std::vector<v1::Symptom>> Symptoms(
      const SymptomFilter& filter) const;
  // How the forecasts of each rule came out, of those that count still.
  absl::StatusOr<std::vector<v1::ForecastTally>> RecentTallies();
  // Open tickets by endpoint id.
  absl::StatusOr<std::vector<std::pair<std::string, uint32_t>>> OpenCounts()
      const;

 private:
  DeskStore& store_;
  const std::vector<OutboxChannel> channels_;
  base::Clock& clock_;
};

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_TICKET_DESK_H_
