#ifndef FOREWARN_PROTOS_WIRE_METRIC_CATALOG_H_
#define FOREWARN_PROTOS_WIRE_METRIC_CATALOG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "protos/wire/series.h"

namespace forewarn::wire {

// One row of the catalogue. Every metric that a source emits or a rule names
// stands here once. Names and units are OpenTelemetry's where it has them
// (semantic conventions 1.44), else under forewarn.*.
struct MetricInfo {
  const char* name;
  const char* unit;  // UCUM
  MetricKind kind;
  uint32_t digits;         // decimal digits kept on the wire, or kAllBits
  const char* attributes;  // keys, comma separated, in sorted order
  const char* source;      // the agent source that emits it
  const char* meaning;
};

// All rows, sorted by name.
absl::Span<const MetricInfo> MetricCatalog();

// The row of `name`, or nullptr.
const MetricInfo* FindMetric(absl::string_view name);

// docs/metrics.md as the catalogue has it.
std::string MetricsDocument();

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_METRIC_CATALOG_H_
