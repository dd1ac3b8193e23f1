#include "collector/detect/forecast_rule.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace forewarn::detect {
namespace {

// A trend must go on for this share of its window before it is a symptom.
constexpr double kHoldShare = 0.05;
// And must be gone for that share, within bounds, before it is none.
constexpr double kCloseShare = 0.25;
constexpr absl::Duration kMinClose = absl::Minutes(3);
constexpr absl::Duration kMaxClose = absl::Hours(12);
// How often to look, in shares of the shortest window.
constexpr double kLookShare = 0.05;
constexpr absl::Duration kMaxLook = absl::Minutes(15);
// A looser tier is taken only well beyond its border, and after a while.
constexpr double kSlack = 1.5;
// A forecast whose time has passed so often over, and that still names half of
// it or more, was wrong: it is taken back, and is not made again for as long
// unless it names less than that.
constexpr absl::Duration kCanMiss = absl::Hours(12);
constexpr double kMissedAfter = 2;
constexpr double kStillLeft = 0.5;
constexpr double kSilentAfterMiss = 3;
// So near to the limit it counts as reached.
constexpr double kReached = 0.02;

absl::Duration Horizon(const std::vector<ForecastRule::Tier>& tiers) {
  absl::Duration horizon;
  for (const ForecastRule::Tier& tier : tiers) {
    horizon = std::max(horizon, tier.time_left);
  }
  return horizon;
}

}  // namespace

ForecastRule::ForecastRule(LimitForecast::Direction direction,
                           absl::Duration min_window, std::vector<Tier> tiers)
    : sign_(direction == LimitForecast::Direction::kUp ? 1 : -1),
      tiers_(std::move(tiers)),
      tightest_first_(tiers_.size()),
      forecast_(direction, Horizon(tiers_) * kSlack, min_window),
      due_since_(tiers_.size(), absl::InfiniteFuture()),
      look_interval_(std::min(min_window * kLookShare, kMaxLook)) {
  std::iota(tightest_first_.begin(), tightest_first_.end(), size_t{0});
  std::stable_sort(tightest_first_.begin(), tightest_first_.end(),
                   [this](size_t a, size_t b) {
                     return tiers_[a].time_left < tiers_[b].time_left;
                   });
}

std::optional<size_t> ForecastRule::TierOf(absl::Duration low, double value,
                                           double slack) const {
  for (const size_t i : tightest_first_) {
    const Tier& tier = tiers_[i];
    if (tier.from && sign_ * value < sign_ * *tier.from) continue;
    if (low < tier.time_left * slack) return i;
  }
  return std::nullopt;
}

const std::optional<ForecastRule::Verdict>& ForecastRule::Observe(
    absl::Time time, double value, double limit, bool quiet) {
  forecast_.Observe(time, value, limit);
  scored_ = claim_.Observe(time, sign_ * (limit - value));
  if (time < next_look_) return verdict_;
  next_look_ = time + look_interval_;
  if (verdict_) {
    Hold(time, value, limit);
  } else if (quiet) {
    std::fill(due_since_.begin(), due_since_.end(), absl::InfiniteFuture());
  } else {
    Open(time, value, limit);
  }
  return verdict_;
}

void ForecastRule::Open(absl::Time time, double value, double limit) {
  const bool any_from =
      std::any_of(tiers_.begin(), tiers_.end(), [&](const Tier& tier) {
        return !tier.from || sign_ * value >= sign_ * *tier.from;
      });
  std::optional<LimitForecast::Estimate> estimate;
  if (any_from) estimate = forecast_.EstimateTimeLeft(limit, false);
  if (estimate && time < after_miss_until_ &&
      estimate->middle > after_miss_left_) {
    estimate.reset();
  }
  for (const size_t i : tightest_first_) {
    const Tier& tier = tiers_[i];
    const bool due = estimate && estimate->low < tier.time_left &&
                     (!tier.from || sign_ * value >= sign_ * *tier.from);
    if (!due) {
      due_since_[i] = absl::InfiniteFuture();
      continue;
    }
    due_since_[i] = std::min(due_since_[i], time);
    if (time - due_since_[i] <
        std::max(tier.hold, estimate->window * kHoldShare)) {
      continue;
    }
    verdict_ = Verdict{i, *estimate, time - estimate->window};
    supported_ = time;
    close_hold_ =
        std::clamp(estimate->window * kCloseShare, kMinClose, kMaxClose);
    opened_room_ = sign_ * (limit - value);
    opened_at_ = time;
    opened_left_ = estimate->middle;
    looser_since_ = absl::InfiniteFuture();
    claim_.Begin(time, *estimate, opened_room_);
    return;
  }
}

void ForecastRule::Hold(absl::Time time, double value, double limit) {
  const double room = sign_ * (limit - value);
  if (room <= kReached * opened_room_) {
    // The limit is reached: the forecast has come true and stands.
    verdict_->estimate.low = verdict_->estimate.middle =
        verdict_->estimate.high = absl::ZeroDuration();
    supported_ = time;
    return;
  }
  const std::optional<LimitForecast::Estimate> estimate =
      forecast_.EstimateTimeLeft(limit, true);
  if (estimate && opened_left_ > kCanMiss &&
      time - opened_at_ > kMissedAfter * opened_left_ &&
      estimate->middle > kStillLeft * opened_left_) {
    after_miss_left_ = kStillLeft * opened_left_;
    after_miss_until_ = time + kSilentAfterMiss * opened_left_;
    Close();
    return;
  }
  std::optional<size_t> tier;
  if (estimate) tier = TierOf(estimate->low, value, 1);
  if (!tier && estimate) tier = TierOf(estimate->low, value, kSlack);
  if (tier) {
    supported_ = time;
    const absl::Duration now_left = tiers_[*tier].time_left;
    const absl::Duration stood = tiers_[verdict_->tier].time_left;
    if (now_left < stood) {
      verdict_->tier = *tier;
    } else if (now_left > stood && estimate->low > stood * kSlack) {
      looser_since_ = std::min(looser_since_, time);
      if (time - looser_since_ >= close_hold_) verdict_->tier = *tier;
    } else {
      looser_since_ = absl::InfiniteFuture();
    }
    verdict_->estimate = *estimate;
    close_hold_ =
        std::clamp(std::min(close_hold_, estimate->window * kCloseShare),
                   kMinClose, kMaxClose);
    return;
  }
  // More room than when it opened: whatever filled it is gone.
  const absl::Duration hold = room > 1.5 * opened_room_
                                  ? std::min(close_hold_, kMinClose)
                                  : close_hold_;
  if (time - supported_ >= hold) Close();
}

void ForecastRule::Close() {
  verdict_.reset();
  std::fill(due_since_.begin(), due_since_.end(), absl::InfiniteFuture());
}

}  // namespace forewarn::detect
