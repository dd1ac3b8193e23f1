// Who may include whom: the table of docs/architecture.md, held against every
// include of the tree.

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace forewarn {
namespace {

// Room -> what it may include of ours: rooms, or single headers.
const std::map<std::string, std::set<std::string>>& Floors() {
  static const auto* const floors =
      new std::map<std::string, std::set<std::string>>{
          {"protos/base", {}},
          {"protos/wire", {"protos/base", "forewarn/v1"}},
          {"protos/net", {"protos/base"}},
          {"protos/http", {"protos/base", "protos/net"}},
          {"agent/sources", {"protos/http"}},
          {"agent/identity", {"protos/http"}},
          {"agent/spool", {"agent/sources/agent_source.h"}},
          {"agent/batcher", {"agent/spool", "agent/sources"}},
          {"agent/sampler", {"agent/sources", "agent/batcher"}},
          {"agent/uplink",
           {"agent/spool", "agent/identity", "agent/sources/agent_source.h"}},
          {"agent/main", {"agent"}},
          {"collector/metrics", {}},
          {"collector/detect", {}},
          {"collector/history", {}},
          {"collector/identity", {}},
          {"collector/fleet", {}},
          {"collector/words", {}},
          {"collector/shard",
           {"collector/detect", "collector/history", "collector/fleet"}},
          {"collector/ingest",
           {"collector/shard", "collector/identity", "collector/fleet",
            "collector/detect/endpoint_profile.h"}},
          {"collector/correlate",
           {"collector/detect/symptom.h", "collector/fleet/cohort.h"}},
          {"collector/desk",
           {"collector/correlate/forecast_record.h",
            "collector/correlate/incident.h", "collector/correlate/problem.h",
            "collector/correlate/symptom_order.h"}},
          {"collector/store",
           {"collector/desk/desk_store.h", "collector/desk/outbox.h",
            "collector/correlate/incident.h", "collector/correlate/problem.h",
            "collector/identity/access_tokens.h",
            "collector/fleet/endpoint_registry.h"}},
          {"collector/notify", {"collector/desk/outbox.h", "collector/words"}},
          {"collector/api",
           {"collector/backtest/history_run.h", "collector/desk", "collector/fleet", "collector/history",
            "collector/identity", "collector/detect", "collector/words"}},
          {"collector/cli", {"protos/http"}},
          {"collector/backtest",
           {"collector/detect", "collector/correlate", "collector/history",
            "collector/words"}},
          {"collector/main", {"collector"}}};
  return *floors;
}

std::string RoomOf(const std::string& path) {
  const std::vector<std::string> parts = absl::StrSplit(path, '/');
  return parts.size() < 3 ? "" : absl::StrCat(parts[0], "/", parts[1]);
}

bool Allowed(const std::string& room, const std::string& include) {
  if (RoomOf(include) == room) return true;
  // Open to all: the base, the contract, and the collector's own metrics.
  if (absl::StartsWith(include, "protos/base/")) return true;
  if (absl::StartsWith(include, "protos/net/") && room != "protos/base" &&
      room != "protos/wire") {
    return true;
  }
  if (room != "protos/base" && (absl::StartsWith(include, "forewarn/v1/") ||
                                absl::StartsWith(include, "protos/wire/"))) {
    return true;
  }
  if (absl::StartsWith(room, "collector/") &&
      absl::StartsWith(include, "collector/metrics/")) {
    return true;
  }
  for (const std::string& allowed : Floors().at(room)) {
    if (include == allowed || absl::StartsWith(include, allowed + "/")) {
      return true;
    }
  }
  return false;
}

TEST(FloorsTest, EveryIncludeGoesDown) {
  const std::filesystem::path root = FOREWARN_SOURCE_DIR;
  int files = 0;
  for (const char* top : {"protos", "agent", "collector"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      const std::string path =
          std::filesystem::relative(entry.path(), root).string();
      const std::string room = RoomOf(path);
      ASSERT_TRUE(Floors().contains(room))
          << path << ": room " << room << " has no floor in this table";
      ++files;
      std::ifstream file(entry.path());
      int number = 0;
      for (std::string line; std::getline(file, line);) {
        ++number;
        if (!absl::StartsWith(line, "#include \"")) continue;
        const std::string include = line.substr(10, line.find('"', 10) - 10);
        const bool ours = absl::StartsWith(include, "agent/") ||
                          absl::StartsWith(include, "collector/") ||
                          absl::StartsWith(include, "protos/") ||
                          absl::StartsWith(include, "forewarn/v1/");
        EXPECT_TRUE(!ours || Allowed(room, include))
            << path << ":" << number << ": " << room << " may not include "
            << include;
      }
    }
  }
  EXPECT_GT(files, 100);
}

TEST(FloorsTest, NoFileIsTooLongToHoldInMind) {
  const std::filesystem::path root = FOREWARN_SOURCE_DIR;
  for (const char* top : {"protos", "agent", "collector"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream file(entry.path());
      int lines = 0;
      for (std::string line; std::getline(file, line);) ++lines;
      EXPECT_LE(lines, 800) << entry.path();
    }
  }
}

}  // namespace
}  // namespace forewarn
