#include "collector/store/sqlite_token_store.h"

#include <memory>

#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/status_matchers.h"

namespace forewarn::store {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::wire::ToStamp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class SqliteTokenStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = SqliteDatabase::Open(":memory:");
    FOREWARN_ASSERT_OK(opened);
    database_ = *std::move(opened);
    store_ = std::make_unique<SqliteTokenStore>(*database_);
  }
  uint32_t Add(const std::string& hash) {
    identity::StoredToken token;
    token.info.set_kind("enroll");
    token.info.set_name("ward 3");
    *token.info.mutable_expires_at() = ToStamp(kNow + absl::Hours(24));
    token.tags = {"ward", "third floor"};
    token.secret_hash = hash;
    EXPECT_THAT(store_->AddToken(token), ::forewarn::testing::IsOk());
    return token.info.id();
  }

  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteTokenStore> store_;
};

TEST_F(SqliteTokenStoreTest, FindsATokenByItsHash) {
  const uint32_t id = Add("abc");
  const auto found = store_->FindToken("abc");
  FOREWARN_ASSERT_OK(found);
  EXPECT_EQ(found->info.id(), id);
  EXPECT_EQ(found->info.name(), "ward 3");
  EXPECT_THAT(found->tags, ElementsAre("ward", "third floor"));
  EXPECT_THAT(store_->FindToken("abd"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SqliteTokenStoreTest, AHashIsKeptOnce) {
  Add("abc");
  identity::StoredToken same;
  same.secret_hash = "abc";
  EXPECT_THAT(store_->AddToken(same),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(SqliteTokenStoreTest, ATokenIsUsedOnce) {
  const uint32_t id = Add("abc");
  FOREWARN_ASSERT_OK(store_->UseToken(id, "endpoint-1", kNow));
  EXPECT_THAT(store_->UseToken(id, "endpoint-2", kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("used before")));
  EXPECT_EQ(store_->FindToken("abc")->info.used_by(), "endpoint-1");
}

TEST_F(SqliteTokenStoreTest, ARevokedOrExpiredTokenIsNotUsed) {
  const uint32_t revoked = Add("abc");
  FOREWARN_ASSERT_OK(store_->RevokeToken(revoked, kNow));
  EXPECT_THAT(
      store_->UseToken(revoked, "e", kNow),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("revoked")));
  const uint32_t expired = Add("abd");
  EXPECT_THAT(
      store_->UseToken(expired, "e", kNow + absl::Hours(24)),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expired")));
}

TEST_F(SqliteTokenStoreTest, RevokingTwiceKeepsTheFirstTime) {
  const uint32_t id = Add("abc");
  FOREWARN_ASSERT_OK(store_->RevokeToken(id, kNow));
  FOREWARN_ASSERT_OK(store_->RevokeToken(id, kNow + absl::Hours(1)));
  EXPECT_EQ(wire::ToTime(store_->FindToken("abc")->info.revoked_at()), kNow);
}

TEST_F(SqliteTokenStoreTest, ListsInOrderAndRemembersUse) {
  const uint32_t first = Add("abc");
  Add("abd");
  FOREWARN_ASSERT_OK(store_->TouchToken(first, kNow));
  const auto tokens = store_->ListTokens();
  FOREWARN_ASSERT_OK(tokens);
  ASSERT_EQ(tokens->size(), 2u);
  EXPECT_EQ((*tokens)[0].id(), first);
  EXPECT_EQ(wire::ToTime((*tokens)[0].last_used_at()), kNow);
  EXPECT_FALSE((*tokens)[1].has_last_used_at());
}

TEST_F(SqliteTokenStoreTest, AnUnknownTokenIsNotFound) {
  EXPECT_THAT(store_->TouchToken(9, kNow),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->RevokeToken(9, kNow),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SqliteTokenStoreTest, AuditRowsSayWhoDidWhatToWhat) {
  FOREWARN_ASSERT_OK(
      store_->AppendAudit("kari", "token.create", "token 1", "api", kNow));
  FOREWARN_EXPECT_OK(database_->Read([](SqliteDatabase& rows) {
    Statement select =
        rows.Prepare("SELECT actor, verb, object, detail, time FROM audit");
    EXPECT_THAT(select.Step(), ::forewarn::testing::IsOkAndHolds(true));
    EXPECT_EQ(select.Text(0), "kari");
    EXPECT_EQ(select.Text(1), "token.create");
    EXPECT_EQ(select.Text(2), "token 1");
    EXPECT_EQ(select.Text(3), "api");
    EXPECT_EQ(select.Time(4), kNow);
    return absl::OkStatus();
  }));
}

}  // namespace
}  // namespace forewarn::store
