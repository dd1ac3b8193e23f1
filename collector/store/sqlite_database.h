#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_DATABASE_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_DATABASE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "collector/store/sqlite_statement.h"
#include "protos/base/mutex.h"

struct sqlite3;

namespace forewarn::store {

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

  // Runs `body` in one transaction under the lock; Transaction and Read called
  // in it on the same thread are parts of that one, each Transaction all or
  // nothing by itself. After an error nothing of them was kept. Not to be
  // nested.
  absl::Status Together(absl::FunctionRef<void()> body);

  // Only inside Transaction or Read.
  Statement Prepare(absl::string_view sql);
  int64_t last_insert_id() const;

  // Runs `body` under the lock without a transaction of its own.
  absl::Status Read(absl::FunctionRef<absl::Status(SqliteDatabase&)> body);

  static const char* LibraryVersion();

 private:
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}
  absl::Status Migrate();
  absl::Status Commit(absl::FunctionRef<absl::Status()> body);
  // One of those that Together keeps; the lock is held.
  absl::Status Part(absl::FunctionRef<absl::Status(SqliteDatabase&)> body);
  bool InTogether() const {
    return together_.load(std::memory_order_relaxed) ==
           std::this_thread::get_id();
  }

  base::Mutex mutex_;
  // Of the thread that runs Together; written under the lock.
  std::atomic<std::thread::id> together_ = std::thread::id();
  sqlite3* const database_;
  IdleStatements idle_;
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_DATABASE_H_
