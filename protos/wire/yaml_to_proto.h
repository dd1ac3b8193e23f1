#ifndef FOREWARN_PROTOS_WIRE_YAML_TO_PROTO_H_
#define FOREWARN_PROTOS_WIRE_YAML_TO_PROTO_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace forewarn::wire {

// Reads YAML into `message`, checking against its descriptor and the options
// of options.proto. Durations need a unit (500ms, 10s, 5min, 4h, 30d), sizes
// too (64MiB, 10GB, 512B). Numbers may be written as percent: 85%.
//
// Returns every error at once, each "file:line:col: what, and what was
// meant"; empty = good. yaml-cpp's exceptions end here. Anchors and aliases
// are refused, input is limited to 4 MiB and 32 levels.
std::vector<std::string> YamlToProto(absl::string_view yaml,
                                     absl::string_view file_name,
                                     google::protobuf::Message& message);

// The same for the file at `path`. A file that cannot be read is one error.
std::vector<std::string> YamlFileToProto(const std::string& path,
                                         google::protobuf::Message& message);

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_YAML_TO_PROTO_H_
