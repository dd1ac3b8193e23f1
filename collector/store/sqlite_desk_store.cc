#include "collector/store/sqlite_desk_store.h"

#include <utility>

#include "collector/store/sqlite_desk_rows.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::store {
namespace {

// How long done notifications are kept for people to look up.
constexpr absl::Duration kOutboxHistory = absl::Hours(24 * 30);

class SqliteDeskTransaction final : public desk::DeskTransaction {
 public:
  explicit SqliteDeskTransaction(SqliteDatabase& database)
      : tickets_(database),
        incidents_(database),
        problems_(database),
        symptoms_(database),
        outbox_(database),
        forecasts_(database) {}

  desk::TicketRows& tickets() override { return tickets_; }
  desk::IncidentRows& incidents() override { return incidents_; }
  desk::ProblemRows& problems() override { return problems_; }
  desk::SymptomRows& symptoms() override { return symptoms_; }
  desk::OutboxRows& outbox() override { return outbox_; }
  desk::ForecastRows& forecasts() override { return forecasts_; }
  bool enqueued() const { return outbox_.enqueued(); }

 private:
  SqliteTicketRows tickets_;
  SqliteIncidentRows incidents_;
  SqliteProblemRows problems_;
  SqliteSymptomRows symptoms_;
  SqliteOutboxRows outbox_;
  SqliteForecastRows forecasts_;
};

// Runs `read` under the database's lock and hands its value out.
template <typename T, typename F>
absl::StatusOr<T> ReadValue(SqliteDatabase& database, F read) {
  absl::StatusOr<T> value = absl::InternalError("not read");
  const absl::Status status = database.Read([&](SqliteDatabase& rows) {
    value = read(rows);
    return value.status();
  });
  if (!status.ok()) return status;
  return value;
}

}  // namespace

absl::Status SqliteDeskStore::Transaction(
    absl::FunctionRef<absl::Status(desk::DeskTransaction&)> body) {
  bool enqueued = false;
  FOREWARN_RETURN_IF_ERROR(database_.Transaction([&](SqliteDatabase& rows) {
    SqliteDeskTransaction transaction(rows);
    FOREWARN_RETURN_IF_ERROR(body(transaction));
    enqueued = transaction.enqueued();
    return absl::OkStatus();
  }));
  if (!enqueued) return absl::OkStatus();
  std::function<void()> listener;
  {
    base::MutexLock lock(&listener_mutex_);
    listener = listener_;
  }
  if (listener) listener();
  return absl::OkStatus();
}

absl::Status SqliteDeskStore::Together(absl::FunctionRef<void()> body) {
  return database_.Together(body);
}

absl::Status SqliteDeskStore::Read(
    absl::FunctionRef<absl::Status(desk::DeskTransaction&)> body) {
  return database_.Read([&](SqliteDatabase& rows) {
    SqliteDeskTransaction transaction(rows);
    return body(transaction);
  });
}

absl::StatusOr<std::vector<v1::Incident>> SqliteDeskStore::OpenIncidents() {
  return ReadValue<std::vector<v1::Incident>>(
      database_, [](SqliteDatabase& rows) {
        return SqliteIncidentRows(rows).OpenIncidents();
      });
}

absl::StatusOr<std::vector<v1::Symptom>> SqliteDeskStore::OpenSymptoms() {
  return ReadValue<std::vector<v1::Symptom>>(
      database_, [](SqliteDatabase& rows) {
        return SqliteSymptomRows(rows).OpenSymptoms();
      });
}

