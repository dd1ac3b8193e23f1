#ifndef FOREWARN_COLLECTOR_CORRELATE_SYMPTOM_ORDER_H_
#define FOREWARN_COLLECTOR_CORRELATE_SYMPTOM_ORDER_H_

#include "forewarn/v1/desk.pb.h"

namespace forewarn::correlate {

// Weighs enough for a ticket: more than INFO.
inline bool Weighs(const v1::Symptom& symptom) {
  return symptom.priority() != v1::INFO &&
         symptom.priority() != v1::PRIORITY_UNSPECIFIED;
}

// Stands and weighs.
inline bool Presses(const v1::Symptom& symptom) {
  return Weighs(symptom) && !symptom.has_cleared_at();
}

// Whether `a` explains an incident better than `b`: what presses first, then
// the more urgent, forecast before rule before peer before anomaly, the
// earlier. A strict order.
bool ExplainsBetter(const v1::Symptom& a, const v1::Symptom& b);

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_SYMPTOM_ORDER_H_
