#include "agent/sources/certificate_source.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "agent/sources/certificate_expiry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/agent/sources/test_certificate.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::forewarn::testing::TestCertificate;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::string Readable(const std::string& path) {
  return absl::StrCat(
      "forewarn.certificate.readable{forewarn.certificate.path=", path, "}");
}
std::string TimeLeft(const std::string& path, const std::string& subject) {
  return absl::StrCat(
      "forewarn.certificate.time_left{forewarn.certificate.path=", path,
      ",forewarn.certificate.subject=", subject, "}");
}

TEST(CertificateExpiryTest, FindsTheCertificateThatExpiresFirst) {
  const TestCertificate late("late.example", kNow + absl::Hours(100));
  const TestCertificate early("early.example", kNow + absl::Hours(10));
  const auto expiry = EarliestExpiry(
      absl::StrCat(late.KeyPem(), late.Pem(), early.Pem(), late.Pem()));
  FOREWARN_ASSERT_OK(expiry);
  EXPECT_EQ(expiry->subject, "early.example");
  EXPECT_EQ(expiry->expires, kNow + absl::Hours(10));
}

TEST(CertificateExpiryTest, ReadsDerAndDnsNames) {
  const TestCertificate nameless("", kNow);
  const auto expiry = EarliestExpiry(nameless.Der());
  FOREWARN_ASSERT_OK(expiry);
  EXPECT_EQ(expiry->subject, "san.example");
}

TEST(CertificateExpiryTest, CleansHostileSubjects) {
  const TestCertificate hostile("a\x1b[31mb", kNow);
  const auto expiry = EarliestExpiry(hostile.Pem());
  FOREWARN_ASSERT_OK(expiry);
  EXPECT_EQ(expiry->subject, "a\xEF\xBF\xBD[31mb");
}

TEST(CertificateExpiryTest, RefusesWhatIsNoCertificate) {
  const TestCertificate good("good.example", kNow);
  EXPECT_THAT(EarliestExpiry(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(EarliestExpiry("garbage \x01\x02"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      EarliestExpiry(good.KeyPem()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("there is none")));
  EXPECT_THAT(
      EarliestExpiry(absl::StrCat(good.Pem(),
                                  "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                  "-----END CERTIFICATE-----\n")),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("damaged")));
}

TEST(CertificateSourceTest, ReadsConfiguredFilesAndFolders) {
  TemporaryFolder folder;
  const TestCertificate valid("valid.example", kNow + absl::Hours(24));
  const TestCertificate expired("old.example", kNow - absl::Hours(1));
  folder.Write("etc/ssl/web.pem", valid.Pem());
  folder.Write("etc/pki/old.crt", expired.Pem());
  folder.Write("etc/pki/old-key.pem", expired.KeyPem());
  folder.Write("etc/pki/broken.cer", "-----BEGIN CERTIFICATE-----\n!!");
  folder.Write("etc/pki/README", "no certificate");
  const HostFiles files(folder.path());
  CertificateSource source(
      files, {"/etc/ssl/web.pem", "/etc/pki", "/etc/missing.pem"});
  RecordingSink sink("certificate");
  FOREWARN_ASSERT_OK(source.Sample({kNow, absl::Hours(1)}, sink));
  EXPECT_EQ(sink.Value(Readable("/etc/ssl/web.pem")), 1);
  EXPECT_EQ(sink.Value(TimeLeft("/etc/ssl/web.pem", "valid.example")), 86400);
  EXPECT_EQ(sink.Value(TimeLeft("/etc/pki/old.crt", "old.example")), -3600);
  EXPECT_EQ(sink.Value(Readable("/etc/pki/broken.cer")), 0);
  EXPECT_EQ(sink.Value(Readable("/etc/missing.pem")), 0);
  EXPECT_EQ(sink.Count("forewarn.certificate.readable"), 4);
  EXPECT_EQ(sink.Count("forewarn.certificate.time_left"), 2);
}

TEST(CertificateSourceTest, AConfiguredFileWithOnlyAKeyIsNotReadable) {
  TemporaryFolder folder;
  folder.Write("key.pem", TestCertificate("x", kNow).KeyPem());
  const HostFiles files(folder.path());
  CertificateSource source(files, {"/key.pem"});
  RecordingSink sink("certificate");
  FOREWARN_ASSERT_OK(source.Sample({kNow, absl::Hours(1)}, sink));
  EXPECT_EQ(sink.Value(Readable("/key.pem")), 0);
}

TEST(CertificateSourceTest, LooksAtABoundedNumberOfFiles) {
  TemporaryFolder folder;
  for (int i = 0; i < 250; ++i) {
    folder.Write(absl::StrCat("many/", i, ".pem"), "no certificate");
  }
  const HostFiles files(folder.path());
  CertificateSource source(files, {"/many"});
  RecordingSink sink("certificate");
  FOREWARN_ASSERT_OK(source.Sample({kNow, absl::Hours(1)}, sink));
  EXPECT_EQ(sink.Count("forewarn.certificate.readable"), 200);
}

TEST(CertificateSourceTest, WithoutConfigurationThereIsNothing) {
  const HostFiles files("/nowhere");
  CertificateSource source(files, {});
  RecordingSink sink("certificate");
  EXPECT_THAT(source.Sample({kNow, absl::Hours(1)}, sink),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace forewarn::agent