absl::StatusOr<std::optional<v1::Incident>> SqliteDeskStore::LastIncidentOf(
    const std::string& fingerprint, absl::Time since) {
  using Found = std::optional<v1::Incident>;
  if (base::Seeded(base::Bug::kForgetOpenIncidents)) return Found();
  return ReadValue<Found>(
      database_, [&](SqliteDatabase& rows) -> absl::StatusOr<Found> {
        SqliteIncidentRows incidents(rows);
        FOREWARN_ASSIGN_OR_RETURN(std::optional<uint32_t> id,
                                  incidents.HolderOf(fingerprint));
        const bool held = id.has_value();
        if (!held) {
          FOREWARN_ASSIGN_OR_RETURN(id, incidents.LatestOf(fingerprint));
        }
        if (!id.has_value()) return std::nullopt;
        FOREWARN_ASSIGN_OR_RETURN(v1::Incident incident,
                                  incidents.FindIncident(*id));
        if (!held && incident.has_closed_at() &&
            wire::ToTime(incident.closed_at()) < since) {
          return std::nullopt;
        }
        return incident;
      });
}

absl::StatusOr<std::optional<v1::Symptom>> SqliteDeskStore::LatestSymptomOf(
    const std::string& fingerprint) {
  if (base::Seeded(base::Bug::kForgetOpenIncidents)) return std::nullopt;
  return ReadValue<std::optional<v1::Symptom>>(
      database_, [&](SqliteDatabase& rows) {
        return SqliteSymptomRows(rows).LatestOf(fingerprint);
      });
}

absl::StatusOr<std::vector<v1::Symptom>> SqliteDeskStore::SymptomsOf(
    uint32_t incident) {
  return ReadValue<std::vector<v1::Symptom>>(
      database_, [&](SqliteDatabase& rows) {
        return SqliteSymptomRows(rows).SymptomsOf(incident);
      });
}

absl::StatusOr<std::vector<v1::Problem>> SqliteDeskStore::OpenProblems() {
  return ReadValue<std::vector<v1::Problem>>(
      database_, [](SqliteDatabase& rows) {
        return SqliteProblemRows(rows).OpenProblems();
      });
}

absl::StatusOr<std::vector<v1::Incident>> SqliteDeskStore::MembersOf(
    uint32_t problem) {
  return ReadValue<std::vector<v1::Incident>>(
      database_, [&](SqliteDatabase& rows) {
        return SqliteProblemRows(rows).MembersOf(problem);
      });
}

absl::StatusOr<std::vector<v1::Notification>> SqliteDeskStore::Due(
    absl::Time now, int limit) {
  return ReadValue<std::vector<v1::Notification>>(
      database_, [&](SqliteDatabase& rows) {
        return SqliteOutboxRows(rows).Due(now, limit);
      });
}

absl::StatusOr<absl::Time> SqliteDeskStore::NextDue() {
  return ReadValue<absl::Time>(database_, [](SqliteDatabase& rows) {
    return SqliteOutboxRows(rows).NextDue();
  });
}

absl::Status SqliteDeskStore::MarkDelivered(uint32_t id, absl::Time now) {
  return Finish(id, /*given_up=*/false, "", now);
}

absl::Status SqliteDeskStore::MarkFailed(uint32_t id, const std::string& error,
                                         absl::Time next_attempt) {
  return database_.Transaction([&](SqliteDatabase& rows) {
    return SqliteOutboxRows(rows).Failed(id, error, next_attempt);
  });
}

absl::Status SqliteDeskStore::GiveUp(uint32_t id, const std::string& error,
                                     absl::Time now) {
  return Finish(id, /*given_up=*/true, error, now);
}

absl::Status SqliteDeskStore::Finish(uint32_t id, bool given_up,
                                     const std::string& error, absl::Time now) {
  return database_.Transaction([&](SqliteDatabase& rows) {
    SqliteOutboxRows outbox(rows);
    FOREWARN_RETURN_IF_ERROR(outbox.Finished(id, given_up, error, now));
    return outbox.Prune(now - kOutboxHistory);
  });
}

void SqliteDeskStore::SetListener(std::function<void()> listener) {
  base::MutexLock lock(&listener_mutex_);
  listener_ = std::move(listener);
}

}  // namespace forewarn::store
