#include "protos/wire/series.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::wire {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;

SeriesDefinition Good() {
  return {.metric = "system.filesystem.usage",
          .unit = "By",
          .kind = MetricKind::kGauge,
          .digits = 0,
          .attributes = {{"system.filesystem.mountpoint", "/søk/日本"},
                         {"system.filesystem.state", "used"}}};
}

TEST(SeriesTest, OneNumberForOneDefinition) {
  SeriesDictionary dictionary;
  EXPECT_EQ(dictionary.Intern(Good()), 0u);
  SeriesDefinition other = Good();
  other.attributes[1].second = "free";
  EXPECT_EQ(dictionary.Intern(other), 1u);
  EXPECT_EQ(dictionary.Intern(Good()), 0u);
  EXPECT_EQ(dictionary.definition(1), other);
}

TEST(SeriesTest, AGoodDefinitionPasses) {
  EXPECT_THAT(CheckDefinition(Good()), IsOk());
}

TEST(SeriesTest, HostileDefinitionsAreRefused) {
  const auto refused = [](auto change) {
    SeriesDefinition definition = Good();
    change(definition);
    EXPECT_THAT(CheckDefinition(definition),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << SeriesName(definition.metric, definition.attributes);
  };
  refused([](auto& d) { d.metric = ""; });
  refused([](auto& d) { d.metric = std::string(129, 'a'); });
  refused([](auto& d) { d.metric = "<script>"; });
  refused([](auto& d) { d.unit = "\n"; });
  refused([](auto& d) { d.digits = 10; });
  refused([](auto& d) { d.kind = MetricKind::kUnspecified; });
  refused([](auto& d) { d.attributes[0].first = "a b"; });
  refused([](auto& d) { d.attributes[0].second = "a\r\nb"; });
  refused([](auto& d) { d.attributes[0].second = "\xc0\xaf"; });
  refused([](auto& d) { d.attributes[0].second = "\xed\xa0\x80"; });
  refused([](auto& d) { d.attributes[0].second = "\xf5\x80\x80\x80"; });
  refused([](auto& d) { d.attributes[0].second = "cut \xe6\x97"; });
  refused([](auto& d) { d.attributes[0].second = std::string(257, 'a'); });
  refused([](auto& d) { std::swap(d.attributes[0], d.attributes[1]); });
  refused([](auto& d) { d.attributes[1].first = d.attributes[0].first; });
  refused([](auto& d) { d.attributes.resize(17); });
}

TEST(SeriesTest, NamesShowAttributes) {
  EXPECT_EQ(SeriesName("a.b", {}), "a.b");
  EXPECT_EQ(SeriesName("a.b", {{"k", "v"}, {"l", "w"}}), "a.b{k=v,l=w}");
  EXPECT_EQ(AttributeValue(Good().attributes, "system.filesystem.state"),
            "used");
  EXPECT_EQ(AttributeValue(Good().attributes, "absent"), "");
}

}  // namespace
}  // namespace forewarn::wire
