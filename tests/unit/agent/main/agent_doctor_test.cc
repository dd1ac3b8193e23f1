#include <sys/stat.h>

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "agent/main/doctor.h"
#include "agent/main/state_lock.h"
#include "agent/main/status_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_certificates.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::TemporaryFolder;
using ::forewarn::testing::TestCa;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class AnsweringTransport final : public Transport {
 public:
  std::unique_ptr<Stream> Open(const std::string&, const Identity&) override {
    return nullptr;
  }
  absl::Status Probe(const std::string& collector, const Identity&,
                     absl::Duration) override {
    return collector == answering ? absl::OkStatus()
                                  : absl::UnavailableError("nobody answers");
  }
  std::string answering;
};

class AgentDoctorTest : public ::testing::Test {
 protected:
  AgentDoctorTest() { settings_.config.set_state_directory(state_); }
  void Enroll(absl::Time not_before, absl::Time not_after) {
    const TestCa::Issued issued = ca_.Issue("", not_before, not_after);
    FOREWARN_ASSERT_OK(store_.Save({.key_pem = issued.key_pem,
                                    .certificate_pem = issued.certificate_pem,
                                    .ca_pem = ca_.pem(),
                                    .endpoint_id = "1",
                                    .collectors = {"a:1", "b:1"},
                                    .urls = {},
                                    .not_before = {},
                                    .not_after = {}}));
  }

  const TestCa ca_;
  const TemporaryFolder folder_;
  const std::string state_ = folder_ / "state";
  KeyStore store_{base::Files::Posix(), state_};
  Settings settings_;
  const absl::Time now_ = absl::Now();
};

TEST_F(AgentDoctorTest, FindsAGoodCertificateGood) {
  Enroll(now_ - absl::Hours(1), now_ + absl::Hours(1));
  const Check check = CheckCertificate(store_, now_);
  EXPECT_EQ(check.health, Health::kGood);
  EXPECT_THAT(check.remedy, IsEmpty());
}

TEST_F(AgentDoctorTest, NamesTheRemedyForEachBadCertificate) {
  EXPECT_THAT(CheckCertificate(store_, now_).remedy, HasSubstr("enroll"));
  Enroll(now_ - absl::Hours(9), now_ - absl::Hours(1));
  EXPECT_EQ(CheckCertificate(store_, now_).health, Health::kFailed);
  EXPECT_THAT(CheckCertificate(store_, now_).finding, HasSubstr("expired"));
  Enroll(now_ + absl::Hours(1), now_ + absl::Hours(9));
  EXPECT_THAT(CheckCertificate(store_, now_).remedy, HasSubstr("clock"));
  Enroll(now_ - absl::Hours(9), now_ + absl::Hours(1));
  EXPECT_EQ(CheckCertificate(store_, now_).health, Health::kWarning);
}

TEST_F(AgentDoctorTest, OneCollectorThatAnswersIsEnough) {
  Enroll(now_ - absl::Hours(1), now_ + absl::Hours(1));
  AnsweringTransport transport;
  transport.answering = "b:1";
  const auto checks = CheckCollectors(settings_, store_, transport);
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_EQ(checks[0].health, Health::kWarning);
  EXPECT_EQ(checks[1].health, Health::kGood);
}

TEST_F(AgentDoctorTest, FailsWhenNoCollectorAnswers) {
  Enroll(now_ - absl::Hours(1), now_ + absl::Hours(1));
  AnsweringTransport transport;
  for (const Check& check : CheckCollectors(settings_, store_, transport)) {
    EXPECT_EQ(check.health, Health::kFailed);
    EXPECT_THAT(check.remedy, Not(IsEmpty()));
  }
}

TEST_F(AgentDoctorTest, FailsAStateFolderThatOthersMayRead) {
  EXPECT_EQ(CheckState(store_).health, Health::kWarning);  // not there
  FOREWARN_ASSERT_OK(store_.Prepare());
  EXPECT_EQ(CheckState(store_).health, Health::kGood);
  ASSERT_EQ(chmod(state_.c_str(), 0777), 0);
  EXPECT_EQ(CheckState(store_).health, Health::kFailed);
  EXPECT_THAT(CheckState(store_).remedy, HasSubstr("chmod 0700"));
}

TEST_F(AgentDoctorTest, SeesAnAgentThatIsStuckOrHasNoRoom) {
  FOREWARN_ASSERT_OK(store_.Prepare());
  EXPECT_EQ(CheckRunning(settings_, now_).health, Health::kWarning);
  const auto lock = StateLock::Take(settings_.PathInState("agent.lock"));
  FOREWARN_ASSERT_OK(lock);
  AgentStatus status;
  status.written_at = now_;
  FOREWARN_ASSERT_OK(
      WriteStatusFile(settings_.PathInState("status.json"), status));
  EXPECT_EQ(CheckRunning(settings_, now_).health, Health::kGood);
  EXPECT_EQ(CheckRunning(settings_, now_ + absl::Hours(1)).health,
            Health::kFailed);
  status.spool_error = "RESOURCE_EXHAUSTED: no space left on device";
  FOREWARN_ASSERT_OK(
      WriteStatusFile(settings_.PathInState("status.json"), status));
  EXPECT_THAT(CheckRunning(settings_, now_).remedy, HasSubstr("free space"));
}

TEST_F(AgentDoctorTest, ASourceWithNothingToReadIsWell) {
  SourceReadings readings{.source = "battery",
                          .status = absl::NotFoundError("no battery"),
                          .readings = {}};
  EXPECT_EQ(CheckSource(readings).health, Health::kGood);
  readings.status = absl::PermissionDeniedError("open /dev/kmsg");
  EXPECT_EQ(CheckSource(readings).health, Health::kWarning);
  readings.status = absl::InternalError("broken");
  EXPECT_EQ(CheckSource(readings).health, Health::kFailed);
  EXPECT_THAT(CheckSource(readings).remedy, HasSubstr("battery"));
}

}  // namespace
}  // namespace forewarn::agent
