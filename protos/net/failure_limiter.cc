#include "protos/net/failure_limiter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace forewarn::net {
namespace {

// An IPv6 user has a whole /64 to change addresses in.
std::string NetworkOf(absl::string_view address) {
  std::string text(address);
  in6_addr binary;
  if (inet_pton(AF_INET6, text.c_str(), &binary) != 1) return text;
  return std::string(reinterpret_cast<const char*>(binary.s6_addr), 8);
}

}  // namespace

double FailureLimiter::LevelAt(const Bucket& bucket, absl::Duration now) const {
  const double forgiven = absl::FDivDuration(now - bucket.at, options_.forgive);
  return std::max(0.0, bucket.failures - forgiven);
}

absl::Duration FailureLimiter::Wait(absl::string_view address,
                                    absl::Duration now) const {
  base::MutexLock lock(&mutex_);
  const auto bucket = buckets_.find(NetworkOf(address));
  if (bucket == buckets_.end()) return absl::ZeroDuration();
  const double over = LevelAt(bucket->second, now) - (options_.burst - 1);
  return over <= 0 ? absl::ZeroDuration() : over * options_.forgive;
}

void FailureLimiter::Failed(absl::string_view address, absl::Duration now) {
  base::MutexLock lock(&mutex_);
  const std::string network = NetworkOf(address);
  if (!buckets_.contains(network)) MakeRoomLocked(now);
  Bucket& bucket = buckets_[network];
  bucket.failures = std::min(LevelAt(bucket, now) + 1, options_.burst);
  bucket.at = now;
}

void FailureLimiter::MakeRoomLocked(absl::Duration now) {
  if (buckets_.size() < options_.addresses) return;
  absl::erase_if(buckets_, [&](const auto& entry) {
    return LevelAt(entry.second, now) <= 0;
  });
  if (buckets_.size() >= options_.addresses) buckets_.erase(buckets_.begin());
}

}  // namespace forewarn::net
