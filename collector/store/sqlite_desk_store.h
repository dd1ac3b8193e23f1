#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_DESK_STORE_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_DESK_STORE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "collector/correlate/incident.h"
#include "collector/correlate/problem.h"
#include "collector/desk/desk_store.h"
#include "collector/desk/outbox.h"
#include "collector/store/sqlite_database.h"
#include "protos/base/mutex.h"

namespace forewarn::store {

// The desk in SQLite: tickets, incidents, symptoms and the outbox, over one
// database that other stores may share. Thread-safe.
class SqliteDeskStore final : public desk::DeskStore,
                              public correlate::IncidentStore,
                              public correlate::ProblemStore,
                              public desk::Outbox {
 public:
  // `database` must outlive it.
  explicit SqliteDeskStore(SqliteDatabase& database) : database_(database) {}

  absl::Status Transaction(
      absl::FunctionRef<absl::Status(desk::DeskTransaction&)> body) override;
  absl::Status Together(absl::FunctionRef<void()> body) override;
  absl::Status Read(
      absl::FunctionRef<absl::Status(desk::DeskTransaction&)> body) override;

  absl::StatusOr<std::vector<v1::Incident>> OpenIncidents() override;
  absl::StatusOr<std::vector<v1::Symptom>> OpenSymptoms() override;
  absl::StatusOr<std::optional<v1::Incident>> LastIncidentOf(
      const std::string& fingerprint, absl::Time since) override;
  absl::StatusOr<std::optional<v1::Symptom>> LatestSymptomOf(
      const std::string& fingerprint) override;
  absl::StatusOr<std::vector<v1::Symptom>> SymptomsOf(
      uint32_t incident) override;

  absl::StatusOr<std::vector<v1::Problem>> OpenProblems() override;
  absl::StatusOr<std::vector<v1::Incident>> MembersOf(
      uint32_t problem) override;

  absl::StatusOr<std::vector<v1::Notification>> Due(absl::Time now,
                                                    int limit) override;
  absl::StatusOr<absl::Time> NextDue() override;
  absl::Status MarkDelivered(uint32_t id, absl::Time now) override;
  absl::Status MarkFailed(uint32_t id, const std::string& error,
                          absl::Time next_attempt) override;
  absl::Status GiveUp(uint32_t id, const std::string& error,
                      absl::Time now) override;
  void SetListener(std::function<void()> listener) override;

 private:
  absl::Status Finish(uint32_t id, bool given_up, const std::string& error,
                      absl::Time now);

  SqliteDatabase& database_;
  base::Mutex listener_mutex_;
  std::function<void()> listener_ ABSL_GUARDED_BY(listener_mutex_);
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_DESK_STORE_H_
