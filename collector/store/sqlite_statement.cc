#include "collector/store/sqlite_statement.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::store {
namespace {

// The desk has some sixty. Queries that differ in their text, as filters make
// them, fill it up; then it begins anew.
constexpr size_t kMostIdleStatements = 128;

absl::StatusCode CodeOf(int extended, sqlite3* database) {
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kUnavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_IOERR: {
      const int error = sqlite3_system_errno(database);
      return error == ENOSPC || error == EDQUOT
                 ? absl::StatusCode::kResourceExhausted
                 : absl::StatusCode::kUnavailable;
    }
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_CONSTRAINT:
      return extended == SQLITE_CONSTRAINT_UNIQUE ||
                     extended == SQLITE_CONSTRAINT_PRIMARYKEY
                 ? absl::StatusCode::kAlreadyExists
                 : absl::StatusCode::kInternal;
    case SQLITE_TOOBIG:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status ErrorOf(sqlite3* database, absl::string_view deed) {
  const int extended = sqlite3_extended_errcode(database);
  return absl::Status(CodeOf(extended, database),
                      absl::StrCat(deed, ": ", sqlite3_errmsg(database)));
}

Statement::Statement(sqlite3* database, absl::string_view sql,
                     IdleStatements* idle)
    : database_(database), idle_(idle) {
  if (idle != nullptr) {
    if (const auto found = idle->find(sql); found != idle->end()) {
      statement_ = found->second;
      idle->erase(found);
      return;
    }
  }
  const unsigned flags = idle == nullptr ? 0 : SQLITE_PREPARE_PERSISTENT;
  if (sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                         flags, &statement_, nullptr) != SQLITE_OK) {
    error_ = ErrorOf(database, "desk database");
  }
}

Statement::~Statement() {
  if (statement_ != nullptr && idle_ != nullptr) {
    if (idle_->size() >= kMostIdleStatements) {
      for (const auto& [sql, statement] : *idle_) sqlite3_finalize(statement);
      idle_->clear();
    }
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    if (idle_->emplace(sqlite3_sql(statement_), statement_).second) return;
  }
  sqlite3_finalize(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      idle_(other.idle_),
      statement_(std::exchange(other.statement_, nullptr)),
      error_(std::move(other.error_)) {}

Statement& Statement::Bind(int index, absl::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  if (error_.ok() &&
      sqlite3_bind_text64(statement_, index, data, text.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) {
    error_ = ErrorOf(database_, "desk database");
  }
  return *this;
}

Statement& Statement::Bind(int index, int64_t value) {
  if (error_.ok() &&
      sqlite3_bind_int64(statement_, index, value) != SQLITE_OK) {
    error_ = ErrorOf(database_, "desk database");
  }
  return *this;
}

Statement& Statement::BindBlob(int index, absl::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  if (error_.ok() && sqlite3_bind_blob64(statement_, index, data, bytes.size(),
                                         SQLITE_TRANSIENT) != SQLITE_OK) {
    error_ = ErrorOf(database_, "desk database");
  }
  return *this;
}

Statement& Statement::BindTime(int index, absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) {
    return BindNull(index);
  }
  return Bind(index, absl::ToUnixMicros(time));
}

Statement& Statement::BindNull(int index) {
  if (error_.ok() && sqlite3_bind_null(statement_, index) != SQLITE_OK) {
    error_ = ErrorOf(database_, "desk database");
  }
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (!error_.ok()) return error_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  error_ = ErrorOf(database_, "desk database");
  return error_;
}

absl::Status Statement::Run() {
  FOREWARN_ASSIGN_OR_RETURN(bool row, Step());
  while (row) {
    FOREWARN_ASSIGN_OR_RETURN(row, Step());
  }
  return absl::OkStatus();
}

std::string Statement::Text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), size);
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::Time Statement::Time(int column) const {
  return IsNull(column) ? absl::InfinitePast()
                        : absl::FromUnixMicros(Int(column));
}

}  // namespace forewarn::store
