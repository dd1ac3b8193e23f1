#include "collector/identity/certificates.h"

#include <openssl/pem.h>

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::identity {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::ElementsAre;
using Use = CertificateProfile::Use;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class CertificatesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto key = MakeP256Key();
    ASSERT_THAT(key, IsOk());
    key_ = *std::move(key);
    auto root = Make(Use::kRoot, nullptr, {});
    ASSERT_THAT(root, IsOk());
    root_ = *std::move(root);
  }

  absl::StatusOr<OwnedCertificate> Make(Use use, X509* issuer,
                                        std::vector<std::string> names) {
    return MakeCertificate({.use = use,
                            .common_name = use == Use::kRoot ? "root" : "leaf",
                            .uris = {},
                            .names = std::move(names),
                            .not_before = kNow,
                            .not_after = kNow + absl::Hours(1)},
                           key_.get(), issuer, key_.get());
  }

  OwnedKey key_;
  OwnedCertificate root_;
};

TEST_F(CertificatesTest, RootMaySignButNotHaveAnotherAuthorityBelow) {
  EXPECT_EQ(X509_get_pathlen(root_.get()), 0);
  EXPECT_EQ(X509_get_key_usage(root_.get()),
            static_cast<uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_EQ(X509_check_ca(root_.get()), 1);
}

TEST_F(CertificatesTest, LeavesAreNoAuthorities) {
  auto leaf = Make(Use::kServer, root_.get(), {"a.example"});
  ASSERT_THAT(leaf, IsOk());
  EXPECT_EQ(X509_check_ca(leaf->get()), 0);
  EXPECT_EQ(X509_get_key_usage(leaf->get()),
            static_cast<uint32_t>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf->get()),
            static_cast<uint32_t>(XKU_SSL_SERVER));
}

TEST_F(CertificatesTest, NamesAreDnsNamesAndAddresses) {
  auto leaf = Make(Use::kServer, root_.get(),
                   {"collector.example", "192.0.2.7", "2001:db8:0::1"});
  ASSERT_THAT(leaf, IsOk());
  EXPECT_THAT(NamesOf(leaf->get()),
              ElementsAre("192.0.2.7", "2001:db8::1", "collector.example"));
  EXPECT_EQ(X509_check_host(leaf->get(), "collector.example", 0, 0, nullptr),
            1);
  EXPECT_EQ(X509_check_ip_asc(leaf->get(), "192.0.2.7", 0), 1);
}

TEST_F(CertificatesTest, RefusesNamesWithOtherBytes) {
  EXPECT_THAT(Make(Use::kServer, root_.get(), {"a,URI:file:///etc"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Make(Use::kServer, root_.get(), {std::string("a\0b", 3)}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CertificatesTest, AServersCertificateIsNoneOfAnEndpoint) {
  auto leaf = Make(Use::kServer, root_.get(), {"a.example"});
  ASSERT_THAT(leaf, IsOk());
  EXPECT_THAT(CheckIssued(leaf->get(), root_.get(), Use::kServer, kNow),
              IsOk());
  EXPECT_THAT(CheckIssued(leaf->get(), root_.get(), Use::kEndpoint, kNow),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(CertificatesTest, SerialsDiffer) {
  auto first = Make(Use::kServer, root_.get(), {"a.example"});
  auto second = Make(Use::kServer, root_.get(), {"a.example"});
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(SerialOf(first->get()).size(), 32u);
  EXPECT_NE(SerialOf(first->get()), SerialOf(second->get()));
}

TEST_F(CertificatesTest, PemSurvivesTheRoundTripAndGarbageDoesNot) {
  auto pem = CertificatePem(root_.get());
  ASSERT_THAT(pem, IsOk());
  auto parsed = ParseCertificate(*pem);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(PinOf(parsed->get()), PinOf(root_.get()));
  EXPECT_EQ(PinOf(root_.get()).size(), 64u);
  for (const std::string& garbage :
       {std::string(), std::string("hello"), pem->substr(0, 200),
        std::string(20'000, 'A')}) {
    EXPECT_THAT(ParseCertificate(garbage),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(CertificatesTest, AnEncryptedKeyIsRefusedWithoutAPrompt) {
  OwnedBio output(BIO_new(BIO_s_mem()));
  char password[] = "x1y2z3";
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(
                output.get(), key_.get(), EVP_aes_256_cbc(), password,
                sizeof(password) - 1, nullptr, nullptr),
            1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(output.get(), &data);
  EXPECT_THAT(
      ParsePrivateKey(absl::string_view(data, static_cast<size_t>(size))),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace forewarn::identity
