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

SqliteDatabase::~SqliteDatabase() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close_v2(database_);
}

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

absl::Status SqliteDatabase::Commit(absl::FunctionRef<absl::Status()> body) {
  FOREWARN_RETURN_IF_ERROR(
      Execute(database_, "BEGIN IMMEDIATE", "desk database: begin"));
  // Rolls back whatever way the body ends; some errors already did.
  absl::Cleanup roll_back = [this] {
    if (sqlite3_get_autocommit(database_) == 0) {
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
  };
  FOREWARN_RETURN_IF_ERROR(body());
  return Execute(database_, "COMMIT", "desk database: commit");
}

absl::Status SqliteDatabase::Transaction(
    absl::FunctionRef<absl::Status(SqliteDatabase&)> body) {
  if (InTogether()) return Part(body);
  base::MutexLock lock(&mutex_);
  return Commit([&] { return body(*this); });
}

absl::Status SqliteDatabase::Together(absl::FunctionRef<void()> body) {
  base::MutexLock lock(&mutex_);
  together_ = std::this_thread::get_id();
  absl::Cleanup alone_again = [this] { together_ = std::thread::id(); };
  return Commit([&] {
    body();
    return absl::OkStatus();
  });
}

absl::Status SqliteDatabase::Part(
    absl::FunctionRef<absl::Status(SqliteDatabase&)> body) {
  // A full disk, say, rolls back all at once; a savepoint would begin anew.
  if (sqlite3_get_autocommit(database_) != 0) {
    return absl::UnavailableError("desk database: the transaction is gone");
  }
  FOREWARN_RETURN_IF_ERROR(
      Execute(database_, "SAVEPOINT part", "desk database: begin"));
  absl::Cleanup roll_back = [this] {
    if (sqlite3_get_autocommit(database_) == 0) {
      sqlite3_exec(database_, "ROLLBACK TO part; RELEASE part", nullptr,
                   nullptr, nullptr);
    }
  };
  FOREWARN_RETURN_IF_ERROR(body(*this));
  std::move(roll_back).Cancel();
  return Execute(database_, "RELEASE part", "desk database: keep");
}

Statement SqliteDatabase::Prepare(absl::string_view sql) {
  return Statement(database_, sql, &idle_);
}

int64_t SqliteDatabase::last_insert_id() const {
  return sqlite3_last_insert_rowid(database_);
}

absl::Status SqliteDatabase::Read(
    absl::FunctionRef<absl::Status(SqliteDatabase&)> body) {
  if (InTogether()) return body(*this);
  base::MutexLock lock(&mutex_);
  return body(*this);
}

const char* SqliteDatabase::LibraryVersion() { return sqlite3_libversion(); }

}  // namespace forewarn::store
