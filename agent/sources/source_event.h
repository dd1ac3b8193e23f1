#ifndef FOREWARN_AGENT_SOURCES_SOURCE_EVENT_H_
#define FOREWARN_AGENT_SOURCES_SOURCE_EVENT_H_

#include <initializer_list>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/source.h"
#include "forewarn/v1/telemetry.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace forewarn::agent {

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out);

// "forewarn.event.<type>" with its texts cleaned and cut: 256 bytes a value,
// 512 the message. Attributes without a value are left out; keys in sorted
// order.
v1::Event MakeEvent(absl::Time time, absl::string_view type,
                    std::initializer_list<AttributeView> attributes,
                    absl::string_view message);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_SOURCE_EVENT_H_
