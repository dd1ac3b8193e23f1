#ifndef FOREWARN_COLLECTOR_DESK_OUTBOX_H_
#define FOREWARN_COLLECTOR_DESK_OUTBOX_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::desk {

// A channel notifications may leave by; the desk writes one outbox row a
// channel whose `lowest_priority` the ticket reaches.
struct OutboxChannel {
  std::string name;  // "mail", "webhook:NAME"
  v1::Priority lowest_priority = v1::P4;
};

// Notifications written in the transaction that caused them; kept until
// delivered or given up. collector/store implements it. Thread-safe.
class Outbox {
 public:
  virtual ~Outbox() = default;

  // Undelivered rows whose next attempt is due, oldest first; of one ticket
  // and channel only the oldest, so that order holds.
  virtual absl::StatusOr<std::vector<v1::Notification>> Due(absl::Time now,
                                                            int limit) = 0;
  // When the next one is due; InfiniteFuture when none waits.
  virtual absl::StatusOr<absl::Time> NextDue() = 0;
  virtual absl::Status MarkDelivered(uint32_t id, absl::Time now) = 0;
  virtual absl::Status MarkFailed(uint32_t id, const std::string& error,
                                  absl::Time next_attempt) = 0;
  virtual absl::Status GiveUp(uint32_t id, const std::string& error,
                              absl::Time now) = 0;

  // Called (from any thread, quickly) after rows were committed.
  virtual void SetListener(std::function<void()> listener) = 0;
};

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_OUTBOX_H_
