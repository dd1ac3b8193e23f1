#include "collector/identity/access_tokens.h"

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/base/mutex.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace forewarn::identity {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kPin(64, 'a');

class FakeTokenStore final : public TokenStore {
 public:
  absl::Status AddToken(StoredToken& token) override {
    base::MutexLock lock(&mutex_);
    token.info.set_id(static_cast<uint32_t>(tokens_.size() + 1));
    tokens_[token.info.id()] = token;
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<v1::TokenInfo>> ListTokens() override {
    base::MutexLock lock(&mutex_);
    std::vector<v1::TokenInfo> infos;
    for (const auto& [id, token] : tokens_) infos.push_back(token.info);
    return infos;
  }
  absl::StatusOr<StoredToken> FindToken(const std::string& hash) override {
    base::MutexLock lock(&mutex_);
    ++look_ups;
    if (!broken.ok()) return broken;
    for (const auto& [id, token] : tokens_) {
      if (token.secret_hash == hash) return token;
    }
    return absl::NotFoundError("no such token");
  }
  absl::Status UseToken(uint32_t id, const std::string& used_by,
                        absl::Time) override {
    base::MutexLock lock(&mutex_);
    v1::TokenInfo& info = tokens_[id].info;
    if (!info.used_by().empty()) return absl::FailedPreconditionError("used");
    info.set_used_by(used_by);
    return absl::OkStatus();
  }
  absl::Status TouchToken(uint32_t id, absl::Time now) override {
    base::MutexLock lock(&mutex_);
    ++touches;
    tokens_[id].info.mutable_last_used_at()->set_seconds(
        absl::ToUnixSeconds(now));
    return absl::OkStatus();
  }
  absl::Status RevokeToken(uint32_t id, absl::Time now) override {
    base::MutexLock lock(&mutex_);
    if (tokens_.count(id) == 0) return absl::NotFoundError("no such token");
    tokens_[id].info.mutable_revoked_at()->set_seconds(
        absl::ToUnixSeconds(now));
    return absl::OkStatus();
  }
  absl::Status AppendAudit(const std::string& actor, const std::string& verb,
                           const std::string& object, const std::string& detail,
                           absl::Time) override {
    base::MutexLock lock(&mutex_);
    audit.push_back(absl::StrCat(actor, " ", verb, " ", object, " ", detail));
    return audit_status;
  }

  absl::Status broken;
  absl::Status audit_status;
  std::vector<std::string> audit;
  int look_ups = 0;
  int touches = 0;

  std::string Dump() {
    base::MutexLock lock(&mutex_);
    std::string all;
    for (const auto& [id, token] : tokens_) {
      absl::StrAppend(&all, token.info.ShortDebugString(), token.secret_hash);
    }
    return all;
  }

 private:
  base::Mutex mutex_;
  std::map<uint32_t, StoredToken> tokens_;
};

class AccessTokensTest : public ::testing::Test {
 protected:
  std::string NewToken(const std::string& kind, const std::string& role) {
    auto response = tokens_.Create(Request(kind, role), "admin");
    EXPECT_THAT(response, IsOk());
    return response.ok() ? response->secret() : "";
  }
  static v1::CreateTokenRequest Request(const std::string& kind,
                                        const std::string& role) {
    v1::CreateTokenRequest request;
    request.set_name("laptop of Ada");
    request.set_kind(kind);
    request.set_role(role);
    return request;
  }

  FakeTokenStore store_;
  FakeClock clock_;
  AccessTokens tokens_{store_, clock_, kPin, {"https://collector:8460"}};
};

TEST_F(AccessTokensTest, ApiTokenSaysWhoCalls) {
  const std::string secret = NewToken("api", "technician");
  EXPECT_EQ(secret.size(), 5u + 27u);
  auto principal = tokens_.Authenticate(secret);
  ASSERT_THAT(principal, IsOk());
  EXPECT_EQ(principal->name, "laptop of Ada");
  EXPECT_EQ(principal->role, "technician");
  EXPECT_EQ(principal->token_id, 1u);
}

TEST_F(AccessTokensTest, SecretsAreKeptAsHashesOnly) {
  const std::string secret = NewToken("api", "viewer");
  EXPECT_THAT(store_.Dump(), Not(HasSubstr(secret.substr(5))));
  for (const std::string& line : store_.audit) {
    EXPECT_THAT(line, Not(HasSubstr(secret.substr(5))));
  }
}

TEST_F(AccessTokensTest, TokensDiffer) {
  EXPECT_NE(NewToken("api", "viewer"), NewToken("api", "viewer"));
}

TEST_F(AccessTokensTest, AllWrongTokensLookAlikeAndCostALookUp) {
  const std::string good = NewToken("api", "viewer");
  std::string wrong = good;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  const std::string enrollment = NewToken("enroll", "");
  std::string messages;
  const std::vector<std::string> secrets = {
      "",         "fwa1.",        "hello",
      wrong,      enrollment,     good + "=",
      " " + good, good.substr(5), std::string(100'000, 'x')};
  for (const std::string& secret : secrets) {
    const int before = store_.look_ups;
    auto principal = tokens_.Authenticate(secret);
    EXPECT_THAT(principal, StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_EQ(store_.look_ups, before + 1);
    if (messages.empty()) messages = principal.status().ToString();
    EXPECT_EQ(principal.status().ToString(), messages);
  }
}

TEST_F(AccessTokensTest, ApiTokenExpiresAfterNinetyDays) {
  const std::string secret = NewToken("api", "viewer");
  clock_.Advance(absl::Hours(24 * 90) - absl::Seconds(1));
  EXPECT_THAT(tokens_.Authenticate(secret), IsOk());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(tokens_.Authenticate(secret),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AccessTokensTest, RevokedTokenIsRefusedAndTheDeedIsAudited) {
  const std::string secret = NewToken("api", "viewer");
  ASSERT_THAT(tokens_.Revoke(1, "ada"), IsOk());
  EXPECT_THAT(tokens_.Authenticate(secret),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(store_.audit,
              ElementsAre("admin token.create token/1 api laptop of Ada role "
                          "viewer",
                          "ada token.revoke token/1 "));
  EXPECT_THAT(tokens_.Revoke(77, "ada"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AccessTokensTest, UseIsNotedAtMostOnceAMinute) {
  const std::string secret = NewToken("api", "viewer");
  for (int i = 0; i < 10; ++i)
    ASSERT_THAT(tokens_.Authenticate(secret), IsOk());
  EXPECT_EQ(store_.touches, 1);
  clock_.Advance(absl::Minutes(1));
  ASSERT_THAT(tokens_.Authenticate(secret), IsOk());
  EXPECT_EQ(store_.touches, 2);
}

TEST_F(AccessTokensTest, ABrokenStoreIsNotTheCallersFault) {
  const std::string secret = NewToken("api", "viewer");
  store_.broken = absl::UnavailableError("database is busy");
  EXPECT_THAT(tokens_.Authenticate(secret),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AccessTokensTest, ATokenWithoutItsAuditLineDoesNotLeave) {
  store_.audit_status = absl::ResourceExhaustedError("disk full");
  EXPECT_THAT(tokens_.Create(Request("api", "admin"), "x"),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(AccessTokensTest, EnrollmentTokenCarriesPinAndAddress) {
  auto secret = ParseEnrollmentToken(NewToken("enroll", ""));
  ASSERT_THAT(secret, IsOk());
  EXPECT_EQ(secret->ca_pin, kPin);
  EXPECT_THAT(secret->urls, ElementsAre("https://collector:8460"));
}

TEST_F(AccessTokensTest, EnrollmentTokenWorksOnceWholeOrAsItsSecret) {
  auto request = Request("enroll", "");
  request.set_site("Oslo");
  request.add_tags("lab");
  auto created = tokens_.Create(request, "admin");
  ASSERT_THAT(created, IsOk());
  auto used = tokens_.UseEnrollmentToken(created->secret(), "id-1");
  ASSERT_THAT(used, IsOk());
  EXPECT_EQ(used->info.site(), "Oslo");
  EXPECT_THAT(used->tags, ElementsAre("lab"));
  EXPECT_THAT(tokens_.UseEnrollmentToken(created->secret(), "id-2"),
              StatusIs(absl::StatusCode::kUnauthenticated));
  auto inner = ParseEnrollmentToken(NewToken("enroll", ""));
  ASSERT_THAT(inner, IsOk());
  EXPECT_THAT(tokens_.UseEnrollmentToken(inner->secret, "id-3"), IsOk());
}

TEST_F(AccessTokensTest, ExactlyOneOfManyCallersWins) {
  const std::string token = NewToken("enroll", "");
  std::vector<std::thread> threads;
  std::vector<int> won(8, 0);
  for (size_t i = 0; i < won.size(); ++i) {
    threads.emplace_back([&, i] {
      won[i] = tokens_.UseEnrollmentToken(token, absl::StrCat("id-", i)).ok()
                   ? 1
                   : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  int sum = 0;
  for (int one : won) sum += one;
  EXPECT_EQ(sum, 1);
}

TEST_F(AccessTokensTest, EnrollmentTokenExpiresAfterADay) {
  const std::string token = NewToken("enroll", "");
  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(tokens_.UseEnrollmentToken(token, "id"),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AccessTokensTest, AnApiTokenEnrolsNobody) {
  const std::string token = NewToken("api", "admin");
  EXPECT_THAT(tokens_.UseEnrollmentToken(token, "id"),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(tokens_.UseEnrollmentToken(token.substr(5), "id"),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AccessTokensTest, RefusesBadRequests) {
  const auto create = [this](auto change) {
    v1::CreateTokenRequest request = Request("api", "admin");
    change(request);
    return tokens_.Create(request, "x").status();
  };
  const auto is_wrong = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(create([](auto& r) { r.set_kind("root"); }), is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_role("god"); }), is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_role(""); }), is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_kind("enroll"); }), is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_name(""); }), is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_name(std::string(129, 'n')); }),
              is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_name("a\nb"); }), is_wrong);
  EXPECT_THAT(create([](auto& r) { r.set_valid_hours(366 * 24 + 1); }),
              is_wrong);
  EXPECT_THAT(create([](auto& r) {
                for (int i = 0; i < 65; ++i) r.add_tags("t");
              }),
              is_wrong);
}

TEST(EnrollmentTokenTest, RefusesWhatIsNone) {
  const EnrollmentSecret good{.secret = std::string(27, 'x'),
                              .ca_pin = kPin,
                              .urls = {"https://a:1", "https://b:2"}};
  auto parsed = ParseEnrollmentToken(FormatEnrollmentToken(good) + "\n");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_THAT(parsed->urls, ElementsAre("https://a:1", "https://b:2"));

  const auto is_wrong = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseEnrollmentToken(""), is_wrong);
  EXPECT_THAT(ParseEnrollmentToken("fwe1.!!"), is_wrong);
  EXPECT_THAT(ParseEnrollmentToken("fwa1." + std::string(27, 'x')), is_wrong);
  EXPECT_THAT(ParseEnrollmentToken("fwe1." + std::string(9000, 'x')), is_wrong);
  EnrollmentSecret bad = good;
  bad.urls = {"http://plain"};
  EXPECT_THAT(ParseEnrollmentToken(FormatEnrollmentToken(bad)), is_wrong);
  bad = good;
  bad.urls.clear();
  EXPECT_THAT(ParseEnrollmentToken(FormatEnrollmentToken(bad)), is_wrong);
  bad = good;
  bad.ca_pin = "short";
  EXPECT_THAT(ParseEnrollmentToken(FormatEnrollmentToken(bad)), is_wrong);
}

}  // namespace
}  // namespace forewarn::identity
