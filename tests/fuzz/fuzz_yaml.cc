// Z7: configuration of both programs.

#include <cstddef>
#include <cstdint>

#include "forewarn/v1/config.pb.h"
#include "protos/wire/yaml_to_proto.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  forewarn::v1::CollectorConfig collector;
  forewarn::wire::YamlToProto(text, "f", collector);
  forewarn::v1::AgentConfig agent;
  forewarn::wire::YamlToProto(text, "f", agent);
  return 0;
}
