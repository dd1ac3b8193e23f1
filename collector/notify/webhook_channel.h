#ifndef FOREWARN_COLLECTOR_NOTIFY_WEBHOOK_CHANNEL_H_
#define FOREWARN_COLLECTOR_NOTIFY_WEBHOOK_CHANNEL_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/notify/channel.h"
#include "forewarn/v1/config.pb.h"
#include "protos/base/clock.h"

namespace forewarn::notify {

// The bytes of a Standard Webhooks secret: "whsec_" and base64, or any text
// as it is. kInvalidArgument: bad base64, under 16 bytes.
absl::StatusOr<std::string> WebhookKey(absl::string_view secret);

// "v1," and base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>".
std::string WebhookSignature(absl::string_view key, absl::string_view id,
                             absl::string_view timestamp,
                             absl::string_view body);

// POSTs CloudEvents to one URL, signed as Standard Webhooks ask;
// docs/webhooks.md tells receivers how to check them. Thread-safe.
class WebhookChannel final : public Channel {
 public:
  // Checks the configuration and reads the secret. https only, unless the
  // host is a loopback address or private addresses are allowed; no user
  // information in the URL; addresses in their usual form. `clock` must
  // outlive it.
  static absl::StatusOr<std::unique_ptr<WebhookChannel>> Create(
      const v1::WebhookConfig& config, base::Clock& clock,
      absl::Duration timeout = absl::Seconds(10));

  const std::string& name() const override { return name_; }
  absl::Status Send(const Message& message) override;
  void Cancel() override { cancelled_ = true; }

 private:
  WebhookChannel(const v1::WebhookConfig& config, std::string key,
                 bool loopback, base::Clock& clock, absl::Duration timeout);

  const std::string name_;
  const std::string url_;  // may hold a token: never logged
  const std::string ca_file_;
  const std::string key_;
  const bool allow_private_;
  const bool allow_loopback_;
  base::Clock& clock_;
  const absl::Duration timeout_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_WEBHOOK_CHANNEL_H_
