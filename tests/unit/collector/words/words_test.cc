#include "collector/words/words.h"

#include <string>

#include "collector/words/english.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::words {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Text Make(const std::string& key) {
  v1::Text text;
  text.set_key(key);
  return text;
}

v1::Parameter& Add(v1::Text& text, const std::string& name) {
  v1::Parameter& parameter = *text.add_parameters();
  parameter.set_name(name);
  return parameter;
}

TEST(WordsTest, FillsEachKindOfParameter) {
  Words words;
  words.Add("k", "{host}: {value}, {left} left, at {at}; {a.b-c}");
  v1::Text text = Make("k");
  Add(text, "host").set_text("web-01");
  Add(text, "value").mutable_quantity()->set_value(0.85);
  text.mutable_parameters(1)->mutable_quantity()->set_unit("1");
  Add(text, "left").mutable_duration()->set_seconds(7800);
  Add(text, "at").mutable_time()->set_seconds(1795321629);
  Add(text, "a.b-c").set_text("dotted");
  EXPECT_EQ(words.Render(text),
            "web-01: 85 %, 2 h 10 min left, at 2026-11-22 04:27:09 UTC; "
            "dotted");
}

TEST(WordsTest, SaysWhyAnAnomalyIsOne) {
  for (const std::string why : {"jump", "level", "hour", "shift", "unrest"}) {
    v1::Text text = Make("rule.anomaly." + why + ".explanation");
    Add(text, "metric").set_text("disk.latency");
    for (const char* name : {"value", "low", "high"}) {
      Add(text, name).mutable_quantity()->set_value(name[0] == 'v' ? 9 : 1);
    }
    EXPECT_THAT(Words().Render(text),
                ::testing::AllOf(HasSubstr("disk.latency"), HasSubstr("9"),
                                 HasSubstr("1 to 1")))
        << why;
  }
}

TEST(WordsTest, LeavesOutWhatTheTextLacksOrSaysTheFallback) {
  Words words;
  words.Add("k", "[{a}] to {b|nobody} {not a name} {}");
  EXPECT_EQ(words.Render(Make("k")), "[] to nobody {not a name} {}");
}

TEST(WordsTest, SurvivesUnclosedBraces) {
  Words words;
  words.Add("k", "a {b");
  words.Add("l", "{");
  EXPECT_EQ(words.Render(Make("k")), "a {b");
  EXPECT_EQ(words.Render(Make("l")), "{");
}

TEST(WordsTest, ShowsAnUnknownKeyWithItsParameters) {
  v1::Text text = Make("rule.new.title");
  EXPECT_EQ(Words().Render(text), "rule.new.title");
  Add(text, "host").set_text("a\nb");
  EXPECT_EQ(Words().Render(text), "rule.new.title (host=a\\nb)");
}

TEST(WordsTest, HostileParametersStayInert) {
  Words words;
  words.Add("k", "<{host}>");
  v1::Text text = Make("k");
  Add(text, "host").set_text("\x1b]0;pwned\x07{value}\u202e");
  Add(text, "value").set_text("not this");
  EXPECT_EQ(words.Render(text), "<\\x1b]0;pwned\\x07{value}\\u{202e}>");
}

TEST(WordsTest, HistoryNamesASymptomByTheKeyOfItsTitle) {
  Words words;
  words.Add("rule.disk_fill.title", "{mount} on {host} fills up");
  v1::Text text = Make("desk.event.symptom_joined");
  Add(text, "symptom").set_text("rule.disk_fill.title");
  Add(text, "mount").set_text("/var");
  Add(text, "host").set_text("web-01");
  EXPECT_EQ(words.Render(text), "Further symptom: /var on web-01 fills up");
  v1::Text rendered = Make("desk.event.symptom_joined");
  Add(rendered, "symptom").set_text("Already rendered");
  EXPECT_EQ(words.Render(rendered), "Further symptom: Already rendered");
}

TEST(WordsTest, ATitleThatNamesItselfEnds) {
  Words words;
  words.Add("loop", "{symptom} again");
  v1::Text text = Make("loop");
  Add(text, "symptom").set_text("loop");
  EXPECT_EQ(words.Render(text), "loop again again");
}

TEST(WordsTest, EveryDeskTextReadsWellWithoutParameters) {
  for (const Pattern& pattern : EnglishPatterns()) {
    const std::string text = Words().Render(Make(pattern.key));
    EXPECT_THAT(text, Not(HasSubstr("{"))) << pattern.key;
    EXPECT_THAT(text, Not(HasSubstr("  "))) << pattern.key;
    EXPECT_THAT(text, Not(HasSubstr(" ,"))) << pattern.key;
    EXPECT_NE(text, pattern.key);
  }
}

TEST(WordsTest, HasATextForEachEventOfTheDesk) {
  for (const char* verb :
       {"opened", "symptom_joined", "symptom_cleared", "all_clear",
        "priority_raised", "priority_lowered", "acknowledged", "assigned",
        "commented", "resolved", "resolved_by_itself", "recovered_noted",
        "reopened", "reopened_by_itself"}) {
    const std::string key = std::string("desk.event.") + verb;
    EXPECT_NE(Words().Render(Make(key)), key);
  }
}

}  // namespace
}  // namespace forewarn::words
