#ifndef FOREWARN_TESTS_E2E_INSTALLATION_H_
#define FOREWARN_TESTS_E2E_INSTALLATION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forewarn/v1/api.pb.h"
#include "tests/e2e/child.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::e2e {

// A collector and an agent of their own, real programs on loopback ports that
// nobody else uses, with state in a temporary folder. The tick is a second.
class Installation {
 public:
  // `config` is added to the collector's configuration, `rules` is an
  // administrator's own rule file.
  explicit Installation(const std::string& config = "",
                        const std::string& rules = "");

  void StartCollector();
  void EnrollAgent();
  void StartAgent(const std::string& config = "");
  // All three.
  void StartAll();

  Child& collector() { return *collector_; }
  Child& agent() { return *agent_; }

  // `forewarn ARGUMENTS`.
  Output Forewarn(std::vector<std::string> arguments,
                  const std::string& input = "") const;
  Output Agent(std::vector<std::string> arguments) const;
  Output Collector(std::vector<std::string> arguments) const;

  std::vector<v1::Ticket> Tickets() const;
  v1::TicketDetail Ticket(uint32_t id) const;
  std::vector<v1::Endpoint> Endpoints() const;
  // Times of the samples of a metric that has one series, oldest first.
  std::vector<absl::Time> SampleTimes(const std::string& metric) const;
  bool AgentIsOnline() const;

  std::string path(const std::string& name) const { return folder_ / name; }
  int https_port() const { return https_port_; }
  // Last lines of both logs, for a test that fails.
  std::string Logs() const;

 private:
  // Reads `forewarn ... -o json` into a message.
  bool Get(std::vector<std::string> arguments,
           google::protobuf::Message& message) const;

  testing::TemporaryFolder folder_;
  int https_port_ = 0;
  std::unique_ptr<Child> collector_;
  std::unique_ptr<Child> agent_;
};

}  // namespace forewarn::e2e

#endif  // FOREWARN_TESTS_E2E_INSTALLATION_H_
