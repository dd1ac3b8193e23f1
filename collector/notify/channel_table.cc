#include "collector/notify/channel_table.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/notify/mail_channel.h"
#include "collector/notify/webhook_channel.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::notify {
namespace {

v1::Priority LowestPriority(const std::string& name) {
  v1::Priority priority = v1::P4;
  if (!name.empty()) v1::Priority_Parse(name, &priority);
  return priority;
}

}  // namespace

std::vector<desk::OutboxChannel> OutboxChannels(
    const v1::NotifyConfig& config) {
  std::vector<desk::OutboxChannel> channels;
  if (config.has_mail()) {
    channels.push_back(
        {.name = "mail",
         .lowest_priority = LowestPriority(config.mail().lowest_priority())});
  }
  for (const v1::WebhookConfig& webhook : config.webhooks()) {
    channels.push_back(
        {.name = absl::StrCat("webhook:", webhook.name()),
         .lowest_priority = LowestPriority(webhook.lowest_priority())});
  }
  return channels;
}

absl::StatusOr<std::vector<std::unique_ptr<Channel>>> MakeChannels(
    const v1::NotifyConfig& config, base::Clock& clock) {
  std::vector<std::unique_ptr<Channel>> channels;
  if (config.has_mail()) {
    FOREWARN_ASSIGN_OR_RETURN(std::unique_ptr<Channel> mail,
                              MailChannel::Create(config.mail(), clock));
    channels.push_back(std::move(mail));
  }
  for (const v1::WebhookConfig& webhook : config.webhooks()) {
    FOREWARN_ASSIGN_OR_RETURN(std::unique_ptr<Channel> channel,
                              WebhookChannel::Create(webhook, clock));
    for (const std::unique_ptr<Channel>& other : channels) {
      if (other->name() != channel->name()) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("webhook ", webhook.name(), ": the name is used twice"));
    }
    channels.push_back(std::move(channel));
  }
  return channels;
}

DispatcherOptions OptionsOf(const v1::NotifyConfig& config) {
  DispatcherOptions options;
  if (config.has_first_retry()) {
    options.first_retry = wire::ToDuration(config.first_retry());
  }
  if (config.has_give_up_after()) {
    options.give_up_after = wire::ToDuration(config.give_up_after());
  }
  return options;
}

}  // namespace forewarn::notify
