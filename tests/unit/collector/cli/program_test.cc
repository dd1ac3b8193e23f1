#include "collector/cli/program.h"

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "collector/api/http.h"
#include "collector/api/https_server.h"
#include "collector/api/json.h"
#include "collector/api/problem.h"
#include "collector/identity/certificate_authority.h"
#include "forewarn/v1/api.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::cli {
namespace {

using ::forewarn::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// The program against a real HTTPS server in this process, whose answers a
// test writes down.
class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto authority = identity::CertificateAuthority::OpenOrCreate(
        folder_ / "ca", base::Clock::System());
    FOREWARN_ASSERT_OK(authority);
    authority_ = *std::move(authority);
    const auto files = authority_->EnsureServerCertificate({"localhost"});
    FOREWARN_ASSERT_OK(files);
    api::HttpsServerOptions options;
    options.port = 0;
    options.certificate_path = files->certificate_path;
    options.key_path = files->key_path;
    auto server = api::HttpsServer::Start(
        options,
        [this](const api::HttpRequest& request) { return Answer(request); });
    FOREWARN_ASSERT_OK(server);
    server_ = *std::move(server);
    folder_.Write("ca.pem", authority_->ca_pem());
    Configure(absl::StrCat("https://localhost:", server_->port()), "ca.pem");
  }

  void Configure(const std::string& url, const std::string& ca_file) {
    folder_.Write("cli.yaml", absl::StrCat("url: ", url, "\ntoken: fwa1.mine\n",
                                           "ca_file: ", ca_file, "\n"));
    chmod((folder_ / "cli.yaml").c_str(), 0600);
  }

  api::HttpResponse Answer(const api::HttpRequest& request) {
    base::MutexLock lock(&mutex_);
    const std::string line = request.method + " " + request.target;
    requests_.push_back(request.body.empty() ? line
                                             : line + " " + request.body);
    authorization_ = std::string(request.Header("authorization"));
    for (const auto& [known, response] : answers_) {
      if (known == line) return response;
    }
    return api::ProblemResponse(404, "no such thing", request.id);
  }

  // `request` as "GET /path" will get `message`.
  void Expect(const std::string& request,
              const google::protobuf::Message& message, int status = 200) {
    base::MutexLock lock(&mutex_);
    answers_.emplace_back(request, api::JsonResponse(message, status));
  }
  void ExpectProblem(const std::string& request, int status,
                     const std::string& detail) {
    base::MutexLock lock(&mutex_);
    answers_.emplace_back(request, api::ProblemResponse(status, detail, "r7"));
  }
  std::vector<std::string> Requests() {
    base::MutexLock lock(&mutex_);
    return requests_;
  }

  int Run(const std::vector<std::string>& arguments,
          const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const auto environment =
        [this](const std::string& name) -> std::optional<std::string> {
      if (name == "FOREWARN_CONFIG") return folder_ / config_;
      if (name == "TERM") return "xterm";
      if (name == "NO_COLOR" && no_color_) return "1";
      return std::nullopt;
    };
    const ExitCode code = RunProgram(arguments, {.environment = environment,
                                                 .in = in,
                                                 .out = out,
                                                 .err = err,
                                                 .terminal = terminal_,
                                                 .width = 0});
    out_ = out.str();
    err_ = err.str();
    return static_cast<int>(code);
  }

  static v1::Ticket MakeTicket(uint32_t id) {
    v1::Ticket ticket;
    ticket.set_id(id);
    ticket.set_state(v1::IN_PROGRESS);
    ticket.set_priority(v1::P1);
    ticket.set_host_name("web1");
    ticket.set_title_text("Disk / will be full");
    ticket.mutable_opened_at()->set_seconds(1800000000);
    return ticket;
  }

  TemporaryFolder folder_;
  std::string config_ = "cli.yaml";
  bool terminal_ = false;
  bool no_color_ = false;
  std::string out_;
  std::string err_;

  std::unique_ptr<identity::CertificateAuthority> authority_;
  base::Mutex mutex_;
  std::vector<std::pair<std::string, api::HttpResponse>> answers_
      ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::string authorization_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<api::HttpsServer> server_;
};

constexpr char kOpenTickets[] = "GET /api/v1/tickets?state=open&limit=200";

