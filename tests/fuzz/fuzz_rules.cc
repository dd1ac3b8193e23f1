// A rule file as `forewarn rule check` takes it.

#include <cstddef>
#include <cstdint>

#include "collector/detect/rule_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  forewarn::v1::RulePack pack;
  forewarn::detect::RuleSet::CheckFile(
      absl::string_view(reinterpret_cast<const char*>(data), size), "f", pack);
  return 0;
}
