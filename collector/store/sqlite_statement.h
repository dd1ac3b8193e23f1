#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_STATEMENT_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_STATEMENT_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace forewarn::store {

// What the last call on `database` failed with, after `deed`: kUnavailable
// busy or unreadable, kResourceExhausted full, kDataLoss damaged,
// kAlreadyExists a uniqueness rule, kInvalidArgument too big, else kInternal.
absl::Status ErrorOf(sqlite3* database, absl::string_view deed);

// Prepared statements that nobody uses just now, by their SQL.
using IdleStatements = absl::flat_hash_map<std::string, sqlite3_stmt*>;

// A prepared statement in use; bind from 1, columns from 0. Errors are
// remembered and returned by Step, so that binds need no checks.
class Statement {
 public:
  // Taken from `idle` and put back there, if given.
  Statement(sqlite3* database, absl::string_view sql,
            IdleStatements* idle = nullptr);
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
  IdleStatements* idle_;
  sqlite3_stmt* statement_ = nullptr;
  absl::Status error_;
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_STATEMENT_H_
