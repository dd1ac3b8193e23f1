#ifndef FOREWARN_PROTOS_WIRE_PROTO_TIME_H_
#define FOREWARN_PROTOS_WIRE_PROTO_TIME_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace forewarn::wire {

// Between messages and absl::Time, to the nanosecond. What a Timestamp cannot
// hold (years outside 1 to 9999, infinities) becomes the nearest it can.

inline absl::Time ToTime(const google::protobuf::Timestamp& stamp) {
  return absl::FromUnixSeconds(stamp.seconds()) +
         absl::Nanoseconds(stamp.nanos());
}

inline google::protobuf::Timestamp ToStamp(absl::Time time) {
  constexpr absl::Time kFirst = absl::FromUnixSeconds(-62'135'596'800);
  constexpr absl::Time kLast = absl::FromUnixSeconds(253'402'300'799);
  time = std::clamp(time, kFirst, kLast);
  google::protobuf::Timestamp stamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  stamp.set_seconds(seconds);
  stamp.set_nanos(static_cast<int32_t>(
      (time - absl::FromUnixSeconds(seconds)) / absl::Nanoseconds(1)));
  return stamp;
}

inline absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

inline google::protobuf::Duration ToProtoDuration(absl::Duration duration) {
  constexpr absl::Duration kMost = absl::Hours(24 * 365 * 10000);
  duration = std::clamp(duration, -kMost, kMost);
  google::protobuf::Duration proto;
  proto.set_seconds(absl::ToInt64Seconds(duration));
  proto.set_nanos(static_cast<int32_t>(
      (duration - absl::Seconds(proto.seconds())) / absl::Nanoseconds(1)));
  return proto;
}

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_PROTO_TIME_H_
