#ifndef FOREWARN_PROTOS_WIRE_SERIES_H_
#define FOREWARN_PROTOS_WIRE_SERIES_H_

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace forewarn::wire {

enum class MetricKind { kUnspecified = 0, kGauge = 1, kCounter = 2, kState = 3 };

// Attributes that tell series of one metric apart, sorted by key.
using Attributes = std::vector<std::pair<std::string, std::string>>;

// Values keep so many decimal digits on the wire; kAllBits keeps the double.
inline constexpr uint32_t kAllBits = 255;

// What a series is: a metric with one attribute set (on one endpoint).
struct SeriesDefinition {
  std::string metric;
  std::string unit;  // UCUM
  MetricKind kind = MetricKind::kGauge;
  uint32_t digits = 0;
  Attributes attributes;

  bool operator==(const SeriesDefinition&) const = default;
};

// "system.filesystem.usage{system.filesystem.mountpoint=/,...}": unique per
// endpoint, printable, for fingerprints and people.
std::string SeriesName(absl::string_view metric, const Attributes& attributes);

// Value of `key`, empty if absent.
absl::string_view AttributeValue(const Attributes& attributes,
                                 absl::string_view key);

// kInvalidArgument when a definition from outside breaks the limits: names of
// 1 to 128 bytes of [a-zA-Z0-9._-], at most 16 attributes, keys as names,
// values at most 256 bytes of valid UTF-8 without control bytes, sorted
// unique keys, a known kind, digits <= 9 or kAllBits.
absl::Status CheckDefinition(const SeriesDefinition& definition);

// Interns definitions to dense numbers from 0. Thread-compatible.
class SeriesDictionary {
 public:
  // The number of the series, a new one on first sight.
  uint32_t Intern(const SeriesDefinition& definition);

  const SeriesDefinition& definition(uint32_t index) const {
    return definitions_[index];
  }
  uint32_t size() const { return static_cast<uint32_t>(definitions_.size()); }

 private:
  std::deque<SeriesDefinition> definitions_;
  absl::flat_hash_map<std::string, uint32_t> index_;
};

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_SERIES_H_
