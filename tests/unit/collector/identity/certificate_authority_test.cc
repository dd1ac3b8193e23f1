#include "collector/identity/certificate_authority.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "collector/identity/certificates.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::identity {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::testing::HasSubstr;

constexpr char kEndpoint[] = "0b9f2c34-5f3e-4a4f-9a3c-2f1f0a6f2b10";
constexpr absl::Duration kDay = absl::Hours(24);

OwnedKey KeyOrDie() {
  auto key = MakeP256Key();
  return key.ok() ? *std::move(key) : nullptr;
}

// As a hostile endpoint would: with a subject and a name of its own choice.
std::string RequestFor(EVP_PKEY* key, const EVP_MD* digest = EVP_sha256()) {
  OwnedRequest request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key);
  X509_NAME_add_entry_by_NID(
      X509_REQ_get_subject_name(request.get()), NID_commonName, MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>("admin"), -1, -1, 0);
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(
      extensions, X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                      "critical,CA:TRUE"));
  sk_X509_EXTENSION_push(
      extensions, X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                      "URI:forewarn://endpoint/"
                                      "ffffffff-ffff-4fff-8fff-ffffffffffff"));
  X509_REQ_add_extensions(request.get(), extensions);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_REQ_sign(request.get(), key, digest);
  OwnedBio output(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(output.get(), request.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(output.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string Sign(EVP_PKEY* key, const std::string& data,
                 const EVP_MD* digest = EVP_sha256()) {
  OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key);
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, bytes, data.size());
  std::string signature(size, '\0');
  EVP_DigestSign(context.get(),
                 reinterpret_cast<unsigned char*>(signature.data()), &size,
                 bytes, data.size());
  signature.resize(size);
  return signature;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

mode_t ModeOf(const std::string& path) {
  struct stat facts;
  return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

class CertificateAuthorityTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    auto opened = CertificateAuthority::OpenOrCreate(folder_ / "ca", clock_);
    ASSERT_THAT(opened, IsOk());
    authority_ = *std::move(opened);
  }
  std::string CertificateFor(EVP_PKEY* key) {
    auto issued = authority_->SignEndpoint(RequestFor(key), kEndpoint);
    EXPECT_THAT(issued, IsOk());
    return issued.ok() ? issued->pem : "";
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  std::unique_ptr<CertificateAuthority> authority_;
};

TEST_F(CertificateAuthorityTest, KeepsItsKeyPrivateAndItsPinOverARestart) {
  EXPECT_EQ(ModeOf(folder_ / "ca"), 0700u);
  EXPECT_EQ(ModeOf(folder_ / "ca/ca-key.pem"), 0600u);
  const std::string pin = authority_->pin();
  const std::string pem = authority_->ca_pem();
  Open();
  EXPECT_EQ(authority_->pin(), pin);
  EXPECT_EQ(authority_->ca_pem(), pem);
}

TEST_F(CertificateAuthorityTest, RefusesAKeyFileThatOthersMayRead) {
  std::filesystem::permissions(folder_ / "ca/ca-key.pem",
                               std::filesystem::perms(0640));
  EXPECT_THAT(
      CertificateAuthority::OpenOrCreate(folder_ / "ca", clock_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("ca-key.pem")));
}

TEST_F(CertificateAuthorityTest, NeverReplacesALostKeySilently) {
  std::filesystem::remove(folder_ / "ca/ca-key.pem");
  EXPECT_THAT(CertificateAuthority::OpenOrCreate(folder_ / "ca", clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("restore the key")));
}

TEST_F(CertificateAuthorityTest, ACrashBetweenKeyAndRootKeepsThePin) {
  const std::string pin = authority_->pin();
  std::filesystem::remove(folder_ / "ca/ca.pem");
  Open();
  EXPECT_EQ(authority_->pin(), pin);
}

TEST_F(CertificateAuthorityTest, RefusesAForeignOrDamagedKey) {
  TemporaryFolder other;
  auto second = CertificateAuthority::OpenOrCreate(other / "ca", clock_);
  ASSERT_THAT(second, IsOk());
  std::filesystem::copy_file(other / "ca/ca-key.pem", folder_ / "ca/ca-key.pem",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(CertificateAuthority::OpenOrCreate(folder_ / "ca", clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  folder_.Write("ca/ca-key.pem", "garbage");
  EXPECT_THAT(CertificateAuthority::OpenOrCreate(folder_ / "ca", clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(CertificateAuthorityTest, SignsForSevenDaysWithTheCollectorsName) {
  const OwnedKey key = KeyOrDie();
  auto issued = authority_->SignEndpoint(RequestFor(key.get()), kEndpoint);
  ASSERT_THAT(issued, IsOk());
  EXPECT_EQ(issued->not_after, clock_.Now() + 7 * kDay);
  auto identity = authority_->VerifyPeer(issued->pem);
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->endpoint_id, kEndpoint);
  EXPECT_EQ(identity->serial, issued->serial);
}

TEST_F(CertificateAuthorityTest, IgnoresWhatTheRequestAsksFor) {
  const OwnedKey key = KeyOrDie();
  auto parsed = ParseCertificate(CertificateFor(key.get()));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(X509_check_ca(parsed->get()), 0);
  EXPECT_EQ(UrisOf(parsed->get()),
            std::vector<std::string>{std::string("forewarn://endpoint/") +
                                     kEndpoint});
  EXPECT_EQ(X509_get_extended_key_usage(parsed->get()),
            static_cast<uint32_t>(XKU_SSL_CLIENT));
}

TEST_F(CertificateAuthorityTest, AcceptsEd25519AndRefusesOtherKeys) {
  const OwnedKey ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_THAT(
      authority_->SignEndpoint(RequestFor(ed.get(), nullptr), kEndpoint),
      IsOk());
  const OwnedKey rsa(EVP_RSA_gen(2048));
  EXPECT_THAT(authority_->SignEndpoint(RequestFor(rsa.get()), kEndpoint),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const OwnedKey other(EVP_EC_gen("P-384"));
  EXPECT_THAT(authority_->SignEndpoint(RequestFor(other.get()), kEndpoint),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CertificateAuthorityTest, RefusesBadRequests) {
  const OwnedKey key = KeyOrDie();
  const std::string good = RequestFor(key.get());
  EXPECT_THAT(authority_->SignEndpoint("hello", kEndpoint),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      authority_->SignEndpoint(good + std::string(17'000, ' '), kEndpoint),
      StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(authority_->SignEndpoint(good, "x/../y"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CertificateAuthorityTest, RefusesARequestNotSignedByItsKey) {
  const OwnedKey key = KeyOrDie();
  const OwnedKey other = KeyOrDie();
  OwnedRequest request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), other.get(), EVP_sha256());
  OwnedBio output(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(output.get(), request.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(output.get(), &data);
  EXPECT_THAT(
      authority_->SignEndpoint(
          absl::string_view(data, static_cast<size_t>(size)), kEndpoint),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CertificateAuthorityTest, RefusesPeersThatAreExpiredOrForeign) {
  const OwnedKey key = KeyOrDie();
  const std::string pem = CertificateFor(key.get());
  TemporaryFolder other;
  auto second = CertificateAuthority::OpenOrCreate(other / "ca", clock_);
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT((*second)->VerifyPeer(pem),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(authority_->VerifyPeer(authority_->ca_pem()),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(authority_->VerifyPeer("garbage"),
              StatusIs(absl::StatusCode::kUnauthenticated));
  clock_.Advance(7 * kDay + absl::Seconds(1));
  EXPECT_THAT(authority_->VerifyPeer(pem),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(CertificateAuthorityTest, ItsOwnServerCertificateIsNoPeer) {
  auto files = authority_->EnsureServerCertificate({"localhost"});
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(authority_->VerifyPeer(ReadAll(files->certificate_path)),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(CertificateAuthorityTest, RenewsACertificateThatExpiredWeeksAgo) {
  const OwnedKey old_key = KeyOrDie();
  const OwnedKey new_key = KeyOrDie();
  const std::string old = CertificateFor(old_key.get());
  const std::string request = RequestFor(new_key.get());
  const std::string signature = Sign(old_key.get(), request);
  clock_.Advance(90 * kDay);
  auto identity = authority_->VerifyRenewal(old, request, signature);
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->endpoint_id, kEndpoint);
  clock_.Advance(7 * kDay + absl::Seconds(1));
  EXPECT_THAT(authority_->VerifyRenewal(old, request, signature),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(CertificateAuthorityTest, RefusesARenewalNotSignedByTheOldKey) {
  const OwnedKey old_key = KeyOrDie();
  const OwnedKey new_key = KeyOrDie();
  const std::string old = CertificateFor(old_key.get());
  const std::string request = RequestFor(new_key.get());
  EXPECT_THAT(
      authority_->VerifyRenewal(old, request, Sign(new_key.get(), request)),
      StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(authority_->VerifyRenewal(old, request + " ",
                                        Sign(old_key.get(), request)),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(authority_->VerifyRenewal(old, request, ""),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(authority_->VerifyRenewal(authority_->ca_pem(), request, "x"),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(CertificateAuthorityTest, AnEd25519EndpointCanRenewToo) {
  const OwnedKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  auto issued =
      authority_->SignEndpoint(RequestFor(key.get(), nullptr), kEndpoint);
  ASSERT_THAT(issued, IsOk());
  const std::string request = RequestFor(key.get(), nullptr);
  EXPECT_THAT(authority_->VerifyRenewal(issued->pem, request,
                                        Sign(key.get(), request, nullptr)),
              IsOk());
}

TEST_F(CertificateAuthorityTest, ServerCertificateCarriesNamesAndTheRoot) {
  auto files = authority_->EnsureServerCertificate(
      {"collector.example", "127.0.0.1", "::1"});
  ASSERT_THAT(files, IsOk());
  const std::string chain = ReadAll(files->certificate_path);
  EXPECT_THAT(chain, HasSubstr(authority_->ca_pem()));
  EXPECT_EQ(ModeOf(files->key_path), 0600u);
  auto leaf = ParseCertificate(chain);
  ASSERT_THAT(leaf, IsOk());
  EXPECT_EQ(X509_check_host(leaf->get(), "collector.example", 0, 0, nullptr),
            1);
  EXPECT_EQ(X509_check_ip_asc(leaf->get(), "::1", 0), 1);
  auto key = ParsePrivateKey(ReadAll(files->key_path));
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(X509_check_private_key(leaf->get(), key->get()), 1);
}

TEST_F(CertificateAuthorityTest, ServerCertificateLastsUntilHalfItsLife) {
  auto files = authority_->EnsureServerCertificate({"a.example", "::1"});
  ASSERT_THAT(files, IsOk());
  const std::string first = ReadAll(files->certificate_path);
  ASSERT_THAT(authority_->EnsureServerCertificate({"0::1", "a.example"}),
              IsOk());
  EXPECT_EQ(ReadAll(files->certificate_path), first);
  clock_.Advance(44 * kDay);
  ASSERT_THAT(authority_->EnsureServerCertificate({"a.example", "::1"}),
              IsOk());
  EXPECT_EQ(ReadAll(files->certificate_path), first);
  clock_.Advance(2 * kDay);
  ASSERT_THAT(authority_->EnsureServerCertificate({"a.example", "::1"}),
              IsOk());
  EXPECT_NE(ReadAll(files->certificate_path), first);
}

TEST_F(CertificateAuthorityTest, ServerCertificateIsMadeAnewWhenItMustBe) {
  auto files = authority_->EnsureServerCertificate({"a.example"});
  ASSERT_THAT(files, IsOk());
  std::string before = ReadAll(files->certificate_path);
  // Other names.
  ASSERT_THAT(authority_->EnsureServerCertificate({"b.example"}), IsOk());
  EXPECT_NE(ReadAll(files->certificate_path), before);
  // A crash after the key was written: the pair does not match.
  before = ReadAll(files->certificate_path);
  auto key = MakeP256Key();
  ASSERT_THAT(key, IsOk());
  folder_.Write("ca/server-key.pem", *PrivateKeyPem(key->get()));
  ASSERT_THAT(authority_->EnsureServerCertificate({"b.example"}), IsOk());
  EXPECT_NE(ReadAll(files->certificate_path), before);
  // A damaged file.
  folder_.Write("ca/server.pem", "garbage");
  ASSERT_THAT(authority_->EnsureServerCertificate({"b.example"}), IsOk());
  EXPECT_THAT(ParseCertificate(ReadAll(files->certificate_path)), IsOk());
}

TEST_F(CertificateAuthorityTest, RefusesNamesThatAreNone) {
  EXPECT_THAT(authority_->EnsureServerCertificate({}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(authority_->EnsureServerCertificate({"a b"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace forewarn::identity
