#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "collector/main/init.h"
#include "collector/main/settings.h"
#include "collector/main/state_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::main {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CollectorSettingsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Load(const std::string& yaml) {
    folder_.Write("c.yaml", yaml);
    settings_ = Settings();
    return LoadSettings(folder_ / "c.yaml", folder_ / "state", settings_);
  }
  std::string ReadFile(const std::string& name) {
    std::ifstream file(folder_ / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  testing::TemporaryFolder folder_;
  Settings settings_;
};

TEST_F(CollectorSettingsTest, WithoutAnyKeyItListensOnLoopbackOnly) {
  EXPECT_THAT(Load(""), IsEmpty());
  EXPECT_EQ(settings_.https_address, "127.0.0.1");
  EXPECT_EQ(settings_.https_port, 8460);
  EXPECT_EQ(settings_.agents_address, "127.0.0.1");
  EXPECT_EQ(settings_.agents_port, 8461);
  EXPECT_EQ(settings_.tick, absl::Seconds(10));
  EXPECT_THAT(settings_.public_names, ElementsAre("localhost"));
  EXPECT_THAT(settings_.certificate_names, Contains("127.0.0.1"));
}

TEST_F(CollectorSettingsTest, B48ContradictionsNameBothSettings) {
  EXPECT_THAT(Load("https: {address: 127.0.0.1, port: 9000}\n"
                   "agents: {address: 127.0.0.1, port: 9000}\n"),
              ElementsAre(HasSubstr("https and agents both use port 9000")));
  EXPECT_THAT(Load("history: {raw_retention: 2h, warm_up: 3h}\n"),
              ElementsAre(HasSubstr("warm_up is longer than raw_retention")));
  EXPECT_THAT(Load("https: {address: example.com, port: 1}\n"),
              ElementsAre(HasSubstr("not an IP address")));
}

TEST_F(CollectorSettingsTest, B52OneFolderHasOneCollector) {
  auto first = StateFolder::Lock(folder_ / "state");
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(StateFolder::Lock(folder_ / "state"),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("in use by process")));
}

TEST_F(CollectorSettingsTest, AFolderThatOthersMayWriteIsRefused) {
  mkdir((folder_ / "open").c_str(), 0777);
  chmod((folder_ / "open").c_str(), 0777);
  EXPECT_THAT(StateFolder::Lock(folder_ / "open"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("chmod 0700")));
}

TEST_F(CollectorSettingsTest, InitMakesOnePrivateCredentialAndKeepsIt) {
  ASSERT_THAT(Load(""), IsEmpty());
  const std::string credential = folder_ / "home/cli.yaml";
  FOREWARN_ASSERT_OK(Init(settings_, credential));
  const std::string first = ReadFile("home/cli.yaml");
  EXPECT_THAT(first, HasSubstr("url: https://localhost:8460"));
  EXPECT_THAT(first, HasSubstr("token: fwa1."));
  struct stat info {};
  ASSERT_EQ(stat(credential.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  FOREWARN_ASSERT_OK(Init(settings_, credential));
  EXPECT_EQ(ReadFile("home/cli.yaml"), first);
}

}  // namespace
}  // namespace forewarn::main
