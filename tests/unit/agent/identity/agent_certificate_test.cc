#include <openssl/evp.h>
#include <openssl/pem.h>

#include "agent/identity/certificate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificates.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TestCa;
using ::testing::HasSubstr;

TEST(AgentCertificateTest, MakesARequestThatItsKeySigned) {
  const auto key = MakeKeyPem();
  FOREWARN_ASSERT_OK(key);
  const auto csr = MakeCsrPem(*key, "endpoint");
  FOREWARN_ASSERT_OK(csr);
  const TestCa ca;
  const std::string certificate =
      ca.SignCsr(*csr, "URI:forewarn://endpoint/0123");
  FOREWARN_EXPECT_OK(CheckIssued(certificate, *key, ca.pem()));
  const auto facts = ReadCertificate(certificate);
  FOREWARN_ASSERT_OK(facts);
  EXPECT_EQ(facts->endpoint_id, "0123");
  EXPECT_FALSE(facts->is_ca);
}

TEST(AgentCertificateTest, MakesAnotherKeyEachTime) {
  EXPECT_NE(*MakeKeyPem(), *MakeKeyPem());
}

TEST(AgentCertificateTest, RefusesAForeignKeyOrCa) {
  const TestCa ca, other;
  const TestCa::Issued issued = ca.Issue("");
  EXPECT_THAT(CheckIssued(issued.certificate_pem, *MakeKeyPem(), ca.pem()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("not for this endpoint's key")));
  EXPECT_THAT(CheckIssued(issued.certificate_pem, issued.key_pem, other.pem()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("not signed by the collector's CA")));
}

TEST(AgentCertificateTest, ReadsTimesAndThePinOfACa) {
  const TestCa ca;
  const auto facts = ReadCertificate(ca.pem());
  FOREWARN_ASSERT_OK(facts);
  EXPECT_TRUE(facts->is_ca);
  EXPECT_EQ(facts->public_key_sha256, ca.pin());
  EXPECT_LT(facts->not_before, absl::Now());
  EXPECT_GT(facts->not_after, absl::Now());
}

TEST(AgentCertificateTest, SignatureIsByTheKeyOverTheText) {
  const TestCa ca;
  const TestCa::Issued issued = ca.Issue("");
  const auto signature = SignText(issued.key_pem, "the text");
  FOREWARN_ASSERT_OK(signature);
  BIO* bio = BIO_new_mem_buf(issued.certificate_pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  ASSERT_EQ(EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr,
                                 X509_get0_pubkey(certificate)),
            1);
  EXPECT_EQ(
      EVP_DigestVerify(
          digest, reinterpret_cast<const unsigned char*>(signature->data()),
          signature->size(), reinterpret_cast<const unsigned char*>("the text"),
          8),
      1);
  EVP_MD_CTX_free(digest);
  X509_free(certificate);
  BIO_free(bio);
}

TEST(AgentCertificateTest, RefusesGarbage) {
  EXPECT_FALSE(ReadCertificate("").ok());
  EXPECT_FALSE(ReadCertificate("-----BEGIN CERTIFICATE-----\nxx\n").ok());
  EXPECT_FALSE(MakeCsrPem("no key", "x").ok());
  EXPECT_FALSE(SignText("no key", "x").ok());
  EXPECT_FALSE(CheckIssued("", "", "").ok());
}

}  // namespace
}  // namespace forewarn::agent
