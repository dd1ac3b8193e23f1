#include "protos/wire/yaml_to_proto.h"

#include "forewarn/v1/config.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::wire {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

v1::CollectorConfig config;

std::vector<std::string> Read(absl::string_view yaml) {
  config.Clear();
  return YamlToProto(yaml, "c.yaml", config);
}

TEST(YamlToProtoTest, ReadsEveryKindOfField) {
  EXPECT_THAT(Read("state_directory: /var/lib/forewarn\n"
                   "public_names: [a.example, b.example]\n"
                   "https: {address: 127.0.0.1, port: 8460}\n"
                   "tick: 10s\n"
                   "history: {raw_retention: 30d, cache: 64MiB}\n"
                   "rules:\n"
                   "  overrides:\n"
                   "  - {rule: cpu_busy, hold: 1.5s, above: 85%,"
                   " disabled: true}\n"),
              IsEmpty());
  EXPECT_EQ(config.state_directory(), "/var/lib/forewarn");
  EXPECT_EQ(config.public_names_size(), 2);
  EXPECT_EQ(config.https().port(), 8460u);
  EXPECT_EQ(config.tick().seconds(), 10);
  EXPECT_EQ(config.history().raw_retention().seconds(), 30 * 86400);
  EXPECT_EQ(config.history().cache().bytes(), 64u << 20);
  EXPECT_EQ(config.rules().overrides(0).hold().seconds(), 1);
  EXPECT_EQ(config.rules().overrides(0).hold().nanos(), 500000000);
  EXPECT_DOUBLE_EQ(config.rules().overrides(0).above(), 0.85);
  EXPECT_TRUE(config.rules().overrides(0).disabled());
}

TEST(YamlToProtoTest, AnEmptyFileIsAllDefaults) {
  EXPECT_THAT(Read(""), IsEmpty());
  EXPECT_THAT(Read("# nothing\n"), IsEmpty());
}

TEST(YamlToProtoTest, ByteOrderMarkAndCrLfAreAccepted) {
  EXPECT_THAT(Read("\xef\xbb\xbftick: 10s\r\n"), IsEmpty());
  EXPECT_EQ(config.tick().seconds(), 10);
}

TEST(YamlToProtoTest, UnknownKeysComeWithAGuessAndAPlace) {
  EXPECT_THAT(Read("tick: 10s\nhtps: {port: 1}\n"),
              ElementsAre("c.yaml:2:1: unknown key \"htps\"; did you mean "
                          "\"https\"?"));
}

TEST(YamlToProtoTest, AllErrorsComeAtOnce) {
  EXPECT_THAT(
      Read("tick: 10\n"
           "https: {port: 70000, address: []}\n"
           "history: {cache: 64, raw_retention: 5 parsecs}\n"
           "shards: many\n"
           "log_level: loud\n"),
      ElementsAre(
          AllOf(StartsWith("c.yaml:1:7:"), HasSubstr("lacks a unit")),
          AllOf(StartsWith("c.yaml:2:15:"), HasSubstr("out of range")),
          AllOf(StartsWith("c.yaml:2:31:"), HasSubstr("single value")),
          AllOf(StartsWith("c.yaml:3:18:"), HasSubstr("lacks a unit")),
          AllOf(StartsWith("c.yaml:3:37:"), HasSubstr("unknown unit")),
          AllOf(StartsWith("c.yaml:4:9:"), HasSubstr("not a number")),
          AllOf(StartsWith("c.yaml:5:12:"), HasSubstr("debug, info"))));
}

TEST(YamlToProtoTest, RequiredKeysAreAskedFor) {
  EXPECT_THAT(Read("notify:\n  mail: {server: smtp://localhost}\n"),
              ElementsAre(HasSubstr("mail lacks the key \"from\""),
                          HasSubstr("mail lacks the key \"to\"")));
}

TEST(YamlToProtoTest, KeysTwiceAreRefused) {
  EXPECT_THAT(Read("tick: 10s\ntick: 20s\n"),
              ElementsAre(HasSubstr("c.yaml:2:1: key \"tick\" twice")));
}

TEST(YamlToProtoTest, BrokenYamlIsOneErrorWithItsPlace) {
  EXPECT_THAT(Read("tick: [1, 2\nhttps: }"),
              ElementsAre(StartsWith("c.yaml:2:")));
}

TEST(YamlToProtoTest, AliasesAndDeepNestingAreRefused) {
  EXPECT_THAT(Read("tick: &a 10s\nhttps: *a\n"),
              ElementsAre(HasSubstr("anchors")));
  EXPECT_THAT(Read(std::string(1000, '[')), ElementsAre(HasSubstr("c.yaml")));
  EXPECT_THAT(Read(std::string(40, '[') + std::string(40, ']')),
              ElementsAre(HasSubstr("32 levels")));
}

TEST(YamlToProtoTest, NulAndGiantFilesAreRefused) {
  EXPECT_THAT(Read(absl::string_view("tick: 10s\n\0", 11)),
              ElementsAre(HasSubstr("NUL")));
  EXPECT_THAT(Read(std::string((4 << 20) + 1, ' ')),
              ElementsAre(HasSubstr("4 MiB")));
}

TEST(YamlToProtoTest, WhatStandsAfterTheDocumentIsRefusedNotReadForEver) {
  EXPECT_THAT(Read(",\x17"), ElementsAre(StartsWith("c.yaml:")));
  EXPECT_THAT(Read("tick: 10s\n---\ntick: 20s\n"),
              ElementsAre(HasSubstr("after the end of the document")));
}

TEST(YamlToProtoTest, AMissingFileIsOneError) {
  EXPECT_THAT(YamlFileToProto("/nonexistent/c.yaml", config),
              ElementsAre("/nonexistent/c.yaml:1:1: cannot be opened for "
                          "reading"));
}

}  // namespace
}  // namespace forewarn::wire
