// Z5: the target of an HTTP request.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collector/api/request_path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto path = forewarn::api::ParseTarget(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!path.ok()) return 0;
  for (const std::string& segment : path->segments) {
    if (segment.empty() || segment == "." || segment == ".." ||
        segment.find('/') != std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
