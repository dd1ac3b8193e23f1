#include "agent/main/json_text.h"

#include <limits>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

TEST(JsonTextTest, EscapesWhatWouldEndATextOrSteerATerminal) {
  EXPECT_EQ(JsonText("a\"b\\c\n\x1b\x7f"), R"("a\"b\\c\u000a\u001b\u007f")");
  EXPECT_EQ(JsonText("blåbær"), "\"blåbær\"");
}

TEST(JsonTextTest, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(JsonText("a\xff"
                     "b\xc3"),
            R"("a\ufffdb\ufffd")");
}

TEST(JsonTextTest, WritesNumbersThatReadBackTheSame) {
  EXPECT_EQ(JsonNumber(0), "0");
  EXPECT_EQ(JsonNumber(0.1), "0.1");
  EXPECT_EQ(JsonNumber(-17.25), "-17.25");
  EXPECT_EQ(JsonNumber(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonTextTest, KeepsTheOrderOfItsKeys) {
  EXPECT_EQ(JsonObject({{"b", "1"}, {"a", "2"}}), R"({"b": 1, "a": 2})");
  EXPECT_EQ(JsonObject({}), "{}");
}

TEST(JsonTextTest, IsJsonToOthers) {
  const std::string json = JsonArray(
      {JsonObject({{"text", JsonText("\x01\"")}, {"n", JsonNumber(1e300)}}),
       "[]", JsonArray({})});
  google::protobuf::ListValue list;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &list).ok());
  EXPECT_EQ(list.values(0).struct_value().fields().at("text").string_value(),
            "\x01\"");
}

}  // namespace
}  // namespace forewarn::agent
