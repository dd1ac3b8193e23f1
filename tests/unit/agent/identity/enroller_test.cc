#include "agent/identity/enroller.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/certificate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/agent/identity/fake_collector_https.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeCollectorHttps;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::forewarn::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EnrollerTest : public ::testing::Test {
 protected:
  std::string Token() const {
    return absl::StrCat("fwe1.",
                        absl::WebSafeBase64Escape(absl::StrCat(
                            "a-secret-of-twenty-bytes|", collector_.ca.pin(),
                            "|https://a:8460,https://b:8460")));
  }
  absl::StatusOr<Identity> EnrollNow() {
    v1::EndpointFacts facts;
    facts.set_host_name("host-1");
    return Enroll(Token(), facts, collector_, store_);
  }

  const TemporaryFolder folder_;
  FakeCollectorHttps collector_;
  KeyStore store_{base::Files::Posix(), folder_ / "state"};
};

TEST_F(EnrollerTest, StoresTheIdentityThatItWasGiven) {
  const auto identity = EnrollNow();
  FOREWARN_ASSERT_OK(identity);
  EXPECT_EQ(identity->endpoint_id, "endpoint-1");
  EXPECT_THAT(identity->collectors, ElementsAre("collector.example:8461"));
  const auto stored = store_.Load();
  FOREWARN_ASSERT_OK(stored);
  EXPECT_EQ(stored->certificate_pem, identity->certificate_pem);
  EXPECT_EQ(collector_.enroll.facts().host_name(), "host-1");
  EXPECT_EQ(collector_.enroll.token(), "a-secret-of-twenty-bytes");
  EXPECT_EQ(collector_.last_trusted.pin, collector_.ca.pin());
}

TEST_F(EnrollerTest, KeepsTheKeyToItself) {
  FOREWARN_ASSERT_OK(EnrollNow());
  EXPECT_THAT(collector_.enroll.ShortDebugString(),
              Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(EnrollerTest, GoesOnToTheNextUrlWhenNobodyAnswers) {
  collector_.unreachable_url = "https://a:8460";
  FOREWARN_ASSERT_OK(EnrollNow());
  EXPECT_THAT(collector_.urls, ElementsAre("https://a:8460", "https://b:8460"));
}

TEST_F(EnrollerTest, StopsAtTheFirstAnswerAndSaysWhatItWas) {
  collector_.status = 401;
  EXPECT_THAT(EnrollNow(), StatusIs(absl::StatusCode::kUnauthenticated,
                                    HasSubstr("because")));
  EXPECT_THAT(collector_.urls, ElementsAre("https://a:8460"));
  EXPECT_FALSE(store_.enrolled());
}

TEST_F(EnrollerTest, RefusesAnAnswerWithAnotherCa) {
  collector_.ca_in_answer = TestCa().pem();
  EXPECT_THAT(EnrollNow(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_FALSE(store_.enrolled());
}

TEST_F(EnrollerTest, LeavesTheTokenUnspentWhenTheStateFolderIsUnfit) {
  KeyStore store(base::Files::Posix(), "/proc/no-folder-here");
  EXPECT_FALSE(Enroll(Token(), {}, collector_, store).ok());
  EXPECT_TRUE(collector_.urls.empty());
}

TEST_F(EnrollerTest, RenewsWithANewKeyProvedByTheOld) {
  const auto old = EnrollNow();
  FOREWARN_ASSERT_OK(old);
  const auto renewed = Renew(collector_, store_);
  FOREWARN_ASSERT_OK(renewed);
  EXPECT_NE(renewed->key_pem, old->key_pem);
  EXPECT_EQ(renewed->endpoint_id, "endpoint-1");
  EXPECT_EQ(collector_.paths.back(), "/api/v1/renew");
  EXPECT_EQ(collector_.renew.certificate_pem(), old->certificate_pem);
  EXPECT_FALSE(collector_.renew.signature().empty());
  EXPECT_EQ(collector_.last_trusted.pem, collector_.ca.pem());
  EXPECT_EQ(store_.Load()->certificate_pem, renewed->certificate_pem);
}

TEST_F(EnrollerTest, RenewsAlsoWhenTheCertificateHasExpired) {
  collector_.not_before = absl::Now() - absl::Hours(48);
  collector_.not_after = absl::Now() - absl::Hours(24);
  FOREWARN_ASSERT_OK(EnrollNow());
  collector_.not_after = absl::Now() + absl::Hours(24);
  const auto renewed = Renew(collector_, store_);
  FOREWARN_ASSERT_OK(renewed);
  EXPECT_GT(renewed->not_after, absl::Now());
}

TEST_F(EnrollerTest, KeepsTheOldCertificateWhenRenewalIsRefused) {
  const auto old = EnrollNow();
  FOREWARN_ASSERT_OK(old);
  collector_.status = 401;
  EXPECT_FALSE(Renew(collector_, store_).ok());
  EXPECT_EQ(store_.Load()->certificate_pem, old->certificate_pem);
}

}  // namespace
}  // namespace forewarn::agent
