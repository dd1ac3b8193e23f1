#ifndef FOREWARN_COLLECTOR_DETECT_SIGNAL_READER_H_
#define FOREWARN_COLLECTOR_DETECT_SIGNAL_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/detect/sample_window.h"
#include "collector/detect/series_table.h"
#include "forewarn/v1/rules.pb.h"

namespace forewarn::detect {

// Whether the attributes are those that `signal.where` asks for.
bool MatchesWhere(const v1::Signal& signal, const wire::Attributes& attributes);

// "average" and so on; kLast for an empty name.
WindowFunction ParseFunction(absl::string_view name);

// Names every (metric, where, window) that reading the signal will need.
void ForEachWindow(
    const v1::Signal& signal,
    absl::FunctionRef<void(const v1::Signal&, absl::Duration)> need);

// The unit of the signal's value, from the unit of its metric.
std::string SignalUnit(const v1::Signal& signal, absl::string_view unit);

// Reads the value of one signal for one series of an endpoint: the series
// itself or, for companions, the one whose attributes agree with it.
//
// Threads  thread-compatible.
class SignalReader {
 public:
  // Reads the signal on `series` itself.
  static SignalReader OfSeries(const v1::Signal& signal, uint32_t series);
  // Reads it on the companion of `series`. `signal` must outlive both.
  static SignalReader OfCompanion(const v1::Signal& signal, uint32_t series);

  // nullopt: no such series, gone, window not filled, divisor missing or 0.
  std::optional<double> Read(const SeriesTable& table, absl::Time now);

 private:
  SignalReader(const v1::Signal& signal, uint32_t series, bool companion);

  const SeriesState* Find(const SeriesTable& table, absl::Time now);
  std::optional<double> ReadFrom(const SeriesState& state, absl::Time now);

  const v1::Signal* signal_;
  uint32_t series_;
  bool companion_;
  WindowFunction function_;
  absl::Duration window_;
  absl::Duration relative_;
  std::unique_ptr<SignalReader> divisor_;
  // Companions, by name; looked up anew when a series is defined.
  std::vector<uint32_t> candidates_;
  uint32_t generation_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SIGNAL_READER_H_
