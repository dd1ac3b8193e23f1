#ifndef FOREWARN_COLLECTOR_NOTIFY_MAIL_CHANNEL_H_
#define FOREWARN_COLLECTOR_NOTIFY_MAIL_CHANNEL_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/notify/channel.h"
#include "forewarn/v1/config.pb.h"
#include "protos/base/clock.h"

namespace forewarn::notify {

// "Subject" text as RFC 5322 and 2047 have it: plain where it is short ASCII,
// else encoded words, folded. Line breaks cannot come out.
std::string EncodeSubject(absl::string_view text);

// A whole mail, lines ended by CR LF. All mails of a ticket are one thread:
// the first one's Message-ID is made from ticket and opening time, later ones
// refer to it; the same notification has the same Message-ID on every
// attempt.
std::string ComposeMail(const Message& message, absl::string_view from,
                        const std::vector<std::string>& to, absl::Time now);

// Sends by SMTP. Thread-safe.
class MailChannel final : public Channel {
 public:
  // Checks the configuration and reads the password. kInvalidArgument for a
  // server that is no smtp:// or smtps:// URL, for addresses with spaces,
  // line breaks or brackets, and for a password that would travel in the
  // clear to another machine. `clock` must outlive it.
  static absl::StatusOr<std::unique_ptr<MailChannel>> Create(
      const v1::MailConfig& config, base::Clock& clock,
      absl::Duration timeout = absl::Seconds(30));

  const std::string& name() const override { return name_; }
  absl::Status Send(const Message& message) override;
  void Cancel() override { cancelled_ = true; }

 private:
  MailChannel(const v1::MailConfig& config, std::string password,
              base::Clock& clock, absl::Duration timeout);

  const std::string name_ = "mail";
  const v1::MailConfig config_;
  const std::vector<std::string> to_;
  const std::string password_;
  base::Clock& clock_;
  const absl::Duration timeout_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_MAIL_CHANNEL_H_
