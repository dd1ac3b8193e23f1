#include "collector/backtest/csv_series.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::backtest {
namespace {

using forewarn::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CsvSeriesTest, SplitsQuotesAndBraces) {
  EXPECT_THAT(*SplitCsv(R"(a,"b,""c""",m{x=1,y=2},)"),
              ElementsAre("a", "b,\"c\"", "m{x=1,y=2}", ""));
  EXPECT_FALSE(SplitCsv("a,\"b").has_value());
}

TEST(CsvSeriesTest, ReadsThreeFormsOfTime) {
  const absl::Time expected = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_EQ(ParseCsvTime("1800000000"), expected);
  EXPECT_EQ(ParseCsvTime("2027-01-15 08:00:00"), expected);
  EXPECT_EQ(ParseCsvTime("2027-01-15T08:00:00Z"), expected);
  EXPECT_EQ(ParseCsvTime("2027-01-15T09:00:00+01:00"), expected);
  EXPECT_EQ(ParseCsvTime("1800000000.5"), expected + absl::Milliseconds(500));
  EXPECT_EQ(ParseCsvTime("yesterday"), std::nullopt);
  EXPECT_EQ(ParseCsvTime("1e300"), std::nullopt);
}

TEST(CsvSeriesTest, AColumnOfTheCatalogueIsThatMetric) {
  const auto known =
      ParseColumn("system.network.io{network.io.direction=receive,"
                  "network.interface.name=eth0}");
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->kind, wire::MetricKind::kCounter);
  EXPECT_EQ(known->unit, "By");
  EXPECT_EQ(wire::SeriesName(known->metric, known->attributes),
            "system.network.io{network.interface.name=eth0,"
            "network.io.direction=receive}");
  const auto other = ParseColumn("some value");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->kind, wire::MetricKind::kGauge);
  EXPECT_FALSE(ParseColumn("a{b}").ok());
}

class CsvFileTest : public ::testing::Test {
 protected:
  // The first error in the file, or OK.
  absl::Status Read(const std::string& text) {
    folder_.Write("f.csv", text);
    auto file = CsvSeries::Open(folder_ / "f.csv");
    if (!file.ok()) return file.status();
    CsvSeries::Row row;
    while (true) {
      const absl::StatusOr<bool> more = file->Read(row);
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
      last_ = row;
    }
  }
  void ExpectBad(const std::string& text, const std::string& what) {
    EXPECT_THAT(Read(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  }

  forewarn::testing::TemporaryFolder folder_;
  CsvSeries::Row last_;
};

TEST_F(CsvFileTest, AnEmptyCellOrNanIsAMissingSample) {
  FOREWARN_ASSERT_OK(Read("timestamp,a,b,c\r\n10,1.5,,nan\r\n\r\n"));
  EXPECT_THAT(last_.values, ElementsAre(1.5, std::nullopt, std::nullopt));
}

TEST_F(CsvFileTest, SaysFileLineAndWhatWasMeant) {
  ExpectBad("", "f.csv:0: the file is empty");
  ExpectBad("time,a\n", "f.csv:1: the first column is 'time'; 'timestamp'");
  ExpectBad("timestamp\n", "no column besides timestamp");
  ExpectBad("timestamp,a,a\n", "column 'a' stands twice");
  ExpectBad("timestamp,a\n1,2\n3,4,5\n", "f.csv:3: 3 fields; the header has 2");
  ExpectBad("timestamp,a\n1,x\n", "f.csv:2: column 'a': 'x' is no number");
  ExpectBad("timestamp,a\nnow,1\n", "f.csv:2: 'now' is no time");
}

TEST_F(CsvFileTest, AMissingFileIsNotFound) {
  EXPECT_THAT(CsvSeries::Open("/no/such.csv"),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace forewarn::backtest
