#include "agent/main/settings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AgentSettingsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Load(const std::string& yaml,
                                const std::string& state = "") {
    folder_.Write("agent.yaml", yaml);
    return LoadSettings(folder_ / "agent.yaml", state, settings_);
  }

  const TemporaryFolder folder_;
  Settings settings_;
};

TEST_F(AgentSettingsTest, FillsInTheDefaults) {
  EXPECT_THAT(Load("site: oslo\n"), IsEmpty());
  EXPECT_EQ(settings_.tick(), absl::Seconds(10));
  EXPECT_EQ(settings_.state(), "/var/lib/forewarn/agent");
  EXPECT_EQ(settings_.config.spool().limit().bytes(), uint64_t{64} << 20);
  EXPECT_EQ(settings_.config.site(), "oslo");
}

TEST_F(AgentSettingsTest, TheFlagWinsOverTheFile) {
  EXPECT_THAT(Load("state_directory: /from/file\n", "/from/flag/"), IsEmpty());
  EXPECT_EQ(settings_.state(), "/from/flag");
  EXPECT_EQ(settings_.PathInState("x"), "/from/flag/x");
}

TEST_F(AgentSettingsTest, TellsEveryErrorWithItsPlace) {
  const auto errors = Load("tick: 5\nunknown: 1\ncollectors: [nowhere]\n");
  EXPECT_THAT(errors, ElementsAre(HasSubstr("agent.yaml:1:"),
                                  HasSubstr("agent.yaml:2:"),
                                  HasSubstr("agent.yaml:3:14: collectors")));
}

TEST_F(AgentSettingsTest, ANamedFileMustBeThere) {
  EXPECT_THAT(LoadSettings(folder_ / "missing.yaml", "", settings_), SizeIs(1));
}

}  // namespace
}  // namespace forewarn::agent
