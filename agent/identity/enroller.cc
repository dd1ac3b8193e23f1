#include "agent/identity/enroller.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/identity/certificate.h"
#include "agent/identity/enrollment_token.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("write request: ", status.message().ToString()));
  }
  return json;
}

absl::Status FromJson(const std::string& json,
                      google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a later collector
  if (!google::protobuf::util::JsonStringToMessage(json, &message, options)
           .ok()) {
    return absl::DataLossError(
        "read the collector's answer: it makes no sense");
  }
  return absl::OkStatus();
}

// The first that answers counts, whatever it says. Of several failures the
// one that tells more than "nobody there" is returned.
absl::StatusOr<HttpReply> PostToFirst(const std::vector<std::string>& urls,
                                      const std::string& path,
                                      const std::string& body,
                                      const TrustedCa& trusted,
                                      HttpsClient& client) {
  absl::Status last = absl::UnavailableError("connect: no collector is known");
  for (const std::string& url : urls) {
    absl::StatusOr<HttpReply> reply = client.PostJson(url, path, body, trusted);
    if (reply.ok()) return reply;
    if (absl::IsUnavailable(last)) last = reply.status();
  }
  return last;
}

absl::StatusOr<Identity> IdentityOf(const v1::EnrollResponse& response,
                                    const std::string& key_pem,
                                    std::vector<std::string> urls) {
  FOREWARN_RETURN_IF_ERROR(
      CheckIssued(response.certificate_pem(), key_pem, response.ca_pem()));
  FOREWARN_ASSIGN_OR_RETURN(const CertificateFacts facts,
                            ReadCertificate(response.certificate_pem()));
  return Identity{.key_pem = key_pem,
                  .certificate_pem = response.certificate_pem(),
                  .ca_pem = response.ca_pem(),
                  .endpoint_id = response.endpoint_id().empty()
                                     ? facts.endpoint_id
                                     : response.endpoint_id(),
                  .collectors = {response.collectors().begin(),
                                 response.collectors().end()},
                  .urls = std::move(urls),
                  .not_before = facts.not_before,
                  .not_after = facts.not_after};
}

}  // namespace

absl::StatusOr<Identity> Enroll(absl::string_view token,
                                const v1::EndpointFacts& facts,
                                HttpsClient& client, KeyStore& store) {
  FOREWARN_ASSIGN_OR_RETURN(const EnrollmentToken parsed,
                            ParseEnrollmentToken(token));
  // Before the token is spent.
  FOREWARN_RETURN_IF_ERROR(store.Prepare());
  FOREWARN_ASSIGN_OR_RETURN(const std::string key, MakeKeyPem());
  v1::EnrollRequest request;
  request.set_token(parsed.secret);
  *request.mutable_facts() = facts;
  FOREWARN_ASSIGN_OR_RETURN(*request.mutable_csr_pem(),
                            MakeCsrPem(key, "forewarn endpoint"));
  FOREWARN_ASSIGN_OR_RETURN(const std::string body, ToJson(request));
  FOREWARN_ASSIGN_OR_RETURN(
      const HttpReply reply,
      PostToFirst(parsed.urls, "/api/v1/enroll", body,
                  {.pem = {}, .pin = parsed.ca_pin}, client));
  FOREWARN_RETURN_IF_ERROR(StatusOfReply(reply, "enrol"));
  v1::EnrollResponse response;
  FOREWARN_RETURN_IF_ERROR(FromJson(reply.body, response));
  FOREWARN_ASSIGN_OR_RETURN(const CertificateFacts ca,
                            ReadCertificate(response.ca_pem()));
  if (ca.public_key_sha256 != parsed.ca_pin) {
    return absl::UnauthenticatedError(
        "enrol: the answer's CA is not the one that the token names");
  }
  FOREWARN_ASSIGN_OR_RETURN(Identity identity,
                            IdentityOf(response, key, parsed.urls));
  FOREWARN_RETURN_IF_ERROR(store.Save(identity));
  return identity;
}

absl::StatusOr<Identity> Renew(HttpsClient& client, KeyStore& store) {
  FOREWARN_ASSIGN_OR_RETURN(const Identity old, store.Load());
  FOREWARN_ASSIGN_OR_RETURN(const std::string key, MakeKeyPem());
  v1::RenewRequest request;
  request.set_certificate_pem(old.certificate_pem);
  FOREWARN_ASSIGN_OR_RETURN(*request.mutable_csr_pem(),
                            MakeCsrPem(key, "forewarn endpoint"));
  FOREWARN_ASSIGN_OR_RETURN(*request.mutable_signature(),
                            SignText(old.key_pem, request.csr_pem()));
  FOREWARN_ASSIGN_OR_RETURN(const std::string body, ToJson(request));
  FOREWARN_ASSIGN_OR_RETURN(
      const HttpReply reply,
      PostToFirst(old.urls, "/api/v1/renew", body,
                  {.pem = old.ca_pem, .pin = {}}, client));
  FOREWARN_RETURN_IF_ERROR(StatusOfReply(reply, "renew certificate"));
  v1::EnrollResponse response;
  FOREWARN_RETURN_IF_ERROR(FromJson(reply.body, response));
  // The CA stays the one of the enrolment, whatever the answer says.
  response.set_ca_pem(old.ca_pem);
  response.set_endpoint_id(old.endpoint_id);
  FOREWARN_ASSIGN_OR_RETURN(Identity identity,
                            IdentityOf(response, key, old.urls));
  if (response.collectors().empty()) identity.collectors = old.collectors;
  FOREWARN_RETURN_IF_ERROR(
      identity.collectors == old.collectors
          ? store.SaveRenewal(key, identity.certificate_pem)
          : store.Save(identity));
  return identity;
}

}  // namespace forewarn::agent
