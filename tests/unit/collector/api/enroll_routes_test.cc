#include "collector/api/enroll_routes.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "forewarn/v1/enrollment.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/api/api_fixture.h"

namespace forewarn::api {
namespace {

using ::forewarn::testing::IsOk;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

// A key of an endpoint's own.
class EndpointKey {
 public:
  EndpointKey() : key_(EVP_EC_gen("P-256")) {}
  ~EndpointKey() { EVP_PKEY_free(key_); }
  EndpointKey(const EndpointKey&) = delete;
  EndpointKey& operator=(const EndpointKey&) = delete;

  std::string Csr() const {
    X509_REQ* request = X509_REQ_new();
    X509_REQ_set_pubkey(request, key_);
    X509_REQ_sign(request, key_, EVP_sha256());
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_REQ(memory, request);
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string pem(data, static_cast<size_t>(size));
    BIO_free(memory);
    X509_REQ_free(request);
    return pem;
  }

  std::string Sign(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string signature(128, '\0');
    size_t size = signature.size();
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_);
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()),
                   &size, reinterpret_cast<const unsigned char*>(text.data()),
                   text.size());
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
  }

 private:
  EVP_PKEY* key_;
};

class EnrollRoutesTest : public ApiFixture {
 protected:
  std::string NewToken() {
    v1::CreateTokenRequest request;
    request.set_kind("enroll");
    request.set_name("for web9");
    request.set_site("bergen");
    request.add_tags("prod");
    return tokens_->Create(request, "test")->secret();
  }

  v1::EnrollRequest Request(const std::string& token) {
    v1::EnrollRequest request;
    request.set_token(token);
    request.set_csr_pem(key_.Csr());
    request.mutable_facts()->set_host_name("web9");
    request.mutable_facts()->set_site("claimed");
    request.mutable_facts()->add_tags("claimed");
    return request;
  }

  HttpResponse Enroll(const v1::EnrollRequest& request) {
    return Ask("POST", "/api/v1/enroll", "", ToJson(request));
  }

  EndpointKey key_;
};

TEST_F(EnrollRoutesTest, GivesACertificateForAToken) {
  const auto answer = Read<v1::EnrollResponse>(Enroll(Request(NewToken())));
  EXPECT_THAT(answer.endpoint_id(),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]"
                           "{3}-[0-9a-f]{12}"));
  const auto peer = authority_->VerifyPeer(answer.certificate_pem());
  FOREWARN_ASSERT_OK(peer);
  EXPECT_EQ(peer->endpoint_id, answer.endpoint_id());
  EXPECT_EQ(answer.ca_pem(), authority_->ca_pem());
  EXPECT_THAT(answer.collectors(), ElementsAre("localhost:8461"));
  EXPECT_NEAR(static_cast<double>(answer.renew_after().seconds() -
                                  absl::ToUnixSeconds(clock_.Now())),
              3.5 * 86400, 3600);
}

TEST_F(EnrollRoutesTest, LetsTheTokensSiteAndTagsWinOverClaims) {
  const auto answer = Read<v1::EnrollResponse>(Enroll(Request(NewToken())));
  const auto endpoint = endpoints_->Find(answer.endpoint_id());
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->facts().host_name(), "web9");
  EXPECT_EQ(endpoint->facts().site(), "bergen");
  EXPECT_THAT(endpoint->facts().tags(), ElementsAre("prod"));
  EXPECT_THAT(audit_, Contains(HasSubstr("|endpoint.enroll|endpoint/")));
}

TEST_F(EnrollRoutesTest, TakesATokenOnce) {
  const std::string token = NewToken();
  EXPECT_EQ(Enroll(Request(token)).status, 200);
  EXPECT_EQ(Enroll(Request(token)).status, 401);
  EXPECT_EQ(endpoints_->List().size(), 1u);
}

TEST_F(EnrollRoutesTest, KeepsTheTokenWhenTheRequestIsWrong) {
  const std::string token = NewToken();
  v1::EnrollRequest no_csr = Request(token);
  no_csr.set_csr_pem("-----BEGIN NONSENSE-----");
  EXPECT_EQ(Enroll(no_csr).status, 400);
  v1::EnrollRequest nameless = Request(token);
  nameless.mutable_facts()->clear_host_name();
  EXPECT_EQ(Enroll(nameless).status, 400);
  v1::EnrollRequest hostile = Request(token);
  hostile.mutable_facts()->set_model("a\x1b[2J");
  EXPECT_EQ(Enroll(hostile).status, 400);
  v1::EnrollRequest endless = Request(token);
  endless.mutable_facts()->set_vendor(std::string(257, 'x'));
  EXPECT_EQ(Enroll(endless).status, 400);
  EXPECT_EQ(Enroll(Request(token)).status, 200);
}

TEST_F(EnrollRoutesTest, RefusesAnApiTokenAndAnExpiredOne) {
  EXPECT_EQ(Enroll(Request(secrets_[2].second)).status, 401);
  EXPECT_EQ(Enroll(Request("")).status, 401);
  const std::string token = NewToken();
  clock_.Advance(absl::Hours(25));
  EXPECT_EQ(Enroll(Request(token)).status, 401);
  EXPECT_EQ(endpoints_->List().size(), 0u);
}

TEST_F(EnrollRoutesTest, SlowsDownAnAddressThatKeepsFailing) {
  HttpResponse response;
  for (int i = 0; i < 20; ++i) response = Enroll(Request("fwe1.wrong"));
  EXPECT_EQ(response.status, 401);
  const std::string token = NewToken();
  response = Enroll(Request(token));
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.headers, Contains(::testing::Pair("Retry-After", "3")));
  peer_ = "192.0.2.8";
  EXPECT_EQ(Enroll(Request(token)).status, 200);
  peer_ = "192.0.2.7";
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Enroll(Request(NewToken())).status, 200);
}

TEST_F(EnrollRoutesTest, RenewsByTheOldKeyEvenWeeksLater) {
  const auto old = Read<v1::EnrollResponse>(Enroll(Request(NewToken())));
  clock_.Advance(absl::Hours(24 * 30));
  const EndpointKey next;
  v1::RenewRequest request;
  request.set_certificate_pem(old.certificate_pem());
  request.set_csr_pem(next.Csr());
  request.set_signature(key_.Sign(request.csr_pem()));
  const auto renewed = Read<v1::EnrollResponse>(
      Ask("POST", "/api/v1/renew", "", ToJson(request)));
  EXPECT_EQ(renewed.endpoint_id(), old.endpoint_id());
  EXPECT_THAT(authority_->VerifyPeer(renewed.certificate_pem()), IsOk());
  EXPECT_THAT(audit_, Contains(HasSubstr("|endpoint.renew|endpoint/")));

  request.set_signature(next.Sign(request.csr_pem()));
  EXPECT_EQ(Ask("POST", "/api/v1/renew", "", ToJson(request)).status, 401);
}

TEST_F(EnrollRoutesTest, DoesNotRenewARevokedEndpoint) {
  const auto old = Read<v1::EnrollResponse>(Enroll(Request(NewToken())));
  FOREWARN_ASSERT_OK(endpoints_->Revoke(old.endpoint_id(), clock_.Now()));
  v1::RenewRequest request;
  request.set_certificate_pem(old.certificate_pem());
  request.set_csr_pem(key_.Csr());
  request.set_signature(key_.Sign(request.csr_pem()));
  EXPECT_EQ(Ask("POST", "/api/v1/renew", "", ToJson(request)).status, 401);
}

}  // namespace
}  // namespace forewarn::api
