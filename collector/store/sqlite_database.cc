#include "collector/store/sqlite_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "collector/store/migrations.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"

namespace forewarn::store {
namespace {

// "FWRN": marks the file as ours (PRAGMA application_id).
constexpr int64_t kApplicationId = 0x4657524E;

// Chosen: long enough for a predecessor that is just going down.
constexpr int kBusyMilliseconds = 2000;

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

absl::Status ErrorOf(sqlite3* database, absl::string_view deed) {
  const int extended = sqlite3_extended_errcode(database);
  return absl::Status(CodeOf(extended, database),
                      absl::StrCat(deed, ": ", sqlite3_errmsg(database)));
}

absl::Status Execute(sqlite3* database, const char* sql,
                     absl::string_view deed) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return ErrorOf(database, deed);
}

absl::StatusOr<std::string> FirstValue(sqlite3* database,
                                       absl::string_view sql) {
  Statement statement(database, sql);
  FOREWARN_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Text(0) : std::string();
}

absl::StatusOr<int64_t> FirstNumber(sqlite3* database, absl::string_view sql) {
  Statement statement(database, sql);
  FOREWARN_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::Status Damaged(const std::string& path, absl::string_view why) {
  return absl::DataLossError(absl::StrCat(
      "desk database ", path, " is damaged: ", why,
      "; restore it from a backup, or move it away together with its -wal "
      "file to begin with an empty desk; nothing was changed"));
}

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Connection = std::unique_ptr<sqlite3, Closer>;

absl::StatusOr<Connection> Connect(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  // One connection under our own lock: SQLite's own mutex has nothing to do.
  const int code = sqlite3_open_v2(
      path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  Connection connection(raw);
  if (raw == nullptr) return absl::ResourceExhaustedError("out of memory");
  if (code != SQLITE_OK) {
    const int error = sqlite3_system_errno(raw);
    const std::string deed = absl::StrCat("open desk database ", path);
    if ((code & 0xff) == SQLITE_CANTOPEN && error != 0) {
      return base::ErrnoStatus(error, deed);
    }
    return ErrorOf(raw, deed);
  }
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  for (const auto& [option, value] :
       {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
        std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        std::pair{SQLITE_DBCONFIG_DQS_DML, 0},
        std::pair{SQLITE_DBCONFIG_DQS_DDL, 0},
        std::pair{SQLITE_DBCONFIG_ENABLE_FKEY, 1}}) {
    sqlite3_db_config(raw, option, value, nullptr);
  }
  return connection;
}

// Looks at an existing file through a connection that cannot write, so that a
// damaged or foreign one stays as it is.
absl::Status Inspect(const std::string& path) {
  FOREWARN_ASSIGN_OR_RETURN(const Connection connection,
                            Connect(path, SQLITE_OPEN_READONLY));
  sqlite3* database = connection.get();
  const auto judge = [&](const absl::Status& status) {
    return absl::IsDataLoss(status) ? Damaged(path, status.message()) : status;
  };
  const auto version = FirstNumber(database, "PRAGMA user_version");
  if (!version.ok()) return judge(version.status());
  const auto mark = FirstNumber(database, "PRAGMA application_id");
  if (!mark.ok()) return judge(mark.status());
  const auto tables =
      FirstNumber(database, "SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return judge(tables.status());
  if (*tables > 0 && *mark != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is an SQLite database, but not a Forewarn desk"));
  }
  const int64_t newest = static_cast<int64_t>(Migrations().size());
  if (*version > newest) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "desk database %s has schema %d, this program knows up to %d: install "
        "the newer Forewarn that wrote it, or restore an older backup",
        path, *version, newest));
  }
  const auto verdict = FirstValue(database, "PRAGMA quick_check(1)");
  if (!verdict.ok()) return judge(verdict.status());
  if (*verdict != "ok") return Damaged(path, *verdict);
  return absl::OkStatus();
}

// Token hashes and names of people are nobody else's business; SQLite gives
// the -wal file the same mode.
absl::Status CreatePrivate(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("open desk database ", path));
  }
  close(file);
  return absl::OkStatus();
}

}  // namespace

