#include "collector/detect/peer_board.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace forewarn::detect {
namespace {

// Buckets that only a few told of, beside those that count.
constexpr size_t kStray = 32;

float MedianOf(std::vector<float>& values) {
  const auto middle =
      values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void PeerBoard::Publish(const std::string& cohort, int64_t bucket,
                        uint64_t endpoint, const Row& row) {
  base::MutexLock lock(&mutex_);
  Buckets& buckets = cohorts_[cohort];
  if (buckets.size() >= kept_) {
    const auto first_full =
        std::find_if(buckets.begin(), buckets.end(),
                     [](const auto& at) { return Full(at.second); });
    // Older than all that are held: a replay, or a long backlog.
    if (first_full != buckets.end() && bucket < first_full->first) return;
  }
  Bucket& at = buckets[bucket];
  if (!at.closed) at.rows[endpoint] = row;
  // A back-test keeps them all: weeks of buckets are not to be looked through
  // for each that comes.
  if (buckets.size() > kept_) Trim(buckets);
}

void PeerBoard::Trim(Buckets& buckets) const {
  size_t full = 0;
  for (const auto& [number, bucket] : buckets) full += Full(bucket) ? 1 : 0;
  for (auto it = buckets.begin(); it != buckets.end() && full > kept_;) {
    full -= Full(it->second) ? 1 : 0;
    it = buckets.erase(it);
  }
  // What few ever tell of: the furthest goes first.
  while (buckets.size() > kept_ && buckets.size() - kept_ > kStray) {
    auto last = std::prev(buckets.end());
    while (Full(last->second) && last != buckets.begin()) --last;
    buckets.erase(last);
  }
}

void PeerBoard::Close(Bucket& bucket) {
  bucket.closed = true;
  std::vector<float> values;
  for (size_t metric = 0; metric < kMetrics; ++metric) {
    values.clear();
    for (const auto& [endpoint, row] : bucket.rows) {
      if (!std::isnan(row[metric])) values.push_back(row[metric]);
    }
    if (values.size() < kFewest) continue;
    Centre centre;
    centre.members = static_cast<uint32_t>(values.size());
    centre.median = MedianOf(values);
    for (float& value : values) value = std::abs(value - centre.median);
    centre.spread = 1.4826F * MedianOf(values);
    bucket.centres[metric] = centre;
  }
  bucket.rows.clear();
}

std::optional<PeerBoard::Centre> PeerBoard::CentreOf(const std::string& cohort,
                                                     int64_t bucket,
                                                     size_t metric) {
  base::MutexLock lock(&mutex_);
  const auto buckets = cohorts_.find(cohort);
  if (buckets == cohorts_.end()) return std::nullopt;
  const auto at = buckets->second.find(bucket);
  if (at == buckets->second.end()) return std::nullopt;
  if (!at->second.closed) Close(at->second);
  return at->second.centres[metric];
}

}  // namespace forewarn::detect
