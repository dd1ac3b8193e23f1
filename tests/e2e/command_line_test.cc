// What an administrator types, and what comes back for mistakes.

#include <sys/stat.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/wire/metric_catalog.h"
#include "tests/e2e/installation.h"

namespace forewarn::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(CommandLineTest, MistakesAreUsageErrors) {
  Installation installation;
  for (const Output& output :
       {installation.Collector({"serve", "--nonsense"}),
        installation.Collector({}), installation.Agent({"fly"}),
        installation.Agent({"run", "--state"}),
        installation.Forewarn({"ticket", "show"}),
        installation.Forewarn({"ticket", "list", "-o", "xml"})}) {
    EXPECT_EQ(output.code, 2) << output.err;
    EXPECT_NE(output.err, "");
  }
  EXPECT_EQ(installation.Collector({"--version"}).code, 0);
  EXPECT_EQ(installation.Agent({"--version"}).code, 0);
  EXPECT_EQ(installation.Forewarn({"--version"}).code, 0);
}

TEST(CommandLineTest, B46ConfigurationErrorsComeAllAtOnceWithTheirPlaces) {
  Installation installation;
  std::ofstream(installation.path("bad.yaml"))
      << "tick: 10\nhtps: {}\nagents: {port: 70000}\n";
  for (const char* command : {"serve", "check-config", "init"}) {
    const Output output =
        installation.Collector({command, "--config",
                                installation.path("bad.yaml")});
    EXPECT_EQ(output.code, 2);
    EXPECT_THAT(output.err,
                AllOf(HasSubstr("bad.yaml:1:7: tick"),
                      HasSubstr("bad.yaml:2:1: unknown key \"htps\"; did you "
                                "mean \"https\"?"),
                      HasSubstr("bad.yaml:3:16: port")));
  }
  std::ofstream(installation.path("bad-agent.yaml")) << "tik: 1s\n";
  const Output agent = installation.Agent(
      {"run", "--state", installation.path("agent"), "--config",
       installation.path("bad-agent.yaml")});
  EXPECT_EQ(agent.code, 2);
  EXPECT_THAT(agent.err, HasSubstr("bad-agent.yaml:1:1: unknown key"));
}

TEST(CommandLineTest, SourcesListWhatThisMachineMeasures) {
  Installation installation;
  const Output output = installation.Agent({"sources", "-o", "json"});
  ASSERT_EQ(output.code, 0) << output.err;
  google::protobuf::ListValue list;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(output.out, &list).ok());
  EXPECT_GE(list.values_size(), 100);
  for (const auto& value : list.values()) {
    const auto& fields = value.struct_value().fields();
    const wire::MetricInfo* info =
        wire::FindMetric(fields.at("name").string_value());
    ASSERT_NE(info, nullptr) << fields.at("name").string_value();
    EXPECT_EQ(fields.at("unit").string_value(), info->unit);
    EXPECT_TRUE(fields.contains("attributes"));
    EXPECT_TRUE(fields.contains("value"));
  }
}

TEST(CommandLineTest, B52ASecondCollectorOnTheSameStateIsRefused) {
  Installation installation;
  ASSERT_NO_FATAL_FAILURE(installation.StartCollector());
  const Output second = installation.Collector(
      {"serve", "--config", installation.path("collector.yaml")});
  EXPECT_EQ(second.code, 3);
  EXPECT_THAT(second.err, HasSubstr("in use by process"));
}

TEST(CommandLineTest, AnEnrolmentTokenWorksOnce) {
  Installation installation;
  ASSERT_NO_FATAL_FAILURE(installation.StartCollector());
  ASSERT_NO_FATAL_FAILURE(installation.EnrollAgent());
  const Output again =
      installation.Agent({"enroll", "--state", installation.path("second"),
                          "--token-file", installation.path("token")});
  EXPECT_NE(again.code, 0);
  EXPECT_EQ(installation.Endpoints().size(), 1u);
}

TEST(CommandLineTest, TheFirstCredentialIsPrivate) {
  Installation installation;
  ASSERT_NO_FATAL_FAILURE(installation.StartCollector());
  struct stat info {};
  ASSERT_EQ(stat(installation.path("cli.yaml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  chmod(installation.path("cli.yaml").c_str(), 0644);
  EXPECT_NE(installation.Forewarn({"endpoint", "list"}).code, 0);
}

TEST(CommandLineTest, RulesAreListedAndChecked) {
  Installation installation;
  ASSERT_NO_FATAL_FAILURE(installation.StartCollector());
  EXPECT_THAT(installation.Forewarn({"rule", "list"}).out,
              HasSubstr("disk_fill"));
  std::ofstream(installation.path("rule.yaml"))
      << "rules:\n- id: mine\n  subsystem: cpu\n  title: t\n"
         "  explanation: e\n  signal: {metric: no.such.metric}\n"
         "  levels: [{priority: P3, above: 1}]\n";
  const Output bad =
      installation.Forewarn({"rule", "check", installation.path("rule.yaml")});
  EXPECT_NE(bad.code, 0);
  EXPECT_THAT(bad.out + bad.err, HasSubstr("no.such.metric"));
}

}  // namespace
}  // namespace forewarn::e2e