Statement::Statement(sqlite3* database, absl::string_view sql)
    : database_(database) {
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()),
                         &statement_, nullptr) != SQLITE_OK) {
    error_ = ErrorOf(database, "desk database");
  }
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
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

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    const std::string& path) {
  const bool in_memory = path == ":memory:";
  struct stat facts;
  if (!in_memory && stat(path.c_str(), &facts) == 0 && facts.st_size > 0) {
    FOREWARN_RETURN_IF_ERROR(Inspect(path));
  }
  if (!in_memory) FOREWARN_RETURN_IF_ERROR(CreatePrivate(path));
  FOREWARN_ASSIGN_OR_RETURN(
      Connection connection,
      Connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  // EXCLUSIVE makes "one connection" hold against other processes too, and
  // keeps the index of the WAL off the disk.
  const absl::Status prepared = Execute(
      connection.get(),
      absl::StrCat(
          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; "
          "PRAGMA synchronous=",
          base::Seeded(base::Bug::kSendBeforeCommit) ? "OFF" : "FULL",
          "; PRAGMA foreign_keys=ON; "
          "PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; "
          "PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=16777216; "
          "BEGIN EXCLUSIVE; COMMIT")
          .c_str(),
      absl::StrCat("open desk database ", path));
  if (absl::IsUnavailable(prepared)) {
    return base::Annotate(prepared, "is another collector running?");
  }
  if (absl::IsDataLoss(prepared)) return Damaged(path, prepared.message());
  FOREWARN_RETURN_IF_ERROR(prepared);
  std::unique_ptr<SqliteDatabase> database(
      new SqliteDatabase(connection.release()));
  FOREWARN_RETURN_IF_ERROR(base::Annotate(
      database->Migrate(), absl::StrCat("migrate desk database ", path)));
  return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(database_); }

absl::Status SqliteDatabase::Migrate() {
  FOREWARN_ASSIGN_OR_RETURN(const int64_t known,
                            FirstNumber(database_, "PRAGMA user_version"));
  const absl::Span<const Migration> migrations = Migrations();
  for (size_t next = static_cast<size_t>(known); next < migrations.size();
       ++next) {
    const absl::Status moved = Transaction([&](SqliteDatabase&) {
      FOREWARN_RETURN_IF_ERROR(
          Execute(database_, migrations[next].sql, migrations[next].name));
      return Execute(database_,
                     absl::StrCat("PRAGMA application_id=", kApplicationId,
                                  "; PRAGMA user_version=", next + 1)
                         .c_str(),
                     migrations[next].name);
    });
    FOREWARN_RETURN_IF_ERROR(moved);
    base::Log(base::LogLevel::kInfo, "desk database migrated",
              {{"migration", migrations[next].name}});
  }
  return absl::OkStatus();
}

absl::Status SqliteDatabase::Transaction(
    absl::FunctionRef<absl::Status(SqliteDatabase&)> body) {
  base::MutexLock lock(&mutex_);
  FOREWARN_RETURN_IF_ERROR(
      Execute(database_, "BEGIN IMMEDIATE", "desk database: begin"));
  // Rolls back whatever way the body ends; some errors already did.
  absl::Cleanup roll_back = [this] {
    if (sqlite3_get_autocommit(database_) == 0) {
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
  };
  FOREWARN_RETURN_IF_ERROR(body(*this));
  return Execute(database_, "COMMIT", "desk database: commit");
}

Statement SqliteDatabase::Prepare(absl::string_view sql) {
  return Statement(database_, sql);
}

int64_t SqliteDatabase::last_insert_id() const {
  return sqlite3_last_insert_rowid(database_);
}

absl::Status SqliteDatabase::Read(
    absl::FunctionRef<absl::Status(SqliteDatabase&)> body) {
  base::MutexLock lock(&mutex_);
  return body(*this);
}

const char* SqliteDatabase::LibraryVersion() { return sqlite3_libversion(); }

}  // namespace forewarn::store
