#include "collector/api/enroll_routes.h"

#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "collector/api/json.h"
#include "collector/api/problem.h"
#include "forewarn/v1/enrollment.pb.h"
#include "protos/base/status.h"
#include "protos/net/failure_limiter.h"
#include "protos/wire/proto_time.h"

namespace forewarn::api {
namespace {

// Chosen: longer than any real machine's, short enough for any table.
constexpr int kMostFactBytes = 256;
constexpr int kMostTags = 32;

// RFC 9562, version 4.
absl::StatusOr<std::string> NewUuid() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
    return absl::InternalError("draw an endpoint id: no randomness");
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(bytes), sizeof(bytes)));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                      hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

absl::Status CheckFact(absl::string_view name, const std::string& value) {
  const bool control = std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (value.size() <= kMostFactBytes && !control) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("facts.", name, " must have at most ", kMostFactBytes,
                   " bytes and no control bytes"));
}

// What an endpoint claims of itself: bounded and printable, nothing more.
absl::Status CheckFacts(const v1::EndpointFacts& facts) {
  if (facts.host_name().empty()) {
    return absl::InvalidArgumentError("facts.host_name must not be empty");
  }
  if (facts.tags_size() > kMostTags) {
    return absl::InvalidArgumentError(
        absl::StrCat("facts.tags must have at most ", kMostTags, " entries"));
  }
  const auto* reflection = facts.GetReflection();
  const auto* descriptor = facts.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->type() != google::protobuf::FieldDescriptor::TYPE_STRING ||
        field->is_repeated()) {
      continue;
    }
    FOREWARN_RETURN_IF_ERROR(
        CheckFact(field->name(), reflection->GetString(facts, field)));
  }
  for (const std::string& tag : facts.tags()) {
    FOREWARN_RETURN_IF_ERROR(CheckFact("tags", tag));
  }
  return absl::OkStatus();
}

class Enrollment {
 public:
  explicit Enrollment(const ApiServices& services) : services_(services) {}

  absl::StatusOr<v1::EnrollResponse> Enroll(Call& call);
  absl::StatusOr<v1::EnrollResponse> Renew(Call& call);

  // Runs `deed` unless this address has failed too often.
  absl::StatusOr<HttpResponse> Guarded(
      Call& call,
      absl::StatusOr<v1::EnrollResponse> (Enrollment::*deed)(Call&)) {
    const std::string& peer = call.request().peer;
    const absl::Duration now = services_.clock.SinceBoot();
    const absl::Duration wait = limiter_.Wait(peer, now);
    if (wait > absl::ZeroDuration()) {
      HttpResponse refusal = ProblemResponse(
          429, "too many failed attempts from this address", call.request().id);
      refusal.headers.emplace_back("Retry-After",
                                   absl::StrCat(absl::ToInt64Seconds(
                                       absl::Ceil(wait, absl::Seconds(1)))));
      return refusal;
    }
    auto answer = (this->*deed)(call);
    if (answer.ok()) return JsonResponse(*answer);
    // What went wrong on our side is not the caller's failure.
    if (absl::IsUnauthenticated(answer.status()) ||
        absl::IsInvalidArgument(answer.status())) {
      limiter_.Failed(peer, now);
    }
    return answer.status();
  }

 private:
  v1::EnrollResponse Answer(const std::string& endpoint_id,
                            const identity::IssuedCertificate& certificate);

  const ApiServices& services_;
  net::FailureLimiter limiter_{net::FailureLimiter::Options{}};
};

v1::EnrollResponse Enrollment::Answer(
    const std::string& endpoint_id,
    const identity::IssuedCertificate& certificate) {
  v1::EnrollResponse response;
  response.set_endpoint_id(endpoint_id);
  response.set_certificate_pem(certificate.pem);
  response.set_ca_pem(services_.authority.ca_pem());
  for (std::string& address : services_.stream_addresses()) {
    response.add_collectors(std::move(address));
  }
  const absl::Time now = services_.clock.Now();
  *response.mutable_renew_after() =
      wire::ToStamp(now + (certificate.not_after - now) / 2);
  return response;
}

absl::StatusOr<v1::EnrollResponse> Enrollment::Enroll(Call& call) {
  v1::EnrollRequest request;
  FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, request));
  FOREWARN_RETURN_IF_ERROR(CheckFacts(request.facts()));
  FOREWARN_ASSIGN_OR_RETURN(const std::string id, NewUuid());
  // Everything that can be wrong with the request is found before the token
  // is used up; a certificate nobody gets to see is worth nothing.
  FOREWARN_ASSIGN_OR_RETURN(
      const identity::IssuedCertificate certificate,
      services_.authority.SignEndpoint(request.csr_pem(), id));
  FOREWARN_ASSIGN_OR_RETURN(
      const identity::StoredToken token,
      services_.tokens.UseEnrollmentToken(request.token(), id));
  v1::EndpointFacts facts = request.facts();
  if (!token.info.site().empty()) facts.set_site(token.info.site());
  if (!token.tags.empty()) {
    facts.clear_tags();
    for (const std::string& tag : token.tags) facts.add_tags(tag);
  }
  FOREWARN_ASSIGN_OR_RETURN(
      const v1::Endpoint endpoint,
      services_.endpoints.Enroll(id, facts, certificate.serial,
                                 certificate.not_after, services_.clock.Now()));
  call.Audit(absl::StrCat("endpoint/", id),
             absl::StrCat("host ", endpoint.facts().host_name(), ", token ",
                          token.info.id(), " '", token.info.name(), "'"));
  return Answer(id, certificate);
}

absl::StatusOr<v1::EnrollResponse> Enrollment::Renew(Call& call) {
  v1::RenewRequest request;
  FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, request));
  FOREWARN_ASSIGN_OR_RETURN(
      const identity::EndpointIdentity identity,
      services_.authority.VerifyRenewal(
          request.certificate_pem(), request.csr_pem(), request.signature()));
  const auto endpoint = services_.endpoints.Find(identity.endpoint_id);
  if (!endpoint.has_value() || endpoint->has_revoked_at()) {
    return absl::UnauthenticatedError(
        "this endpoint is not enrolled here any more; enrol it again");
  }
  FOREWARN_ASSIGN_OR_RETURN(const identity::IssuedCertificate certificate,
                            services_.authority.SignEndpoint(
                                request.csr_pem(), identity.endpoint_id));
  FOREWARN_RETURN_IF_ERROR(services_.endpoints.Renewed(
      identity.endpoint_id, certificate.serial, certificate.not_after));
  call.Audit(absl::StrCat("endpoint/", identity.endpoint_id),
             absl::StrCat("certificate ", identity.serial, " -> ",
                          certificate.serial));
  return Answer(identity.endpoint_id, certificate);
}

}  // namespace

std::vector<Route> EnrollRoutes(const ApiServices& services) {
  // Shared by the two handlers, which live as long as the router.
  auto enrollment = std::make_shared<Enrollment>(services);
  return {
      {.method = "POST",
       .pattern = "/api/v1/enroll",
       .access = Access::kPublic,
       .audit = "endpoint.enroll",
       .handler =
           [enrollment](Call& call) {
             return enrollment->Guarded(call, &Enrollment::Enroll);
           }},
      {.method = "POST",
       .pattern = "/api/v1/renew",
       .access = Access::kPublic,
       .audit = "endpoint.renew",
       .handler =
           [enrollment](Call& call) {
             return enrollment->Guarded(call, &Enrollment::Renew);
           }},
  };
}

}  // namespace forewarn::api