TEST_F(ProgramTest, ShowsItsVersionAndHelpWithoutAConfiguration) {
  config_ = "missing.yaml";
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_THAT(out_, StartsWith("forewarn "));
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("endpoint"));
  EXPECT_EQ(Run({"ticket", "assign", "--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("WHO"));
}

TEST_F(ProgramTest, EndsWith2AndTheUsageLineOnAWrongCommandLine) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"tickets"},
      {"ticket"},
      {"ticket", "show"},
      {"ticket", "show", "abc"},
      {"ticket", "show", "0"},
      {"ticket", "show", "1", "2"},
      {"ticket", "list", "--colour"},
      {"ticket", "list", "--all", "--state", "new"},
      {"ticket", "list", "-o", "xml"},
      {"ticket", "comment", "1"},
      {"token", "create", "--name", "x", "--role", "king"}};
  for (const auto& arguments : cases) {
    EXPECT_EQ(Run(arguments), 2);
    EXPECT_THAT(err_, HasSubstr("Usage: forewarn"));
    EXPECT_THAT(out_, IsEmpty());
  }
  EXPECT_THAT(Requests(), IsEmpty());
}

TEST_F(ProgramTest, ListsTicketsAsAPlainTableInAPipe) {
  v1::TicketList list;
  *list.add_tickets() = MakeTicket(7);
  Expect(kOpenTickets, list);
  EXPECT_EQ(Run({"ticket", "list"}), 0);
  EXPECT_EQ(out_,
            "ID  PRIO  STATE        ENDPOINT  OPENED                ASSIGNEE  "
            "TITLE\n"
            "7   P1    in_progress  web1      2027-01-15 08:00:00Z  -         "
            "Disk / will be full\n");
  EXPECT_EQ(err_, "");
  base::MutexLock lock(&mutex_);
  EXPECT_EQ(authorization_, "Bearer fwa1.mine");
}

