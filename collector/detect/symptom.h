#ifndef FOREWARN_COLLECTOR_DETECT_SYMPTOM_H_
#define FOREWARN_COLLECTOR_DETECT_SYMPTOM_H_

#include <string>

#include "absl/strings/string_view.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::detect {

// What a detector says about one series, or one endpoint.
struct SymptomEdge {
  enum class Kind {
    kOpened,
    kUpdated,  // priority, value or time left changed in a way that matters
    kCleared,
    // After a restart: `endpoint_id` of the symptom only; what is open by the
    // detectors follows as kStanding edges and ends with kReconciled. What
    // the desk holds open beyond these has cleared while nobody looked.
    kStanding,
    kReconciled,
    // The time of a forecast has come: `outcome` says how it came out.
    // `symptom` has its fingerprint, endpoint, rule and opened_at; the
    // symptom may have cleared long since, and stands or not as before.
    kScored,
  };
  Kind kind = Kind::kOpened;
  v1::Symptom symptom;
  v1::ForecastOutcome outcome = v1::FORECAST_OUTCOME_UNSPECIFIED;
};

// Accepts what detectors find; collector/correlate implements it.
class SymptomSink {
 public:
  virtual ~SymptomSink() = default;
  virtual void Accept(SymptomEdge edge) = 0;
};

// 16 hex digits, stable over restarts and releases: SHA-256 of endpoint id,
// rule id and series name, cut.
std::string Fingerprint(absl::string_view endpoint_id, absl::string_view rule,
                        absl::string_view series_name);

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SYMPTOM_H_
