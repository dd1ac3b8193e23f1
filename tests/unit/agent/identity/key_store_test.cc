#include "agent/identity/key_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_certificates.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::forewarn::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KeyStoreTest : public ::testing::Test {
 protected:
  Identity MakeIdentity() {
    const TestCa::Issued issued = ca_.Issue("URI:forewarn://endpoint/42");
    return {.key_pem = issued.key_pem,
            .certificate_pem = issued.certificate_pem,
            .ca_pem = ca_.pem(),
            .endpoint_id = "42",
            .collectors = {"a:8461", "b:8461"},
            .urls = {"https://a:8460"},
            .not_before = {},
            .not_after = {}};
  }
  mode_t ModeOf(const std::string& name) {
    struct stat facts {};
    EXPECT_EQ(stat((state_ + name).c_str(), &facts), 0) << name;
    return facts.st_mode & 0777;
  }

  const TestCa ca_;
  const TemporaryFolder folder_;
  const std::string state_ = folder_ / "state";
  KeyStore store_{base::Files::Posix(), state_};
};

TEST_F(KeyStoreTest, GivesBackWhatWasStored) {
  const Identity identity = MakeIdentity();
  FOREWARN_ASSERT_OK(store_.Save(identity));
  const auto loaded = store_.Load();
  FOREWARN_ASSERT_OK(loaded);
  EXPECT_EQ(loaded->key_pem, identity.key_pem);
  EXPECT_EQ(loaded->certificate_pem, identity.certificate_pem);
  EXPECT_EQ(loaded->ca_pem, identity.ca_pem);
  EXPECT_EQ(loaded->endpoint_id, "42");
  EXPECT_THAT(loaded->collectors, ElementsAre("a:8461", "b:8461"));
  EXPECT_THAT(loaded->urls, ElementsAre("https://a:8460"));
  EXPECT_LT(loaded->not_before, loaded->not_after);
}

TEST_F(KeyStoreTest, KeepsEverythingForTheOwnerOnly) {
  FOREWARN_ASSERT_OK(store_.Save(MakeIdentity()));
  EXPECT_EQ(ModeOf(""), 0700u);
  EXPECT_EQ(ModeOf("/agent.pem"), 0600u);
  EXPECT_EQ(ModeOf("/enrollment.json"), 0600u);
}

TEST_F(KeyStoreTest, IsNotFoundBeforeEnrolment) {
  EXPECT_FALSE(store_.enrolled());
  EXPECT_THAT(store_.Load(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(KeyStoreTest, ReplacesKeyAndCertificateAtARenewal) {
  FOREWARN_ASSERT_OK(store_.Save(MakeIdentity()));
  const TestCa::Issued renewed = ca_.Issue("");
  FOREWARN_ASSERT_OK(
      store_.SaveRenewal(renewed.key_pem, renewed.certificate_pem));
  const auto loaded = store_.Load();
  FOREWARN_ASSERT_OK(loaded);
  EXPECT_EQ(loaded->key_pem, renewed.key_pem);
  EXPECT_EQ(loaded->endpoint_id, "42");
}

TEST_F(KeyStoreTest, DoesNotStoreACertificateForAnotherKey) {
  Identity identity = MakeIdentity();
  identity.key_pem = ca_.Issue("").key_pem;
  EXPECT_THAT(store_.Save(identity),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(store_.enrolled());
}

TEST_F(KeyStoreTest, SaysWhenItsFilesDoNotFitTogether) {
  FOREWARN_ASSERT_OK(store_.Save(MakeIdentity()));
  folder_.Write("state/ca.pem", TestCa().pem());
  EXPECT_THAT(store_.Load(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("enrol again")));
  EXPECT_TRUE(store_.enrolled());
}

TEST_F(KeyStoreTest, RefusesAFolderThatOthersMayRead) {
  FOREWARN_ASSERT_OK(store_.Prepare());
  ASSERT_EQ(chmod(state_.c_str(), 0755), 0);
  EXPECT_THAT(store_.Prepare(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                         HasSubstr("chmod 0700")));
}

TEST_F(KeyStoreTest, RefusesAFolderThatIsASymbolicLink) {
  ASSERT_EQ(mkdir((folder_ / "real").c_str(), 0700), 0);
  ASSERT_EQ(symlink((folder_ / "real").c_str(), state_.c_str()), 0);
  EXPECT_THAT(store_.Prepare(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace forewarn::agent
