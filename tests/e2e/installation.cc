#include "tests/e2e/installation.h"

#include <httplib.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/free_port.h"
#include "tests/support/wait_until.h"

namespace forewarn::e2e {
namespace {

std::string Program(const std::string& name) {
  return absl::StrCat(FOREWARN_BIN_DIR, "/", name);
}

std::vector<std::string> With(std::string first,
                              std::vector<std::string> rest) {
  rest.insert(rest.begin(), std::move(first));
  return rest;
}

}  // namespace

Installation::Installation(const std::string& config,
                           const std::string& rules) {
  https_port_ = testing::FreePort();
  folder_.Write("rules/own.yaml", rules);
  folder_.Write(
      "collector.yaml",
      absl::StrCat(
          "state_directory: ", path("collector"),
          "\nhttps: {address: 127.0.0.1, port: ", https_port_,
          "}\nagents: {address: 127.0.0.1, port: ", testing::FreePort(),
          "}\ntick: 1s\n",
          rules.empty()
              ? ""
              : absl::StrCat("rules:\n  directory: ", path("rules"), "\n"),
          config));
}

void Installation::StartCollector() {
  const Output init = Collector({"init", "--config", path("collector.yaml"),
                                 "--credential", path("cli.yaml")});
  ASSERT_EQ(init.code, 0) << init.err;
  collector_.reset();
  collector_ = std::make_unique<Child>(
      std::vector<std::string>{Program("forewarn-collector"), "serve",
                               "--config", path("collector.yaml")},
      path("collector.log"));
  ASSERT_TRUE(testing::WaitUntil([this] {
    return !collector_->running() || Forewarn({"endpoint", "list"}).code == 0;
  })) << Logs();
  ASSERT_TRUE(collector_->running()) << Logs();
}

void Installation::EnrollAgent() {
  const Output token =
      Forewarn({"token", "create", "--kind", "enroll", "--name", "e2e"});
  ASSERT_EQ(token.code, 0) << token.err;
  folder_.Write("token", token.out);
  const Output enrolled = Agent(
      {"enroll", "--state", path("agent"), "--token-file", path("token")});
  ASSERT_EQ(enrolled.code, 0) << enrolled.err << Logs();
}

void Installation::StartAgent(const std::string& config) {
  folder_.Write("agent.yaml", config);
  agent_.reset();
  agent_ = std::make_unique<Child>(
      std::vector<std::string>{Program("forewarn-agent"), "run", "--state",
                               path("agent"), "--config", path("agent.yaml")},
      path("agent.log"));
  ASSERT_TRUE(testing::WaitUntil([this] { return AgentIsOnline(); })) << Logs();
}

void Installation::StartAll() {
  ASSERT_NO_FATAL_FAILURE(StartCollector());
  ASSERT_NO_FATAL_FAILURE(EnrollAgent());
  ASSERT_NO_FATAL_FAILURE(StartAgent());
}

Output Installation::Forewarn(std::vector<std::string> arguments,
                              const std::string& input) const {
  return RunProgram(With(Program("forewarn"), std::move(arguments)),
                    {"FOREWARN_CONFIG=" + path("cli.yaml")}, input);
}

Output Installation::Agent(std::vector<std::string> arguments) const {
  return RunProgram(With(Program("forewarn-agent"), std::move(arguments)));
}

Output Installation::Collector(std::vector<std::string> arguments) const {
  return RunProgram(With(Program("forewarn-collector"), std::move(arguments)));
}

bool Installation::Get(std::vector<std::string> arguments,
                       google::protobuf::Message& message) const {
  arguments.insert(arguments.end(), {"-o", "json"});
  const Output output = Forewarn(std::move(arguments));
  return output.code == 0 &&
         google::protobuf::util::JsonStringToMessage(output.out, &message).ok();
}

std::vector<v1::Ticket> Installation::Tickets() const {
  v1::TicketList list;
  EXPECT_TRUE(Get({"ticket", "list", "--all"}, list)) << Logs();
  return {list.tickets().begin(), list.tickets().end()};
}

v1::TicketDetail Installation::Ticket(uint32_t id) const {
  v1::TicketDetail detail;
  EXPECT_TRUE(Get({"ticket", "show", absl::StrCat(id)}, detail)) << Logs();
  return detail;
}

std::vector<v1::Endpoint> Installation::Endpoints() const {
  v1::EndpointList list;
  Get({"endpoint", "list"}, list);
  return {list.endpoints().begin(), list.endpoints().end()};
}

std::vector<absl::Time> Installation::SampleTimes(
    const std::string& metric) const {
  std::ifstream file(path("cli.yaml"));
  std::string token;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("token: ", 0) == 0) token = line.substr(7);
  }
  httplib::SSLClient client("127.0.0.1", https_port_);
  client.set_ca_cert_path((path("collector") + "/ca/ca.pem").c_str());
  const httplib::Headers headers = {{"Authorization", "Bearer " + token}};
  const auto get = [&](const std::string& target,
                       google::protobuf::Message& message) {
    const auto answer = client.Get(target.c_str(), headers);
    return answer && answer->status == 200 &&
           google::protobuf::util::JsonStringToMessage(answer->body, &message)
               .ok();
  };
  std::vector<absl::Time> times;
  v1::SeriesList list;
  if (!get("/api/v1/endpoints/1/series", list)) return times;
  for (const v1::SeriesInfo& info : list.series()) {
    v1::SampleList samples;
    if (info.metric() == metric &&
        get(absl::StrCat("/api/v1/endpoints/1/series/", info.id(), "/samples"),
            samples)) {
      for (const v1::SamplePoint& point : samples.samples()) {
        times.push_back(wire::ToTime(point.time()));
      }
    }
  }
  return times;
}

bool Installation::AgentIsOnline() const {
  const std::vector<v1::Endpoint> endpoints = Endpoints();
  return endpoints.size() == 1 &&
         endpoints[0].presence() == v1::PRESENCE_ONLINE;
}

std::string Installation::Logs() const {
  std::string text;
  for (const char* name : {"collector.log", "agent.log"}) {
    std::ifstream file(path(name));
    std::stringstream content;
    content << file.rdbuf();
    const std::string all = content.str();
    absl::StrAppend(&text, "\n--- ", name, "\n",
                    all.size() > 4000 ? all.substr(all.size() - 4000) : all);
  }
  return text;
}

}  // namespace forewarn::e2e
