#ifndef FOREWARN_COLLECTOR_CORRELATE_PROTO_TIME_H_
#define FOREWARN_COLLECTOR_CORRELATE_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace forewarn::correlate {

// Between messages and absl::Time; to the nanosecond, which a Timestamp can
// hold for years 1 to 9999 only.

inline absl::Time ToTime(const google::protobuf::Timestamp& stamp) {
  return absl::FromUnixSeconds(stamp.seconds()) +
         absl::Nanoseconds(stamp.nanos());
}

inline google::protobuf::Timestamp ToStamp(absl::Time time) {
  google::protobuf::Timestamp stamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  stamp.set_seconds(seconds);
  stamp.set_nanos(static_cast<int32_t>((time - absl::FromUnixSeconds(seconds)) /
                                       absl::Nanoseconds(1)));
  return stamp;
}

inline absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_PROTO_TIME_H_
