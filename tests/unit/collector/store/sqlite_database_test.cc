#include "collector/store/sqlite_database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "collector/store/migrations.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::store {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// SQL from outside, as a foreign program would run it.
void RunOutside(const std::string& path, const char* sql) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(raw);
  sqlite3_close(raw);
}

absl::Status Audit(SqliteDatabase& database, absl::string_view detail) {
  return database.Transaction([&](SqliteDatabase& rows) {
    Statement insert = rows.Prepare(
        "INSERT INTO audit (time, actor, verb, object, detail) "
        "VALUES (1, 'a', 'b', 'c', ?)");
    return insert.Bind(1, detail).Run();
  });
}

int64_t CountAudit(SqliteDatabase& database) {
  int64_t count = -1;
  EXPECT_THAT(database.Read([&](SqliteDatabase& rows) {
    Statement select = rows.Prepare("SELECT count(*) FROM audit");
    const auto row = select.Step();
    count = select.Int(0);
    return row.status();
  }),
              IsOk());
  return count;
}

// A closed database of some pages.
void Fill(const std::string& path) {
  auto database = SqliteDatabase::Open(path);
  FOREWARN_ASSERT_OK(database);
  for (int i = 0; i < 20; ++i) {
    FOREWARN_ASSERT_OK(Audit(**database, std::string(2000, 'x')));
  }
}

