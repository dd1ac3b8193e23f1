#include "collector/cli/json_value.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "yaml-cpp/yaml.h"

namespace forewarn::cli {
namespace {

using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

std::string Yaml(const std::string& json) {
  const auto value = ParseJson(json);
  EXPECT_TRUE(value.ok()) << value.status();
  return ToYaml(*value);
}

TEST(JsonValueTest, KeepsOrderAndNumbersAsTheyWere) {
  const auto value =
      ParseJson(R"({"b": 1.50, "a": [true, null, -1e-9], "c": {}})");
  FOREWARN_ASSERT_OK(value);
  EXPECT_EQ(ToJson(*value),
            "{\n  \"b\": 1.50,\n  \"a\": [\n    true,\n    null,\n    -1e-9\n"
            "  ],\n  \"c\": {}\n}\n");
}

TEST(JsonValueTest, ReadsEscapes) {
  const auto value = ParseJson(R"("a\"\\\/\b\n\u00e6\ud83d\ude00")");
  FOREWARN_ASSERT_OK(value);
  EXPECT_EQ(value->text, "a\"\\/\b\næ😀");
}

TEST(JsonValueTest, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "{a: 1}", "nul", "1 2",
                           "\"a", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"",
                           "\"\\ud800\\u0041\"", "\"a\nb\"", "-", "1.2.3"}) {
    EXPECT_THAT(ParseJson(text).status(), StatusIs(absl::StatusCode::kDataLoss))
        << text;
  }
}

TEST(JsonValueTest, BoundsItsDepth) {
  EXPECT_THAT(ParseJson(std::string(100000, '[')).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("deeply")));
}

TEST(JsonValueTest, WritesNothingATerminalWouldObey) {
  const auto value = ParseJson(R"(["\u001b[2J\u009b\u202e"])");
  FOREWARN_ASSERT_OK(value);
  EXPECT_EQ(ToJson(*value), "[\n  \"\\u001b[2J\\u009b\\u202e\"\n]\n");
}

TEST(JsonValueTest, WritesYamlInBlocks) {
  EXPECT_EQ(Yaml(R"({"tickets": [{"id": 7, "tags": ["a"], "by": {"x": 1}},
                                 {"id": 8, "tags": []}], "next": ""})"),
            "tickets:\n"
            "  - id: 7\n"
            "    tags:\n"
            "      - a\n"
            "    by:\n"
            "      x: 1\n"
            "  - id: 8\n"
            "    tags: []\n"
            "next: \"\"\n");
}

TEST(JsonValueTest, QuotesStringsThatYamlWouldTakeForSomethingElse) {
  EXPECT_EQ(Yaml(R"(["12", "true", "No", "a b", "a: b", "-", "~", "NEW"])"),
            "- \"12\"\n- \"true\"\n- \"No\"\n- \"a b\"\n- \"a: b\"\n- \"-\"\n"
            "- \"~\"\n- NEW\n");
}

TEST(JsonValueTest, WritesYamlThatAnotherReaderUnderstands) {
  const std::string hostile =
      "a\"b\\c\n\t\x1b\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81 #: - {}[]&*!|>'%@`";
  JsonValue value;
  value.kind = JsonValue::Kind::kObject;
  JsonValue& member = value.items.emplace_back();
  member.name = "key: odd";
  member.kind = JsonValue::Kind::kString;
  member.text = hostile;
  EXPECT_EQ(YAML::Load(ToYaml(value))["key: odd"].as<std::string>(), hostile);
  const auto again = ParseJson(ToJson(value));
  FOREWARN_ASSERT_OK(again);
  EXPECT_EQ(again->items[0].text, hostile);
}

}  // namespace
}  // namespace forewarn::cli
