#include "collector/detect/peer_detector.h"

#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/detect/state_archive.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::detect {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// A cohort whose members are sampled once a minute.
class PeerDetectorTest : public ::testing::Test {
 protected:
  void Add(int count, const std::string& site = "oslo") {
    for (int i = 0; i < count; ++i) {
      EndpointProfile profile;
      profile.id = absl::StrCat("endpoint-", endpoints_.size());
      profile.site = site;
      endpoints_.push_back(std::make_unique<PeerDetector>(&board_));
      endpoints_.back()->SetProfile(profile);
      endpoints_.back()->Define(
          0, {.metric = metric_, .unit = "1", .digits = 4, .attributes = {}});
    }
  }
  // `value` of each endpoint by minute, for so long. How many findings of
  // which endpoint stood at any time.
  std::vector<int> Run(absl::Duration time,
                       const std::function<double(size_t, double)>& value) {
    std::vector<int> found(endpoints_.size());
    for (const absl::Time end = now_ + time; now_ < end;
         now_ += absl::Minutes(1)) {
      const double hours = absl::ToDoubleHours(now_ - kStart);
      for (size_t i = 0; i < endpoints_.size(); ++i) {
        const wire::Sample sample{0, value(i, hours)};
        endpoints_[i]->Observe(now_, {&sample, 1});
        found[i] += endpoints_[i]->findings().empty() ? 0 : 1;
      }
    }
    return found;
  }
  double Noise() { return 0.02 * normal_(random_); }
  // Everybody's day; each machine works at its own level.
  static double Usual(size_t i, double hours) {
    return 0.2 + 0.05 * static_cast<double>(i % 5) +
           0.15 * std::sin(hours / 24 * 2 * M_PI);
  }

  std::string metric_ = "forewarn.cpu.busy";
  PeerBoard board_;
  std::vector<std::unique_ptr<PeerDetector>> endpoints_;
  absl::Time now_ = kStart;
  std::mt19937_64 random_{7};
  std::normal_distribution<> normal_;
};

TEST_F(PeerDetectorTest, TheOneThatPartsIsFoundAndNoOther) {
  Add(9);
  const auto usual = [&](size_t i, double h) { return Usual(i, h) + Noise(); };
  EXPECT_EQ(Run(absl::Hours(72), usual), std::vector<int>(9, 0));
  const std::vector<int> found = Run(absl::Hours(2), [&](size_t i, double h) {
    return usual(i, h) + (i == 3 ? 0.45 : 0);
  });
  for (size_t i = 0; i < found.size(); ++i) {
    if (i == 3) {
      EXPECT_GT(found[i], 80) << "of 120 minutes";
    } else {
      EXPECT_EQ(found[i], 0) << i;
    }
  }
  const PeerDetector::Finding& finding = endpoints_[3]->findings().at(0);
  EXPECT_EQ(finding.members, 9u);
  EXPECT_GT(finding.value, finding.limit);
  EXPECT_LT(finding.peers, 0.5);
  // And is well again.
  Run(absl::Hours(1), usual);
  EXPECT_TRUE(endpoints_[3]->findings().empty());
}

TEST_F(PeerDetectorTest, WhatChangesOnAllIsNobodysFault) {
  Add(9);
  Run(absl::Hours(48),
      [&](size_t i, double h) { return Usual(i, h) + Noise(); });
  EXPECT_EQ(
      Run(absl::Hours(6),
          [&](size_t i, double h) { return Usual(i, h) + 0.4 + Noise(); }),
      std::vector<int>(9, 0));
}

TEST_F(PeerDetectorTest, AMixedCohortIsNoTrouble) {
  Add(10);
  // Half of them idle, half of them flat out, since ever.
  EXPECT_EQ(Run(absl::Hours(96),
                [&](size_t i, double h) {
                  return (i % 2 == 0 ? 0.05 : 0.8) +
                         0.05 * std::sin(h / 24 * 2 * M_PI) + Noise();
                }),
            std::vector<int>(10, 0));
}

TEST_F(PeerDetectorTest, TooFewHaveNoMiddle) {
  Add(4);
  Run(absl::Hours(48),
      [&](size_t i, double h) { return Usual(i, h) + Noise(); });
  EXPECT_EQ(
      Run(absl::Hours(3),
          [&](size_t i, double h) { return Usual(i, h) + (i == 0 ? 0.6 : 0); }),
      std::vector<int>(4, 0));
}

TEST_F(PeerDetectorTest, AThirdThatPartsDoesNotMoveTheMiddle) {
  Add(9);
  Run(absl::Hours(72),
      [&](size_t i, double h) { return Usual(i, h) + Noise(); });
  const std::vector<int> found = Run(absl::Hours(2), [&](size_t i, double h) {
    return Usual(i, h) + Noise() + (i < 3 ? 0.5 : 0);
  });
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i] > 0, i < 3) << i;
}

TEST_F(PeerDetectorTest, WhoIsAwayForTheNightComesBackAsItWas) {
  Add(9);
  for (int day = 0; day < 4; ++day) {
    EXPECT_EQ(Run(absl::Hours(9),
                  [&](size_t i, double h) { return Usual(i, h) + Noise(); }),
              std::vector<int>(9, 0))
        << day;
    now_ += absl::Hours(15);
  }
}