TEST_F(ProgramTest, ColoursOnATerminalUnlessToldNotTo) {
  v1::TicketList list;
  *list.add_tickets() = MakeTicket(7);
  Expect(kOpenTickets, list);
  terminal_ = true;
  EXPECT_EQ(Run({"ticket", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("\x1b[31mP1\x1b[0m"));
  no_color_ = true;
  EXPECT_EQ(Run({"ticket", "list"}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
}

TEST_F(ProgramTest, KeepsHostileStringsInertEverywhere) {
  v1::TicketList list;
  v1::Ticket ticket = MakeTicket(7);
  ticket.set_title_text("\x1b]0;owned\x07 \u202e");
  *list.add_tickets() = ticket;
  Expect(kOpenTickets, list);
  v1::TicketDetail detail;
  detail.set_rendered("line one\n\x1b[2Jline two\n");
  Expect("GET /api/v1/tickets/7", detail);
  for (const char* format : {"table", "json", "yaml"}) {
    EXPECT_EQ(Run({"ticket", "list", "-o", format}), 0);
    EXPECT_THAT(out_, Not(HasSubstr("\x1b"))) << format;
    EXPECT_THAT(out_, Not(HasSubstr("\x07"))) << format;
    EXPECT_THAT(out_, Not(HasSubstr("\u202e"))) << format;
  }
  EXPECT_EQ(Run({"ticket", "show", "7"}), 0);
  EXPECT_EQ(out_, "line one\n\\x1b[2Jline two\n");
}

TEST_F(ProgramTest, GivesJsonAndYamlInEveryPosition) {
  v1::TicketList list;
  *list.add_tickets() = MakeTicket(7);
  Expect(kOpenTickets, list);
  EXPECT_EQ(Run({"ticket", "list", "-o", "json"}), 0);
  EXPECT_THAT(out_, StartsWith("{\n  \"tickets\": [\n"));
  EXPECT_THAT(out_, HasSubstr("\"state\": \"IN_PROGRESS\""));
  EXPECT_EQ(Run({"-o", "yaml", "ticket", "list"}), 0);
  EXPECT_THAT(out_, StartsWith("tickets:\n  - id: 7\n"));
}

TEST_F(ProgramTest, FollowsPagesUpToTheLimit) {
  v1::TicketList first;
  *first.add_tickets() = MakeTicket(9);
  *first.add_tickets() = MakeTicket(8);
  first.set_next_cursor("t8");
  v1::TicketList second;
  *second.add_tickets() = MakeTicket(7);
  second.set_next_cursor("t7");
  Expect("GET /api/v1/tickets?state=open&limit=3", first);
  Expect("GET /api/v1/tickets?state=open&limit=1&cursor=t8", second);
  EXPECT_EQ(Run({"ticket", "list", "--limit", "3"}), 0);
  EXPECT_THAT(out_, HasSubstr("\n9 "));
  EXPECT_THAT(out_, HasSubstr("\n7 "));
  EXPECT_THAT(err_, HasSubstr("Only the first 3"));
}

TEST_F(ProgramTest, PassesFiltersOnEscaped) {
  Run({"ticket", "list", "--all", "--endpoint", "a/b c", "--assignee", "x&y"});
  Run({"endpoint", "show", "../tokens"});
  EXPECT_THAT(Requests(),
              ElementsAre("GET /api/v1/tickets?state=&endpoint=a%2Fb%20c&"
                          "assignee=x%26y&limit=200",
                          "GET /api/v1/endpoints/..%2Ftokens"));
}

TEST_F(ProgramTest, DoesTheVerbsOfATicket) {
  for (const char* verb :
       {"assign", "comment", "resolve", "reopen", "acknowledge"}) {
    Expect(absl::StrCat("POST /api/v1/tickets/7/", verb), MakeTicket(7));
  }
  EXPECT_EQ(Run({"ticket", "assign", "7", "ann"}), 0);
  EXPECT_EQ(out_, "ticket 7 is in_progress\n");
  EXPECT_EQ(Run({"ticket", "comment", "7", "-"}, "from a pipe"), 0);
  EXPECT_EQ(Run({"ticket", "resolve", "7", "done"}), 0);
  EXPECT_EQ(Run({"ticket", "reopen", "7"}), 0);
  EXPECT_EQ(Run({"ticket", "acknowledge", "7"}), 0);
  EXPECT_THAT(
      Requests(),
      ElementsAre(R"(POST /api/v1/tickets/7/assign {"assignee":"ann"})",
                  R"(POST /api/v1/tickets/7/comment {"comment":"from a pipe"})",
                  R"(POST /api/v1/tickets/7/resolve {"comment":"done"})",
                  "POST /api/v1/tickets/7/reopen {}",
                  "POST /api/v1/tickets/7/acknowledge {}"));
}

TEST_F(ProgramTest, PrintsASecretAloneOnStandardOutput) {
  v1::CreateTokenResponse created;
  created.set_secret("fwe1.once");
  created.mutable_token()->set_id(3);
  created.mutable_token()->set_kind("enroll");
  Expect("POST /api/v1/tokens", created, 201);
  EXPECT_EQ(
      Run({"token", "create", "--kind", "enroll", "--name", "web9", "--site",
           "oslo", "--tag", "a", "--tag", "b", "--valid-hours", "2"}),
      0);
  EXPECT_EQ(out_, "fwe1.once\n");
  EXPECT_THAT(err_, HasSubstr("shown this once"));
  EXPECT_THAT(Requests(),
              ElementsAre(HasSubstr(
                  R"("site":"oslo","tags":["a","b"],"valid_hours":2)")));
}

TEST_F(ProgramTest, ListsAndRevokesTokens) {
  v1::TokenList list;
  list.add_tokens()->set_name("ann");
  Expect("GET /api/v1/tokens", list);
  {
    base::MutexLock lock(&mutex_);
    api::HttpResponse gone;
    gone.status = 204;
    answers_.emplace_back("DELETE /api/v1/tokens/3", gone);
  }
  EXPECT_EQ(Run({"token", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("ann"));
  EXPECT_EQ(Run({"token", "revoke", "3"}), 0);
  EXPECT_THAT(err_, HasSubstr("Token 3 is revoked"));
}

TEST_F(ProgramTest, ShowsEndpointsSymptomsAndRules) {
  v1::EndpointList endpoints;
  v1::Endpoint* endpoint = endpoints.add_endpoints();
  endpoint->set_number(4);
  endpoint->mutable_facts()->set_host_name("web1");
  endpoint->set_presence(v1::PRESENCE_ONLINE);
  Expect("GET /api/v1/endpoints?limit=200", endpoints);
  EXPECT_EQ(Run({"endpoint", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("4       web1"));
  EXPECT_THAT(out_, HasSubstr("online"));

  v1::EndpointDetail detail;
  *detail.mutable_endpoint() = *endpoint;
  detail.add_open_symptoms()->set_rule("disk_fill");
  *detail.add_tickets() = MakeTicket(7);
  Expect("GET /api/v1/endpoints/web1", detail);
  EXPECT_EQ(Run({"endpoint", "show", "web1"}), 0);
  EXPECT_THAT(out_, HasSubstr("disk_fill"));
  EXPECT_THAT(out_, HasSubstr("Disk / will be full"));

  v1::SymptomList symptoms;
  v1::Symptom* symptom = symptoms.add_symptoms();
  symptom->set_rule("disk_fill");
  symptom->mutable_evidence()->set_value(0.9312345);
  symptom->mutable_evidence()->set_unit("1");
  Expect("GET /api/v1/symptoms?open=true&limit=200", symptoms);
  EXPECT_EQ(Run({"symptom", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("0.9312"));

  v1::RuleList rules;
  rules.add_rules()->set_id("disk_fill");
  rules.mutable_rules(0)->add_levels()->set_priority("P2");
  Expect("GET /api/v1/rules", rules);
  EXPECT_EQ(Run({"rule", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("disk_fill"));
}

TEST_F(ProgramTest, ChecksARuleFileAndEndsWith8WhenItIsWrong) {
  folder_.Write("mine.yaml", "rules: []\n");
  v1::CheckRulesResponse good;
  good.set_valid(true);
  good.set_rules(1);
  Expect("POST /api/v1/rules/check", good);
  EXPECT_EQ(Run({"rule", "check", folder_ / "mine.yaml"}), 0);
  {
    base::MutexLock lock(&mutex_);
    answers_.clear();
  }
  v1::CheckRulesResponse bad;
  bad.add_errors("mine.yaml:1:1: no rule");
  Expect("POST /api/v1/rules/check", bad);
  EXPECT_EQ(Run({"rule", "check", folder_ / "mine.yaml"}), 8);
  EXPECT_EQ(out_, "mine.yaml:1:1: no rule\n");
  EXPECT_EQ(Run({"rule", "check", folder_ / "none.yaml"}), 1);
  EXPECT_THAT(err_, HasSubstr("none.yaml"));
}

TEST_F(ProgramTest, BacktestsARuleFilePageByPage) {
  folder_.Write("mine.yaml", "rules: []\n");
  v1::BacktestRulesResponse page;
  page.set_endpoints(4);
  page.set_fleet(4);
  for (const char* endpoint : {"a", "b", "a"}) {
    v1::BacktestTicket& ticket = *page.add_tickets();
    ticket.set_endpoint_id(endpoint);
    ticket.set_host_name(absl::StrCat("host-", endpoint));
    ticket.set_priority(v1::P2);
    ticket.set_title_text("The disk is full");
  }
  Expect("POST /api/v1/rules/backtest", page);
  EXPECT_EQ(Run({"rule", "backtest", folder_ / "mine.yaml", "--since", "30d"}),
            0);
  EXPECT_THAT(out_, HasSubstr("would have opened 3 tickets on 2 endpoints"));
  EXPECT_THAT(out_, HasSubstr("host-b"));
  EXPECT_EQ(Run({"rule", "backtest", folder_ / "mine.yaml", "--since", "30"}),
            2);
  {
    base::MutexLock lock(&mutex_);
    answers_.clear();
  }
  v1::BacktestRulesResponse bad;
  bad.add_errors("mine.yaml:1:1: no rule");
  Expect("POST /api/v1/rules/backtest", bad);
  EXPECT_EQ(Run({"rule", "backtest", folder_ / "mine.yaml"}), 8);
  EXPECT_THAT(out_, HasSubstr("no rule"));
}

TEST_F(ProgramTest, EndsWith4WithoutCredentials) {
  config_ = "missing.yaml";
  EXPECT_EQ(Run({"ticket", "list"}), 4);
  EXPECT_THAT(err_, HasSubstr("list tickets: "));
  EXPECT_THAT(err_, HasSubstr("missing.yaml"));
  EXPECT_THAT(err_, HasSubstr("next: sign in"));
  folder_.Write("mine.yaml", "rules: []\n");
  EXPECT_EQ(Run({"rule", "check", folder_ / "mine.yaml"}), 4);
  EXPECT_THAT(err_, HasSubstr("the collector does it"));
}

TEST_F(ProgramTest, TellsTheCollectorsRefusalsByExitCode) {
  ExpectProblem("GET /api/v1/tickets/1", 401, "the token is unknown");
  ExpectProblem("GET /api/v1/tickets/2", 403, "needs the role viewer");
  ExpectProblem("GET /api/v1/tickets/4", 409, "the ticket is closed");
  ExpectProblem("GET /api/v1/tickets/5", 500, "the collector failed\x1b[2J");
  ExpectProblem("GET /api/v1/tickets/6", 503, "try again");
  EXPECT_EQ(Run({"ticket", "show", "1"}), 4);
  EXPECT_THAT(err_, HasSubstr("show ticket 1: the token is unknown"));
  EXPECT_EQ(Run({"ticket", "show", "2"}), 4);
  EXPECT_EQ(Run({"ticket", "show", "3"}), 5);
  EXPECT_EQ(Run({"ticket", "show", "4"}), 6);
  EXPECT_EQ(Run({"ticket", "show", "5"}), 1);
  EXPECT_THAT(err_, HasSubstr("(request "));
  EXPECT_THAT(err_, Not(HasSubstr("\x1b")));
  EXPECT_EQ(Run({"ticket", "show", "6"}), 7);
}

TEST_F(ProgramTest, EndsWith7WhenNobodyAnswers) {
  const uint16_t port = server_->port();
  server_->Stop();
  EXPECT_EQ(Run({"ticket", "list"}), 7);
  EXPECT_THAT(err_, HasSubstr(absl::StrCat("https://localhost:", port)));
}

TEST_F(ProgramTest, TrustsOnlyTheGivenAuthorityForTheGivenName) {
  const auto other = identity::CertificateAuthority::OpenOrCreate(
      folder_ / "other", base::Clock::System());
  FOREWARN_ASSERT_OK(other);
  folder_.Write("other.pem", (*other)->ca_pem());
  const std::string url = absl::StrCat("https://localhost:", server_->port());
  Configure(url, "other.pem");
  EXPECT_EQ(Run({"ticket", "list"}), 7);
  EXPECT_THAT(err_, HasSubstr("no request was sent"));
  Configure(url, "missing.pem");
  EXPECT_EQ(Run({"ticket", "list"}), 7);
  EXPECT_THAT(err_, HasSubstr("missing.pem"));
  // Right authority, but no certificate for this address.
  Configure(absl::StrCat("https://127.0.0.1:", server_->port()), "ca.pem");
  EXPECT_EQ(Run({"ticket", "list"}), 7);
  EXPECT_THAT(Requests(), IsEmpty());
}

TEST_F(ProgramTest, DoctorTellsEachCheckAndEndsWith8OnAFailure) {
  {
    base::MutexLock lock(&mutex_);
    answers_.emplace_back("GET /healthz", api::HttpResponse{});
  }
  v1::VersionInfo version;
  version.set_version("9.9.9");
  Expect("GET /api/v1/version", version);
  v1::DoctorReport report;
  v1::CheckResult* check = report.add_checks();
  check->set_check("disk");
  check->set_detail("93 % used");
  check->set_remedy("make room");
  Expect("GET /api/v1/doctor", report);
  EXPECT_EQ(Run({"doctor"}), 8);
  EXPECT_THAT(out_, HasSubstr("collector 9.9.9"));
  EXPECT_THAT(out_, HasSubstr("disk           failed"));
  EXPECT_THAT(out_, HasSubstr("-> make room"));
  EXPECT_EQ(Run({"doctor", "-o", "json"}), 8);
  EXPECT_THAT(out_, HasSubstr("\"check\": \"connection\""));
  server_->Stop();
  EXPECT_EQ(Run({"doctor"}), 7);
  EXPECT_THAT(out_, HasSubstr("connection     failed"));
  config_ = "missing.yaml";
  EXPECT_EQ(Run({"doctor"}), 4);
}

TEST_F(ProgramTest, FailsWhenItsOutputCannotBeWritten) {
  Expect(kOpenTickets, v1::TicketList());
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  const auto environment =
      [this](const std::string& name) -> std::optional<std::string> {
    if (name == "FOREWARN_CONFIG") return folder_ / config_;
    return std::nullopt;
  };
  EXPECT_EQ(RunProgram(
                {"ticket", "list", "-o", "json"},
                {.environment = environment, .in = in, .out = out, .err = err}),
            ExitCode::kFailure);
}

}  // namespace
}  // namespace forewarn::cli
