#include "agent/sources/source_event.h"

#include "absl/strings/str_cat.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxValueBytes = 256;
constexpr size_t kMaxMessageBytes = 512;

}  // namespace

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out) {
  const timespec parts = absl::ToTimespec(time);
  out.set_seconds(parts.tv_sec);
  out.set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

v1::Event MakeEvent(absl::Time time, absl::string_view type,
                    std::initializer_list<AttributeView> attributes,
                    absl::string_view message) {
  v1::Event event;
  SetTimestamp(time, *event.mutable_time());
  event.set_name(absl::StrCat("forewarn.event.", type));
  for (const auto& [key, value] : attributes) {
    if (value.empty()) continue;
    v1::Attribute& attribute = *event.add_attributes();
    attribute.set_key(std::string(key));
    attribute.set_value(CleanText(value, kMaxValueBytes));
  }
  event.set_message(CleanText(message, kMaxMessageBytes));
  return event;
}

}  // namespace forewarn::agent
