#include "protos/wire/metric_catalog.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::wire {
namespace {

TEST(MetricCatalogTest, IsSortedWithoutRepeats) {
  for (size_t i = 1; i < MetricCatalog().size(); ++i) {
    EXPECT_LT(std::string(MetricCatalog()[i - 1].name),
              std::string(MetricCatalog()[i].name));
  }
}

TEST(MetricCatalogTest, EveryRowMakesALegalSeries) {
  for (const MetricInfo& info : MetricCatalog()) {
    SeriesDefinition definition{.metric = info.name,
                                .unit = info.unit,
                                .kind = info.kind,
                                .digits = info.digits,
                                .attributes = {}};
    for (absl::string_view key :
         absl::StrSplit(info.attributes, ',', absl::SkipEmpty())) {
      definition.attributes.emplace_back(key, "value");
    }
    EXPECT_THAT(CheckDefinition(definition), testing::IsOk()) << info.name;
    EXPECT_NE(std::string(info.meaning), "") << info.name;
    EXPECT_EQ(FindMetric(info.name), &info);
  }
}

TEST(MetricCatalogTest, UnknownNamesAreNotFound) {
  EXPECT_EQ(FindMetric("system.cpu.nonsense"), nullptr);
  EXPECT_EQ(FindMetric(""), nullptr);
  EXPECT_EQ(FindMetric("zzz"), nullptr);
}

TEST(MetricCatalogTest, DocumentIsWhatTheCatalogueSays) {
  std::ifstream file(FOREWARN_SOURCE_DIR "/docs/metrics.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == MetricsDocument())
      << "regenerate: forewarn-agent sources -o markdown > docs/metrics.md";
}

}  // namespace
}  // namespace forewarn::wire
