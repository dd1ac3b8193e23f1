#ifndef FOREWARN_TESTS_UNIT_AGENT_IDENTITY_FAKE_COLLECTOR_HTTPS_H_
#define FOREWARN_TESTS_UNIT_AGENT_IDENTITY_FAKE_COLLECTOR_HTTPS_H_

#include <string>
#include <vector>

#include "agent/identity/https_client.h"
#include "forewarn/v1/enrollment.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/support/test_certificates.h"

namespace forewarn::testing {

// Answers enrolments and renewals as a collector would, and keeps what it was
// asked.
class FakeCollectorHttps final : public agent::HttpsClient {
 public:
  absl::StatusOr<agent::HttpReply> PostJson(
      const std::string& url, const std::string& path, const std::string& body,
      const agent::TrustedCa& trusted) override {
    urls.push_back(url);
    paths.push_back(path);
    last_trusted = trusted;
    if (!failure.ok()) return failure;
    if (url == unreachable_url) {
      return absl::UnavailableError("connect: refused");
    }
    if (status != 200) {
      return agent::HttpReply{status, "application/problem+json",
                              R"({"title":"no","detail":"because"})"};
    }
    std::string csr;
    if (path == "/api/v1/enroll") {
      google::protobuf::util::JsonStringToMessage(body, &enroll).ok();
      csr = enroll.csr_pem();
    } else {
      google::protobuf::util::JsonStringToMessage(body, &renew).ok();
      csr = renew.csr_pem();
    }
    v1::EnrollResponse response;
    response.set_endpoint_id("endpoint-1");
    response.set_certificate_pem(ca.SignCsr(
        csr, "URI:forewarn://endpoint/endpoint-1", not_before, not_after));
    response.set_ca_pem(ca_in_answer.empty() ? ca.pem() : ca_in_answer);
    response.add_collectors("collector.example:8461");
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    agent::HttpReply reply{200, "application/json", ""};
    google::protobuf::util::MessageToJsonString(response, &reply.body, options)
        .ok();
    return reply;
  }

  TestCa ca;
  absl::Time not_before = absl::Now() - absl::Hours(1);
  absl::Time not_after = absl::Now() + absl::Hours(1);
  int status = 200;
  absl::Status failure;
  std::string unreachable_url;
  std::string ca_in_answer;

  std::vector<std::string> urls;
  std::vector<std::string> paths;
  agent::TrustedCa last_trusted;
  v1::EnrollRequest enroll;
  v1::RenewRequest renew;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_UNIT_AGENT_IDENTITY_FAKE_COLLECTOR_HTTPS_H_
