#include "agent/identity/renewer.h"

#include <algorithm>
#include <utility>

#include "agent/identity/enroller.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr double kHalf = 0.5;
constexpr double kJitter = 0.05;
// The wall clock may be set, the machine may sleep: look again at times.
constexpr absl::Duration kLookEvery = absl::Minutes(15);
constexpr absl::Duration kFirstRetry = absl::Minutes(2);
constexpr absl::Duration kLongestRetry = absl::Hours(1);
constexpr absl::Duration kLeastRetry = absl::Seconds(20);

}  // namespace

Renewer::Renewer(base::Clock& clock, HttpsClient& client, KeyStore& store,
                 uint64_t seed, std::function<void()> on_renewed)
    : clock_(clock),
      client_(client),
      store_(store),
      on_renewed_(std::move(on_renewed)),
      random_(seed),
      share_(std::uniform_real_distribution<double>(kHalf - kJitter,
                                                    kHalf + kJitter)(random_)),
      backoff_(kFirstRetry, kLongestRetry, random_()) {}

Renewer::~Renewer() { Stop(); }

void Renewer::Start() {
  thread_ = std::thread([this] {
    while (!stop_) alarm_.WaitFor(Turn());
  });
}

void Renewer::Stop() {
  stop_ = true;
  alarm_.Wake();
  if (thread_.joinable()) thread_.join();
}

absl::Duration Renewer::Turn() {
  const absl::StatusOr<Identity> identity = store_.Load();
  if (!identity.ok()) return kLookEvery;
  const absl::Time due = identity->not_before +
                         share_ * (identity->not_after - identity->not_before);
  const absl::Time now = clock_.Now();
  if (now < due) return std::min(due - now, kLookEvery);
  const absl::Duration since_boot = clock_.SinceBoot();
  if (since_boot < not_before_) return not_before_ - since_boot;

  const absl::StatusOr<Identity> renewed = Renew(client_, store_);
  if (renewed.ok()) {
    backoff_.Reset();
    Log(LogLevel::kInfo, "certificate renewed",
        {{"valid_until",
          absl::FormatTime(renewed->not_after, absl::UTCTimeZone())}});
    if (on_renewed_) on_renewed_();
    return kLookEvery;
  }
  const absl::Duration wait = std::max(backoff_.Next(), kLeastRetry);
  not_before_ = since_boot + wait;
  const bool expired = now >= identity->not_after;
  Log(expired ? LogLevel::kError : LogLevel::kWarning,
      expired ? "certificate expired and not renewed; nothing can be sent"
              : "certificate not renewed yet",
      {{"error", base::ToLine(renewed.status())},
       {"next_try_seconds", absl::ToInt64Seconds(wait)}});
  return wait;
}

}  // namespace forewarn::agent
