#ifndef FOREWARN_COLLECTOR_DETECT_PEER_BOARD_H_
#define FOREWARN_COLLECTOR_DETECT_PEER_BOARD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "protos/base/mutex.h"

namespace forewarn::detect {

// What the endpoints of each cohort measured at the same moments, for all to
// compare themselves with. Time goes by buckets of five minutes; a bucket's
// centre is taken once, when somebody first asks for it, and what comes later
// is too late. At most `kept` buckets of a cohort in which enough
// have told are held; one whose clock runs ahead pushes nobody out.
//
// Threads  thread-safe; touched once an endpoint and bucket.
class PeerBoard {
 public:
  static constexpr absl::Duration kBucket = absl::Minutes(5);
  static constexpr size_t kMetrics = 12;
  // Fewer have no middle worth the name.
  static constexpr uint32_t kFewest = 5;
  static int64_t BucketOf(absl::Time time) {
    return absl::ToUnixSeconds(time) / absl::ToInt64Seconds(kBucket);
  }

  explicit PeerBoard(size_t kept = 6) : kept_(kept) {}

  // What one endpoint measured in a bucket, by metric; what is no number was
  // not measured. Again for the same endpoint: replaces.
  using Row = std::array<float, kMetrics>;
  void Publish(const std::string& cohort, int64_t bucket, uint64_t endpoint,
               const Row& row);

  struct Centre {
    float median = 0;
    float spread = 0;  // 1.4826 times the median absolute deviation
    uint32_t members = 0;
  };
  // nullopt where fewer than kFewest measured it.
  std::optional<Centre> CentreOf(const std::string& cohort, int64_t bucket,
                                 size_t metric);

 private:
  struct Bucket {
    absl::flat_hash_map<uint64_t, Row> rows;
    bool closed = false;
    std::array<std::optional<Centre>, kMetrics> centres;
  };
  using Buckets = absl::btree_map<int64_t, Bucket>;
  static bool Full(const Bucket& bucket) {
    return bucket.closed || bucket.rows.size() >= kFewest;
  }
  static void Close(Bucket& bucket);
  void Trim(Buckets& buckets) const;

  const size_t kept_;
  base::Mutex mutex_;
  absl::flat_hash_map<std::string, Buckets> cohorts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_PEER_BOARD_H_