TEST(SqliteDatabaseTest, ANewFileIsPrivateAndOfTheNewestSchema) {
  const TemporaryFolder folder;
  const auto database = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(database);
  struct stat facts;
  ASSERT_EQ(stat((folder / "desk.db").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  FOREWARN_EXPECT_OK((*database)->Read([](SqliteDatabase& rows) {
    Statement version = rows.Prepare("PRAGMA user_version");
    EXPECT_THAT(version.Step(), IsOk());
    EXPECT_EQ(version.Int(0), static_cast<int64_t>(Migrations().size()));
    Statement mode = rows.Prepare("PRAGMA journal_mode");
    EXPECT_THAT(mode.Step(), IsOk());
    EXPECT_EQ(mode.Text(0), "wal");
    Statement sync = rows.Prepare("PRAGMA synchronous");
    EXPECT_THAT(sync.Step(), IsOk());
    EXPECT_EQ(sync.Int(0), 2);
    Statement keys = rows.Prepare("PRAGMA foreign_keys");
    EXPECT_THAT(keys.Step(), IsOk());
    EXPECT_EQ(keys.Int(0), 1);
    Statement trusted = rows.Prepare("PRAGMA trusted_schema");
    EXPECT_THAT(trusted.Step(), IsOk());
    EXPECT_EQ(trusted.Int(0), 0);
    return absl::OkStatus();
  }));
}

TEST(SqliteDatabaseTest, KeepsWhatWasCommitted) {
  const TemporaryFolder folder;
  Fill(folder / "desk.db");
  const auto database = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(database);
  EXPECT_EQ(CountAudit(**database), 20);
}

TEST(SqliteDatabaseTest, KeepsWhatWasCommittedBeforeAKill) {
  const TemporaryFolder folder;
  const auto database = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(database);
  FOREWARN_ASSERT_OK(Audit(**database, "kept"));
  // What a killed process leaves: the file and its log, as they are mid-way
  // through the next transaction.
  FOREWARN_ASSERT_OK((*database)->Transaction([&](SqliteDatabase& rows) {
    EXPECT_THAT(
        rows.Prepare("INSERT INTO audit (time, actor, verb, object, detail) "
                     "VALUES (1, 'a', 'b', 'c', 'half')")
            .Run(),
        IsOk());
    std::filesystem::copy(folder / "desk.db", folder / "left.db");
    std::filesystem::copy(folder / "desk.db-wal", folder / "left.db-wal");
    return absl::OkStatus();
  }));
  const auto left = SqliteDatabase::Open(folder / "left.db");
  FOREWARN_ASSERT_OK(left);
  EXPECT_EQ(CountAudit(**left), 1);
}

TEST(SqliteDatabaseTest, AFailedBodyLeavesNothing) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  EXPECT_THAT((*database)->Transaction([](SqliteDatabase& rows) {
    EXPECT_THAT(
        rows.Prepare("INSERT INTO audit (time, actor, verb, object, detail) "
                     "VALUES (1, 'a', 'b', 'c', 'd')")
            .Run(),
        IsOk());
    return absl::CancelledError("changed my mind");
  }),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(CountAudit(**database), 0);
  FOREWARN_EXPECT_OK(Audit(**database, "usable"));
}

TEST(SqliteDatabaseTest, OfAGroupOnlyTheFailedPartIsTakenBack) {
  const auto opened = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(opened);
  SqliteDatabase& database = **opened;
  FOREWARN_EXPECT_OK(database.Together([&] {
    FOREWARN_EXPECT_OK(Audit(database, "first"));
    EXPECT_THAT(database.Transaction([](SqliteDatabase& rows) {
      FOREWARN_EXPECT_OK(
          rows.Prepare("INSERT INTO audit (time, actor, verb, object, detail) "
                       "VALUES (1, 'a', 'b', 'c', 'failed')")
              .Run());
      return absl::CancelledError("changed my mind");
    }),
                StatusIs(absl::StatusCode::kCancelled));
    FOREWARN_EXPECT_OK(Audit(database, "last"));
    EXPECT_EQ(CountAudit(database), 2);
  }));
  EXPECT_EQ(CountAudit(database), 2);
}

TEST(SqliteDatabaseTest, AGroupIsKeptWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const auto opened = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(opened);
  SqliteDatabase& database = **opened;
  FOREWARN_ASSERT_OK(database.Read([](SqliteDatabase& rows) {
    return rows.Prepare("PRAGMA max_page_count=60").Run();
  }));
  absl::Status refused;
  EXPECT_FALSE(database
                   .Together([&] {
                     for (int i = 0; i < 1000 && refused.ok(); ++i) {
                       refused = Audit(database, std::string(3000, 'x'));
                     }
                     EXPECT_FALSE(Audit(database, "after it").ok());
                   })
                   .ok());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(CountAudit(database), 0);
  FOREWARN_EXPECT_OK(Audit(database, "usable"));
}

TEST(SqliteDatabaseTest, OthersWaitForAGroup) {
  const auto opened = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(opened);
  SqliteDatabase& database = **opened;
  std::thread other;
  int64_t seen = -1;
  FOREWARN_EXPECT_OK(database.Together([&] {
    FOREWARN_EXPECT_OK(Audit(database, "first"));
    other = std::thread([&] { seen = CountAudit(database); });
    FOREWARN_EXPECT_OK(Audit(database, "second"));
  }));
  other.join();
  EXPECT_EQ(seen, 2);
}

TEST(SqliteDatabaseTest, AStatementUsedAgainRemembersNothing) {
  const auto opened = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(opened);
  FOREWARN_EXPECT_OK((*opened)->Read([](SqliteDatabase& rows) {
    const char* const sql = "SELECT ?1 UNION ALL SELECT 'b'";
    {
      Statement first = rows.Prepare(sql);
      EXPECT_THAT(first.Bind(1, "a").Step(), IsOk());
      // Two of one text at a time, each with its own place.
      Statement second = rows.Prepare(sql);
      EXPECT_THAT(second.Bind(1, "z").Step(), IsOk());
      EXPECT_EQ(first.Text(0), "a");
      EXPECT_EQ(second.Text(0), "z");
    }
    Statement again = rows.Prepare(sql);
    EXPECT_THAT(again.Step(), IsOk());
    EXPECT_TRUE(again.IsNull(0));
    return absl::OkStatus();
  }));
}

TEST(SqliteDatabaseTest, ADamagedFileIsRefusedAndLeftAsItIs) {
  const TemporaryFolder folder;
  const std::string path = folder / "desk.db";
  Fill(path);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 2; page < 20; ++page) {
      file.seekp(page * 4096);
      file << std::string(64, '\xee');
    }
  }
  const std::string before = Bytes(path);
  const auto opened = SqliteDatabase::Open(path);
  EXPECT_THAT(
      opened,
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("desk database " + path + " is damaged: "),
                     HasSubstr("restore it from a backup"))));
  EXPECT_EQ(Bytes(path), before);
}

TEST(SqliteDatabaseTest, AFileThatIsNoDatabaseIsRefusedAndLeftAsItIs) {
  const TemporaryFolder folder;
  const std::string text(8192, 'n');
  folder.Write("desk.db", text);
  EXPECT_THAT(SqliteDatabase::Open(folder / "desk.db"),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Bytes(folder / "desk.db"), text);
}

TEST(SqliteDatabaseTest, ANewerSchemaIsRefusedAndLeftAsItIs) {
  const TemporaryFolder folder;
  Fill(folder / "desk.db");
  RunOutside(folder / "desk.db", "PRAGMA user_version=999");
  const std::string before = Bytes(folder / "desk.db");
  EXPECT_THAT(SqliteDatabase::Open(folder / "desk.db"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("schema 999"),
                             HasSubstr("install the newer Forewarn"))));
  EXPECT_EQ(Bytes(folder / "desk.db"), before);
}

