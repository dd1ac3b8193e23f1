#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/main/commands.h"
#include "agent/main/doctor.h"
#include "agent/main/text_table.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source_table.h"
#include "agent/uplink/grpc_transport.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/files.h"

namespace forewarn::agent {
namespace {

constexpr int kExitCheckFailed = 8;

std::string ToJson(const std::vector<Check>& checks) {
  google::protobuf::ListValue list;
  for (const Check& check : checks) {
    auto& fields =
        *list.add_values()->mutable_struct_value()->mutable_fields();
    fields["name"].set_string_value(check.name);
    fields["result"].set_string_value(NameOf(check.health));
    fields["finding"].set_string_value(check.finding);
    fields["remedy"].set_string_value(check.remedy);
  }
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(list, &json, options)
           .ok()) {
    return "[]\n";
  }
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

std::string ToTable(const std::vector<Check>& checks) {
  std::vector<std::vector<std::string>> rows = {
      {"CHECK", "RESULT", "FINDING"}};
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
