#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/main/commands.h"
#include "agent/main/doctor.h"
#include "agent/main/json_text.h"
#include "agent/main/text_table.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source_table.h"
#include "agent/uplink/grpc_transport.h"
#include "protos/base/files.h"

namespace forewarn::agent {
namespace {

constexpr int kExitCheckFailed = 8;

std::string ToJson(const std::vector<Check>& checks) {
  std::vector<std::string> list;
  for (const Check& check : checks) {
    list.push_back(JsonObject({{"name", JsonText(check.name)},
                               {"result", JsonText(NameOf(check.health))},
                               {"finding", JsonText(check.finding)},
                               {"remedy", JsonText(check.remedy)}}));
  }
  return absl::StrCat(JsonArray(list), "\n");
}

std::string ToTable(const std::vector<Check>& checks) {
  std::vector<std::vector<std::string>> rows = {{"CHECK", "RESULT", "FINDING"}};
  for (const Check& check : checks) {
    rows.push_back({check.name, NameOf(check.health), check.finding});
    if (!check.remedy.empty()) {
      rows.push_back({"", "", absl::StrCat("-> ", check.remedy)});
    }
  }
  return TextTable(rows);
}

}  // namespace

int DoctorCommand(const Settings& settings, const std::string& output) {
  KeyStore store(base::Files::Posix(), settings.state());
  GrpcTransport transport;
  std::vector<Check> checks = {CheckConfig(settings), CheckState(store),
                               CheckCertificate(store, absl::Now())};
  for (Check& check : CheckCollectors(settings, store, transport)) {
    checks.push_back(std::move(check));
  }
  checks.push_back(CheckRunning(settings, absl::Now()));
  checks.push_back(CheckClock());
  v1::AgentConfig config = settings.config;
  config.clear_state_directory();  // looking must not change what is known
  const HostFiles host;
  const AgentStats stats;
  bool hung = false;
  for (const SourceReadings& readings :
       ReadSources(MakeSources(host, config, stats), base::Clock::System(), 1,
                   absl::ZeroDuration(), absl::Seconds(20), &hung)) {
    checks.push_back(CheckSource(readings));
  }
  int exit_code = 0;
  for (const Check& check : checks) {
    if (check.health == Health::kFailed) exit_code = kExitCheckFailed;
  }
  std::fputs((output == "json" ? ToJson(checks) : ToTable(checks)).c_str(),
             stdout);
  std::fflush(stdout);
  if (hung) std::_Exit(exit_code);
  return exit_code;
}

}  // namespace forewarn::agent
