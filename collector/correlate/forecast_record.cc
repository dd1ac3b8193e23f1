#include "collector/correlate/forecast_record.h"

#include <cmath>
#include <utility>

#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::correlate {
namespace {

using Kind = detect::SymptomEdge::Kind;

constexpr double kFewest = 10;
constexpr double kPoor = 0.5;
constexpr double kNormal90 = 1.645;

v1::Parameter Number(const char* name, double value) {
  v1::Parameter parameter;
  parameter.set_name(name);
  parameter.mutable_quantity()->set_value(value);
  parameter.mutable_quantity()->set_unit("{forecast}");
  return parameter;
}

uint32_t Came(const v1::ForecastTally& tally) {
  return tally.hits() + tally.early() + tally.late();
}

v1::Text NoteOf(const v1::ForecastTally& tally) {
  const uint32_t came = Came(tally);
  v1::Text note;
  note.set_key("symptom.note.poor_forecast");
  *note.add_parameters() = Number("came", came);
  *note.add_parameters() = Number("scored", came + tally.misses());
  return note;
}

}  // namespace

void Weigh(v1::ForecastTally& tally) {
  const double came = Came(tally);
  const double scored = came + tally.misses();
  if (scored == 0) return;
  const double share = came / scored;
  tally.set_precision(share);
  const double z2 = kNormal90 * kNormal90;
  const double upper = (share + z2 / (2 * scored) +
                        kNormal90 * std::sqrt(share * (1 - share) / scored +
                                              z2 / (4 * scored * scored))) /
                       (1 + z2 / scored);
  tally.set_evidence_only(scored >= kFewest && upper < kPoor);
}

absl::Status ForecastRecord::Load(absl::Time now) {
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::ForecastTally> tallies,
                            book_.Tallies(now - kForecastMemory));
  tallies_.clear();
  for (v1::ForecastTally& tally : tallies) {
    tallies_[tally.rule()] = std::move(tally);
  }
  return absl::OkStatus();
}

absl::Status ForecastRecord::Score(const detect::SymptomEdge& edge,
                                   absl::Time now) {
  const v1::Symptom& symptom = edge.symptom;
  FOREWARN_ASSIGN_OR_RETURN(
      v1::ForecastTally tally,
      book_.KeepScore({.rule = symptom.rule(),
                       .fingerprint = symptom.fingerprint(),
                       .claimed_at = wire::ToTime(symptom.opened_at()),
                       .scored_at = wire::ToTime(symptom.updated_at()),
                       .outcome = edge.outcome},
                      now - kForecastMemory));
  v1::ForecastTally& known = tallies_[symptom.rule()];
  if (tally.evidence_only() != known.evidence_only()) {
    base::Log(base::LogLevel::kWarning,
              tally.evidence_only()
                  ? "a rule's forecasts are evidence only from now on"
                  : "a rule's forecasts may open tickets again",
              {{"rule", symptom.rule()}, {"precision", tally.precision()}});
  }
  known = std::move(tally);
  return absl::OkStatus();
}

void ForecastRecord::Temper(detect::SymptomEdge& edge) {
  v1::Symptom& symptom = edge.symptom;
  if (symptom.detector() != v1::DETECTOR_KIND_FORECAST) return;
  bool opens = edge.kind == Kind::kOpened;
  if (opens || edge.kind == Kind::kStanding) {
    tempered_.erase(symptom.fingerprint());
  }
  if (edge.kind == Kind::kStanding) {
    // As it was before the restart; what opened meanwhile is new.
    const auto before = incidents_.LatestSymptomOf(symptom.fingerprint());
    opens = !before.ok() || !before->has_value() || (*before)->has_cleared_at();
    if (!opens && (*before)->has_note()) {
      tempered_[symptom.fingerprint()] = (*before)->note();
    }
  }
  if (opens) {
    const auto known = tallies_.find(symptom.rule());
    if (known != tallies_.end() && known->second.evidence_only()) {
      tempered_[symptom.fingerprint()] = NoteOf(known->second);
    }
  }
  const auto note = tempered_.find(symptom.fingerprint());
  if (note == tempered_.end()) return;
  symptom.set_priority(v1::INFO);
  *symptom.mutable_note() = note->second;
  if (edge.kind == Kind::kCleared) tempered_.erase(note);
}

}  // namespace forewarn::correlate
