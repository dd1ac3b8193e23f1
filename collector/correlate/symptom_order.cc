#include "collector/correlate/symptom_order.h"

#include <tuple>

#include "protos/wire/proto_time.h"

namespace forewarn::correlate {
namespace {

int RankOf(v1::DetectorKind detector) {
  switch (detector) {
    case v1::DETECTOR_KIND_FORECAST:
      return 0;
    case v1::DETECTOR_KIND_RULE:
    case v1::DETECTOR_KIND_SILENCE:
      return 1;
    case v1::DETECTOR_KIND_PEER:
      return 2;
    case v1::DETECTOR_KIND_ANOMALY:
      return 3;
    default:
      return 4;
  }
}

int UrgencyOf(v1::Priority priority) {
  return priority == v1::PRIORITY_UNSPECIFIED ? v1::INFO + 1
                                              : static_cast<int>(priority);
}

auto KeyOf(const v1::Symptom& symptom) {
  return std::tuple(!Presses(symptom), UrgencyOf(symptom.priority()),
                    RankOf(symptom.detector()),
                    wire::ToTime(symptom.opened_at()));
}

}  // namespace

bool ExplainsBetter(const v1::Symptom& a, const v1::Symptom& b) {
  const auto key_a = KeyOf(a);
  const auto key_b = KeyOf(b);
  return key_a != key_b ? key_a < key_b : a.fingerprint() < b.fingerprint();
}

}  // namespace forewarn::correlate