TEST(SqliteDatabaseTest, SomebodyElsesDatabaseIsRefused) {
  const TemporaryFolder folder;
  RunOutside(folder / "desk.db", "CREATE TABLE bookmarks (url TEXT)");
  EXPECT_THAT(SqliteDatabase::Open(folder / "desk.db"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("not a Forewarn desk")));
}

TEST(SqliteDatabaseTest, ASecondConnectionIsRefusedAsBusy) {
  const TemporaryFolder folder;
  const auto first = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(first);
  EXPECT_THAT(SqliteDatabase::Open(folder / "desk.db"),
              StatusIs(absl::StatusCode::kUnavailable));
  FOREWARN_EXPECT_OK(Audit(**first, "undisturbed"));
}

TEST(SqliteDatabaseTest, AMissingFolderIsNamed) {
  EXPECT_THAT(
      SqliteDatabase::Open("/nonexistent/desk.db"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/desk.db")));
}

TEST(SqliteDatabaseTest, AFullDiskIsSaidAndPasses) {
  const TemporaryFolder folder;
  const auto opened = SqliteDatabase::Open(folder / "desk.db");
  FOREWARN_ASSERT_OK(opened);
  SqliteDatabase& database = **opened;
  const auto limit = [&](const char* sql) {
    FOREWARN_ASSERT_OK(database.Read(
        [&](SqliteDatabase& rows) { return rows.Prepare(sql).Run(); }));
  };
  limit("PRAGMA max_page_count=60");
  absl::Status status;
  int kept = 0;
  while (status.ok() && kept < 1000) {
    status = Audit(database, std::string(3000, 'x'));
    if (status.ok()) ++kept;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(CountAudit(database), kept) << "half a row stayed";
  limit("PRAGMA max_page_count=1000");
  FOREWARN_EXPECT_OK(Audit(database, std::string(3000, 'x')));
  EXPECT_EQ(CountAudit(database), kept + 1);
}

TEST(SqliteDatabaseTest, AuditRowsNeitherChangeNorGo) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  FOREWARN_ASSERT_OK(Audit(**database, "x"));
  for (const char* sql :
       {"UPDATE audit SET detail = 'y'", "DELETE FROM audit"}) {
    EXPECT_THAT((*database)->Transaction([&](SqliteDatabase& rows) {
      return rows.Prepare(sql).Run();
    }),
                StatusIs(absl::StatusCode::kInternal));
  }
  EXPECT_EQ(CountAudit(**database), 1);
}

TEST(SqliteDatabaseTest, BoundTextIsDataWhateverItSays) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  const std::string hostile("'; DROP TABLE audit; --\0\xff\n", 26);
  FOREWARN_ASSERT_OK(Audit(**database, hostile));
  FOREWARN_EXPECT_OK((*database)->Read([&](SqliteDatabase& rows) {
    Statement select = rows.Prepare("SELECT detail FROM audit");
    EXPECT_THAT(select.Step(), IsOk());
    EXPECT_EQ(select.Text(0), hostile);
    return absl::OkStatus();
  }));
}

TEST(SqliteDatabaseTest, TimesKeepMicrosecondsAndInfinityIsNull) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  FOREWARN_EXPECT_OK((*database)->Read([&](SqliteDatabase& rows) {
    Statement select = rows.Prepare("SELECT ?, ?");
    select.BindTime(1, absl::FromUnixMicros(1'800'000'000'123'456))
        .BindTime(2, absl::InfiniteFuture());
    EXPECT_THAT(select.Step(), IsOk());
    EXPECT_EQ(select.Time(0), absl::FromUnixMicros(1'800'000'000'123'456));
    EXPECT_TRUE(select.IsNull(1));
    EXPECT_EQ(select.Time(1), absl::InfinitePast());
    return absl::OkStatus();
  }));
}

TEST(SqliteDatabaseTest, BadSqlIsAnErrorNotACrash) {
  const auto database = SqliteDatabase::Open(":memory:");
  FOREWARN_ASSERT_OK(database);
  EXPECT_THAT((*database)->Read([&](SqliteDatabase& rows) {
    Statement bad = rows.Prepare("SELECT FROM nowhere");
    return bad.Bind(1, "x").Run();
  }),
              StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace forewarn::store
