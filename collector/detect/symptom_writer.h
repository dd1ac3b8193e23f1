#ifndef FOREWARN_COLLECTOR_DETECT_SYMPTOM_WRITER_H_
#define FOREWARN_COLLECTOR_DETECT_SYMPTOM_WRITER_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/limit_forecast.h"
#include "collector/detect/series_table.h"
#include "forewarn/v1/desk.pb.h"
#include "forewarn/v1/rules.pb.h"

namespace forewarn::detect {

void SetTime(absl::Time time, google::protobuf::Timestamp& out);
void SetDuration(absl::Duration duration, google::protobuf::Duration& out);
absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
absl::Duration DurationOf(const google::protobuf::Duration& duration);

// What a symptom says besides its fixed parts. Unset fields stay out.
struct SymptomFacts {
  absl::Time time;
  absl::Time since;
  v1::Priority priority = v1::PRIORITY_UNSPECIFIED;
  double value = 0;
  std::string unit;  // of the value
  std::optional<double> threshold;
  std::optional<double> expected_low;
  std::optional<double> expected_high;
  double score = 1;
  std::optional<LimitForecast::Estimate> time_left;
  double limit = 0;
};

// Writes the symptoms of one endpoint.
class SymptomWriter {
 public:
  // A new symptom about `series`; `rule` is null for anomalies.
  static v1::Symptom Open(const EndpointProfile& profile,
                          absl::string_view rule_id, const v1::Rule* rule,
                          v1::DetectorKind detector,
                          absl::string_view subsystem,
                          const SeriesState& series);

  // What changes while it stands: priority, times, evidence, and the
  // parameters of title and explanation.
  static void Update(const EndpointProfile& profile, const SymptomFacts& facts,
                     v1::Symptom& symptom);

  // A further quantity that the explanation may name. After Update.
  static void AddQuantity(absl::string_view name, double value,
                          absl::string_view unit, v1::Symptom& symptom);

  // It has cleared; `value` as it was then, if known.
  static void Close(absl::Time time, std::optional<double> value,
                    v1::Symptom& symptom);

  // At most 60 points for people to look at: the last hour by minutes.
  static void SetWindow(const SeriesState& series, absl::Time now,
                        v1::Evidence& evidence);
  // The window that a forecast looked at.
  static void SetWindow(const LimitForecast& forecast, absl::Duration window,
                        v1::Evidence& evidence);
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SYMPTOM_WRITER_H_
