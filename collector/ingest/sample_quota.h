#ifndef FOREWARN_COLLECTOR_INGEST_SAMPLE_QUOTA_H_
#define FOREWARN_COLLECTOR_INGEST_SAMPLE_QUOTA_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace forewarn::ingest {

// How fast one endpoint may send: a token bucket that holds ten seconds' worth.
// Who sends more is read more slowly; nothing of it is lost.
class SampleQuota {
 public:
  explicit SampleQuota(uint32_t samples_per_second)
      : rate_(samples_per_second), left_(10 * rate_) {}

  // `samples` came by `now`, which only grows. How long nothing more should be
  // read; zero within the quota.
  absl::Duration Take(uint64_t samples, absl::Duration now) {
    left_ = std::min(10 * rate_,
                     left_ + rate_ * absl::ToDoubleSeconds(now - last_));
    last_ = now;
    left_ -= static_cast<double>(samples);
    return absl::Seconds(std::max(0.0, -left_ / rate_));
  }

 private:
  double rate_;
  double left_;
  absl::Duration last_;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_SAMPLE_QUOTA_H_
