#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_DESK_ROWS_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_DESK_ROWS_H_

#include <string>
#include <utility>
#include <vector>

#include "collector/desk/desk_store.h"
#include "collector/store/sqlite_database.h"

namespace forewarn::store {

// The desk's rows in SQLite, one unit a noun; all live only inside a
// transaction's body and borrow its database.

class SqliteTicketRows final : public desk::TicketRows {
 public:
  explicit SqliteTicketRows(SqliteDatabase& database) : database_(database) {}

  absl::Status InsertTicket(v1::Ticket& ticket) override;
  absl::Status UpdateTicket(const v1::Ticket& ticket) override;
  absl::StatusOr<v1::Ticket> FindTicket(uint32_t id) override;
  absl::StatusOr<std::vector<v1::Ticket>> ListTickets(
      const desk::TicketFilter& filter) override;
  absl::StatusOr<std::vector<std::pair<std::string, uint32_t>>>
  CountOpenTickets() override;
  absl::Status AppendEvent(v1::TicketEvent& event) override;
  absl::StatusOr<std::vector<v1::TicketEvent>> EventsOf(
      uint32_t ticket, absl::Time since, uint32_t limit) override;

 private:
  SqliteDatabase& database_;
};

class SqliteIncidentRows final : public desk::IncidentRows {
 public:
  explicit SqliteIncidentRows(SqliteDatabase& database) : database_(database) {}

  absl::Status InsertIncident(v1::Incident& incident) override;
  absl::Status UpdateIncident(const v1::Incident& incident) override;
  absl::StatusOr<v1::Incident> FindIncident(uint32_t id) override;
  absl::Status ClaimFingerprints(uint32_t incident) override;
  absl::Status ReleaseFingerprints(uint32_t incident) override;
  absl::StatusOr<std::optional<uint32_t>> HolderOf(
      const std::string& fingerprint) override;

  absl::StatusOr<std::vector<v1::Incident>> OpenIncidents();
  // The incident whose symptom row of this fingerprint is the latest.
  absl::StatusOr<std::optional<uint32_t>> LatestOf(
      const std::string& fingerprint);

 private:
  SqliteDatabase& database_;
};

class SqliteProblemRows final : public desk::ProblemRows {
 public:
  explicit SqliteProblemRows(SqliteDatabase& database) : database_(database) {}

  absl::Status InsertProblem(v1::Problem& problem) override;
  absl::Status UpdateProblem(const v1::Problem& problem) override;
  absl::StatusOr<v1::Problem> ProblemOfTicket(uint32_t ticket) override;
  absl::Status AddMember(uint32_t problem, uint32_t incident) override;

  absl::StatusOr<std::vector<v1::Problem>> OpenProblems();
  absl::StatusOr<std::vector<v1::Incident>> MembersOf(uint32_t problem);

 private:
  SqliteDatabase& database_;
};

class SqliteSymptomRows final : public desk::SymptomRows {
 public:
  explicit SqliteSymptomRows(SqliteDatabase& database) : database_(database) {}

  absl::Status SaveSymptom(const v1::Symptom& symptom) override;
  absl::StatusOr<std::vector<v1::Symptom>> SymptomsOf(
      uint32_t incident) override;
  absl::StatusOr<std::vector<v1::Symptom>> ListSymptoms(
      const desk::SymptomFilter& filter) override;

  absl::StatusOr<std::vector<v1::Symptom>> OpenSymptoms();
  absl::StatusOr<std::optional<v1::Symptom>> LatestOf(
      const std::string& fingerprint);

 private:
  SqliteDatabase& database_;
};

class SqliteForecastRows final : public desk::ForecastRows {
 public:
  explicit SqliteForecastRows(SqliteDatabase& database) : database_(database) {}

  absl::Status KeepScore(const correlate::ForecastScore& score) override;
  absl::Status Prune(absl::Time before) override;
  absl::StatusOr<std::vector<v1::ForecastTally>> Tallies(
      absl::Time since) override;

 private:
  SqliteDatabase& database_;
};

class SqliteOutboxRows final : public desk::OutboxRows {
 public:
  explicit SqliteOutboxRows(SqliteDatabase& database) : database_(database) {}

  absl::Status Enqueue(v1::Notification& notification) override;
  absl::Status Withdraw(uint32_t ticket) override;
  absl::StatusOr<std::vector<v1::Notification>> NotificationsOf(
      uint32_t ticket) override;

  absl::StatusOr<std::vector<v1::Notification>> Due(absl::Time now, int limit);
  absl::StatusOr<absl::Time> NextDue();
  absl::Status Failed(uint32_t id, const std::string& error,
                      absl::Time next_attempt);
  // Delivered, or given up with `error`.
  absl::Status Finished(uint32_t id, bool given_up, const std::string& error,
                        absl::Time now);
  // Removes what was done before `before`, some rows at a time.
  absl::Status Prune(absl::Time before);

  // A row was written since construction.
  bool enqueued() const { return enqueued_; }

 private:
  SqliteDatabase& database_;
  bool enqueued_ = false;
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_DESK_ROWS_H_
