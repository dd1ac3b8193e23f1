#include "agent/sources/source_table.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/base/clock.h"
#include "protos/wire/metric_catalog.h"
#include "tests/support/recording_sink.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::TemporaryFolder;

class SourceTableTest : public ::testing::Test {
 protected:
  std::vector<std::unique_ptr<Source>> Make() {
    return MakeSources(files_, config_, stats_);
  }

  TemporaryFolder folder_;
  HostFiles files_;
  AgentStats stats_;
  v1::AgentConfig config_;
};

TEST_F(SourceTableTest, HasASourceForEachRowOfTheCatalogueAndNoOther) {
  std::set<std::string> in_catalogue;
  for (const wire::MetricInfo& row : wire::MetricCatalog()) {
    in_catalogue.insert(row.source);
  }
  std::set<std::string> in_table;
  for (const auto& source : Make()) {
    EXPECT_TRUE(in_table.insert(std::string(source->name())).second)
        << source->name() << " stands twice";
  }
  EXPECT_EQ(in_table, in_catalogue);
}

TEST_F(SourceTableTest, LeavesDisabledSourcesOut) {
  const size_t all = Make().size();
  config_.add_disabled_sources("smart");
  config_.add_disabled_sources("cpu");
  config_.add_disabled_sources("no such source");
  const auto sources = Make();
  EXPECT_EQ(sources.size(), all - 2);
  for (const auto& source : sources) {
    EXPECT_NE(source->name(), "smart");
    EXPECT_NE(source->name(), "cpu");
  }
}

TEST_F(SourceTableTest, BootStateIsKeptInTheStateDirectory) {
  EXPECT_EQ(BootStatePath(config_), "");
  config_.set_state_directory("/var/lib/forewarn-agent");
  EXPECT_EQ(BootStatePath(config_), "/var/lib/forewarn-agent/boot");
}

// The recording sink fails for what the catalogue does not have.
TEST_F(SourceTableTest, OnThisMachineReadsOnlyWhatTheCatalogueHas) {
  config_.set_state_directory(folder_.path());
  stats_.SetSource("cpu", {});
  std::set<std::string> series;
  const base::Clock& clock = base::Clock::System();
  for (const auto& source : Make()) {
    if (source->may_block()) continue;
    SCOPED_TRACE(std::string(source->name()));
    RecordingSink sink{std::string(source->name())};
    for (int i = 0; i < 2; ++i) {
      sink.Clear();
      const absl::Status status =
          source->Sample({clock.Now(), clock.SinceBoot()}, sink);
      EXPECT_TRUE(status.ok() || absl::IsNotFound(status) ||
                  absl::IsUnimplemented(status))
          << status;
    }
    for (const auto& [name, value] : sink.readings) series.insert(name);
  }
  EXPECT_GE(series.size(), 60u);
  EXPECT_TRUE(series.count("system.cpu.time{cpu.mode=user}"));
  EXPECT_TRUE(series.count("system.memory.limit"));
  EXPECT_TRUE(series.count("system.uptime"));
}

}  // namespace
}  // namespace forewarn::agent
