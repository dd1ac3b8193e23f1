#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_DATABASE_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protos/base/mutex.h"

struct sqlite3;
struct sqlite3_stmt;

namespace forewarn::store {

// A prepared statement in use; bind from 1, columns from 0. Errors are
// remembered and returned by Step, so that binds need no checks.
class Statement {
 public:
  Statement(sqlite3* database, absl::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;

  Statement& Bind(int index, absl::string_view text);
  Statement& Bind(int index, int64_t value);
  Statement& BindBlob(int index, absl::string_view bytes);
  Statement& BindTime(int index, absl::Time time);  // Unix us; infinite = NULL
  Statement& BindNull(int index);

  // True while there is a row.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();

  std::string Text(int column) const;  // also for blobs
  int64_t Int(int column) const;
  bool IsNull(int column) const;
  absl::Time Time(int column) const;  // NULL = InfinitePast

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  absl::Status error_;
};

// The desk database: one connection, WAL, synchronous=FULL, foreign keys on,
// trusted_schema off. One connection only: SQLite 3.7.0 to 3.51.2 can lose
// committed transactions when two write and checkpoint. Thread-safe.
class SqliteDatabase {
 public:
  // Opens or creates, checks (quick_check) and migrates to the newest schema
  // (PRAGMA user_version; store/migrations/NNN_*.sql, embedded). kDataLoss
  // when damaged: says what to restore and touches nothing;
  // kFailedPrecondition when the schema is newer than this program.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const std::string& path);
  ~SqliteDatabase();

  // Runs `body` in one IMMEDIATE transaction under the connection's lock;
  // commits when it returns OK, else rolls back. kUnavailable when busy,
  // kResourceExhausted when the disk is full.
  absl::Status Transaction(
      absl::FunctionRef<absl::Status(SqliteDatabase&)> body);

  // Only inside Transaction or Read.
  Statement Prepare(absl::string_view sql);
  int64_t last_insert_id() const;

  // Runs `body` under the lock without a transaction of its own.
  absl::Status Read(absl::FunctionRef<absl::Status(SqliteDatabase&)> body);

  static const char* LibraryVersion();

 private:
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}
  absl::Status Migrate();

  base::Mutex mutex_;
  sqlite3* const database_;
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_DATABASE_H_