TEST_F(PeerDetectorTest, NetworksAreComparedWithinASite) {
  metric_ = "forewarn.gateway.loss";
  Add(6, "oslo");
  Add(6, "milano");
  const auto usual = [&](size_t, double) { return std::abs(Noise()) / 10; };
  Run(absl::Hours(72), usual);
  // A bad line at one site is all of that site's.
  EXPECT_EQ(
      Run(absl::Hours(2),
          [&](size_t i, double h) { return usual(i, h) + (i >= 6 ? 0.2 : 0); }),
      std::vector<int>(12, 0));
  Run(absl::Hours(24), usual);
  const std::vector<int> found = Run(absl::Hours(3), [&](size_t i, double h) {
    return usual(i, h) + (i == 2 ? 0.2 : 0);
  });
  EXPECT_GT(found[2], 100);
  // Users feel it, and it lasts.
  EXPECT_EQ(endpoints_[2]->findings().at(0).priority, v1::P4);
}

TEST_F(PeerDetectorTest, GoesOnFromItsState) {
  Add(9);
  const auto value = [&](size_t i, double h) {
    return Usual(i, h) + 0.02 * std::sin(h * 71 + static_cast<double>(i)) +
           (h > 50 && i == 3 ? 0.4 : 0);
  };
  Run(absl::Hours(51), value);
  StateWriter writer;
  writer(*endpoints_[3]);
  const std::string state = writer.Finish();
  StateReader reader(state);
  auto restored = std::make_unique<PeerDetector>(&board_);
  EndpointProfile profile;
  profile.id = "endpoint-3";
  profile.site = "oslo";
  restored->SetProfile(profile);
  restored->Define(0, {.metric = metric_, .unit = "1", .attributes = {}});
  reader(*restored);
  FOREWARN_ASSERT_OK(reader.Finish());
  endpoints_[3] = std::move(restored);
  const std::vector<int> found = Run(absl::Minutes(30), value);
  EXPECT_GT(found[3], 10);
}

TEST(PeerBoardTest, ABucketIsClosedWhenItsCentreWasAskedFor) {
  PeerBoard board;
  PeerBoard::Row row;
  row.fill(1);
  for (uint64_t i = 0; i < 5; ++i) board.Publish("servers", 7, i, row);
  row.fill(100);
  board.Publish("servers", 7, 4, row);  // again: replaces
  const auto centre = board.CentreOf("servers", 7, 0);
  ASSERT_TRUE(centre);
  EXPECT_EQ(centre->members, 5u);
  EXPECT_EQ(centre->median, 1);
  for (uint64_t i = 10; i < 30; ++i) board.Publish("servers", 7, i, row);
  EXPECT_EQ(board.CentreOf("servers", 7, 0)->members, 5u);
  EXPECT_FALSE(board.CentreOf("servers", 8, 0));
  EXPECT_FALSE(board.CentreOf("laptops", 7, 0));
}

TEST_F(PeerDetectorTest, WhatStandsStandsOnWhileNobodyIsThereToCompare) {
  Add(6);
  const auto usual = [](size_t i, double h) { return Usual(i, h); };
  Run(absl::Hours(48), usual);
  Run(absl::Hours(1),
      [&](size_t i, double h) { return usual(i, h) + (i == 0 ? 0.5 : 0); });
  ASSERT_EQ(endpoints_[0]->findings().size(), 1u);
  // The others sleep.
  for (int minute = 0; minute < 60; ++minute) {
    now_ += absl::Minutes(1);
    const wire::Sample sample{0, 0.8};
    endpoints_[0]->Observe(now_, {&sample, 1});
    EXPECT_EQ(endpoints_[0]->findings().size(), 1u);
  }
}

TEST_F(PeerDetectorTest, AmongOthersItLearnsAnew) {
  Add(6);
  Run(absl::Hours(48), [](size_t i, double h) { return Usual(i, h); });
  EndpointProfile laptop;
  laptop.id = "endpoint-0";
  laptop.endpoint_class = v1::ENDPOINT_CLASS_LAPTOP;
  laptop.site = "oslo";
  endpoints_[0]->SetProfile(laptop);
  EXPECT_EQ(Run(absl::Hours(2),
                [](size_t i, double h) {
                  return Usual(i, h) + (i == 0 ? 0.5 : 0);
                })[0],
            0);
}

TEST(PeerBoardTest, AClockThatRunsAheadPushesNobodyOut) {
  PeerBoard board(3);
  PeerBoard::Row row;
  row.fill(1);
  for (int64_t bucket = 0; bucket < 300; ++bucket) {
    board.Publish("all", 100000 + bucket, 99, row);
    for (uint64_t i = 0; i < 5; ++i) board.Publish("all", bucket, i, row);
    ASSERT_TRUE(board.CentreOf("all", bucket, 0)) << bucket;
  }
}

TEST(PeerBoardTest, KeepsTheNewestBuckets) {
  PeerBoard board(3);
  PeerBoard::Row row;
  row.fill(1);
  for (int64_t bucket = 0; bucket < 10; ++bucket) {
    for (uint64_t i = 0; i < 5; ++i) board.Publish("all", bucket, i, row);
  }
  EXPECT_FALSE(board.CentreOf("all", 6, 0));
  EXPECT_TRUE(board.CentreOf("all", 7, 0));
  for (uint64_t i = 0; i < 5; ++i) board.Publish("all", 2, i, row);
  EXPECT_FALSE(board.CentreOf("all", 2, 0));
  EXPECT_TRUE(board.CentreOf("all", 7, 0));
}

}  // namespace
}  // namespace forewarn::detect
