#ifndef FOREWARN_COLLECTOR_WORDS_PROTO_TIME_H_
#define FOREWARN_COLLECTOR_WORDS_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace forewarn::words {

inline absl::Time ToTime(const google::protobuf::Timestamp& stamp) {
  return absl::FromUnixSeconds(stamp.seconds()) +
         absl::Nanoseconds(stamp.nanos());
}

inline absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

}  // namespace forewarn::words

#endif  // FOREWARN_COLLECTOR_WORDS_PROTO_TIME_H_
