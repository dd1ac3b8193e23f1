#ifndef FOREWARN_COLLECTOR_NOTIFY_CHANNEL_TABLE_H_
#define FOREWARN_COLLECTOR_NOTIFY_CHANNEL_TABLE_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "collector/desk/outbox.h"
#include "collector/notify/channel.h"
#include "collector/notify/dispatcher.h"
#include "forewarn/v1/config.pb.h"
#include "protos/base/clock.h"

namespace forewarn::notify {

// The channels of a configuration: names and lowest priorities for the desk,
// objects for the dispatcher. A channel is one line in channel_table.cc.
std::vector<desk::OutboxChannel> OutboxChannels(const v1::NotifyConfig& config);

// `clock` must outlive them. kInvalidArgument names the channel and what is
// wrong with it: an address, a URL, a secret file; kFailedPrecondition when a
// secret file is readable by others.
absl::StatusOr<std::vector<std::unique_ptr<Channel>>> MakeChannels(
    const v1::NotifyConfig& config, base::Clock& clock);

// Defaults where the configuration is silent.
DispatcherOptions OptionsOf(const v1::NotifyConfig& config);

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_CHANNEL_TABLE_H_
