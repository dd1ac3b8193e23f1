#ifndef FOREWARN_COLLECTOR_DESK_DESK_STORE_H_
#define FOREWARN_COLLECTOR_DESK_DESK_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/correlate/forecast_record.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::desk {

struct TicketFilter {
  std::vector<v1::TicketState> states = {};  // empty = all
  std::string endpoint_id = {};
  std::string assignee = {};
  uint32_t problem = 0;    // the tickets of its members; 0 = any
  uint32_t before_id = 0;  // cursor: ids below it; 0 = from the newest
  uint32_t limit = 100;
};

struct SymptomFilter {
  bool open_only = false;
  std::string endpoint_id = {};
  std::string rule = {};
  uint32_t offset = 0;
  uint32_t limit = 100;
};

// The desk's tables as one transaction sees them, split by noun. Find and
// Update: kNotFound when there is no such row. What breaks a uniqueness rule
// of the desk is kAlreadyExists; the transaction must then be given up.

class TicketRows {
 public:
  virtual ~TicketRows() = default;
  virtual absl::Status InsertTicket(v1::Ticket& ticket) = 0;  // gives the id
  virtual absl::Status UpdateTicket(const v1::Ticket& ticket) = 0;
  virtual absl::StatusOr<v1::Ticket> FindTicket(uint32_t id) = 0;
  // Newest first.
  virtual absl::StatusOr<std::vector<v1::Ticket>> ListTickets(
      const TicketFilter& filter) = 0;
  // Tickets neither resolved nor closed, by endpoint id.
  virtual absl::StatusOr<std::vector<std::pair<std::string, uint32_t>>>
  CountOpenTickets() = 0;

  virtual absl::Status AppendEvent(v1::TicketEvent& event) = 0;
  // Oldest first; the newest `limit` of those at or after `since`.
  virtual absl::StatusOr<std::vector<v1::TicketEvent>> EventsOf(
      uint32_t ticket, absl::Time since, uint32_t limit) = 0;
};

class IncidentRows {
 public:
  virtual ~IncidentRows() = default;
  virtual absl::Status InsertIncident(v1::Incident& incident) = 0;
  virtual absl::Status UpdateIncident(const v1::Incident& incident) = 0;
  virtual absl::StatusOr<v1::Incident> FindIncident(uint32_t id) = 0;

  // A fingerprint belongs to one incident only while that incident or its
  // ticket is open. Claim takes for `incident` every fingerprint whose symptom
  // in it ever weighed more than INFO; kAlreadyExists when another incident
  // holds one of them. Release gives them back.
  virtual absl::Status ClaimFingerprints(uint32_t incident) = 0;
  virtual absl::Status ReleaseFingerprints(uint32_t incident) = 0;
  virtual absl::StatusOr<std::optional<uint32_t>> HolderOf(
      const std::string& fingerprint) = 0;
};

class ProblemRows {
 public:
  virtual ~ProblemRows() = default;
  virtual absl::Status InsertProblem(v1::Problem& problem) = 0;  // gives the id
  virtual absl::Status UpdateProblem(const v1::Problem& problem) = 0;
  // Of a ticket of kind PROBLEM.
  virtual absl::StatusOr<v1::Problem> ProblemOfTicket(uint32_t ticket) = 0;
  // An incident that joins twice is a member once.
  virtual absl::Status AddMember(uint32_t problem, uint32_t incident) = 0;
};

class SymptomRows {
 public:
  virtual ~SymptomRows() = default;
  // Writes the row (fingerprint, opened_at), new or known. One that belongs to
  // an incident and weighs more than INFO is claimed for it.
  virtual absl::Status SaveSymptom(const v1::Symptom& symptom) = 0;
  // The latest of each fingerprint, oldest first.
  virtual absl::StatusOr<std::vector<v1::Symptom>> SymptomsOf(
      uint32_t incident) = 0;
  // Newest first.
  virtual absl::StatusOr<std::vector<v1::Symptom>> ListSymptoms(
      const SymptomFilter& filter) = 0;
};

class OutboxRows {
 public:
  virtual ~OutboxRows() = default;
  // Gives the id. A key that the channel has already leaves all as it is.
  virtual absl::Status Enqueue(v1::Notification& notification) = 0;
  // Takes back what nobody has tried to send yet.
  virtual absl::Status Withdraw(uint32_t ticket) = 0;
  // Oldest first, at most the newest 200.
  virtual absl::StatusOr<std::vector<v1::Notification>> NotificationsOf(
      uint32_t ticket) = 0;
};

class ForecastRows {
 public:
  virtual ~ForecastRows() = default;
  // Known by fingerprint and claimed_at: then nothing changes.
  virtual absl::Status KeepScore(const correlate::ForecastScore& score) = 0;
  virtual absl::Status Prune(absl::Time before) = 0;
  // Counts of scores at or after `since`, by rule; not weighed.
  virtual absl::StatusOr<std::vector<v1::ForecastTally>> Tallies(
      absl::Time since) = 0;
};

// What they share; lives only inside a transaction's body.
class DeskTransaction {
 public:
  virtual ~DeskTransaction() = default;
  virtual TicketRows& tickets() = 0;
  virtual IncidentRows& incidents() = 0;
  virtual ProblemRows& problems() = 0;
  virtual SymptomRows& symptoms() = 0;
  virtual OutboxRows& outbox() = 0;
  virtual ForecastRows& forecasts() = 0;
};

// Where the desk is kept; collector/store implements it. Thread-safe; a body
// of Transaction or Read must not start another one.
class DeskStore {
 public:
  virtual ~DeskStore() = default;
  // All or nothing: commits when `body` returns OK. After OK it is durable.
  virtual absl::Status Transaction(
      absl::FunctionRef<absl::Status(DeskTransaction&)> body) = 0;
  // Runs `body`; its transactions, each still all or nothing, become durable
  // together when this returns OK. After an error none of them was kept.
  // Others wait meanwhile. Not to be nested.
  virtual absl::Status Together(absl::FunctionRef<void()> body) = 0;
  // One consistent view; `body` writes nothing.
  virtual absl::Status Read(
      absl::FunctionRef<absl::Status(DeskTransaction&)> body) = 0;
};

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_DESK_STORE_H_
