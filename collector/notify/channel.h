#ifndef FOREWARN_COLLECTOR_NOTIFY_CHANNEL_H_
#define FOREWARN_COLLECTOR_NOTIFY_CHANNEL_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/notify/message.h"

namespace forewarn::notify {

// The way a notification leaves: mail, a webhook. It sends when told to and
// never decides whether to send.
//
// Threads  Send from one thread at a time; Cancel from any.
class Channel {
 public:
  virtual ~Channel() = default;

  // "mail", "webhook:NAME": as the outbox rows name it.
  virtual const std::string& name() const = 0;

  // Returns within a minute, whatever the other end does. The message's
  // idempotency key is the same on every attempt.
  //
  // Errors   kUnavailable and what else may pass: again later, no sooner than
  //          RetryAfter of the status says. kPermissionDenied: refused, soon
  //          given up. kInvalidArgument: never will be accepted. kCancelled
  //          after Cancel.
  virtual absl::Status Send(const Message& message) = 0;

  // Ends a Send in progress within about a second, and later ones at once.
  virtual void Cancel() = 0;
};

// `status` with the wait that the other end asked for, and that wait again.
absl::Status WithRetryAfter(absl::Status status, absl::Duration wait);
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_CHANNEL_H_
