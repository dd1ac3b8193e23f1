#include "collector/backtest/edge_book.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "collector/detect/symptom_writer.h"
#include "protos/wire/series.h"

namespace forewarn::backtest {
namespace {

using Kind = detect::SymptomEdge::Kind;

constexpr absl::Duration kTickInterval = absl::Minutes(1);

std::string NameOf(const v1::Symptom& symptom) {
  wire::Attributes attributes;
  for (const v1::Attribute& attribute : symptom.attributes()) {
    attributes.emplace_back(attribute.key(), attribute.value());
  }
  return wire::SeriesName(symptom.metric(), attributes);
}

// "rule", "forecast", "anomaly", ...
std::string DetectorName(v1::DetectorKind kind) {
  absl::string_view name = v1::DetectorKind_Name(kind);
  absl::ConsumePrefix(&name, "DETECTOR_KIND_");
  return absl::AsciiStrToLower(name);
}

std::string PriorityName(v1::Priority priority) {
  return priority == v1::INFO ? "info" : v1::Priority_Name(priority);
}

}  // namespace

void EdgeBook::Accept(detect::SymptomEdge edge) {
  const v1::Symptom& symptom = edge.symptom;
  if (edge.kind == Kind::kScored) return;
  if (edge.kind == Kind::kOpened) {
    open_[symptom.fingerprint()] = rows_.size();
    rows_.push_back({symptom, symptom.priority(), 0, ""});
  }
  if (const auto it = open_.find(symptom.fingerprint()); it != open_.end()) {
    Row& row = rows_[it->second];
    row.priority = std::min(row.priority, symptom.priority());
    row.score = std::max(row.score, symptom.evidence().score());
    if (edge.kind == Kind::kCleared) {
      row.cleared = CsvTime(detect::TimeOf(symptom.cleared_at()));
      open_.erase(it);
    }
  }
  status_.Update(
      folder_.Fold(edge, detect::TimeOf(symptom.updated_at()), incidents_));
}

void EdgeBook::Tick(absl::Time now) {
  if (now < next_tick_) return;
  next_tick_ = now + kTickInterval;
  status_.Update(folder_.Tick(now, incidents_));
}

std::vector<std::string> EdgeBook::SymptomHeader() {
  return {"endpoint", "series", "detector",
          "rule",     "opened", "cleared",
          "priority", "score",  "predicted_limit_time",
          "message"};
}

void EdgeBook::WriteSymptoms(const words::Words& words, CsvWriter& out) const {
  for (const Row& row : rows_) {
    const v1::Symptom& symptom = row.opened;
    const v1::TimeLeft& left = symptom.evidence().time_left();
    out.Write(
        {symptom.endpoint_id(), NameOf(symptom),
         DetectorName(symptom.detector()), symptom.rule(),
         CsvTime(detect::TimeOf(symptom.opened_at())), row.cleared,
         PriorityName(row.priority), CsvNumber(row.score),
         left.has_limit_at() ? CsvTime(detect::TimeOf(left.limit_at())) : "",
         words.Render(symptom.title())});
  }
}

std::vector<std::string> EdgeBook::TicketHeader() {
  return {"ticket",   "endpoint", "opened",  "closed",
          "priority", "title",    "symptoms"};
}

void EdgeBook::WriteTickets(const words::Words& words, size_t before,
                            CsvWriter& out) const {
  for (const auto& [number, record] : incidents_.records()) {
    std::vector<std::string> symptoms;
    for (const auto& [fingerprint, symptom] : record.symptoms) {
      symptoms.push_back(absl::StrCat(symptom.rule(), " ", NameOf(symptom)));
    }
    std::sort(symptoms.begin(), symptoms.end());
    const v1::Incident& incident = record.incident;
    out.Write({absl::StrCat(++before), incident.endpoint_id(),
               CsvTime(detect::TimeOf(incident.opened_at())),
               incident.has_closed_at()
                   ? CsvTime(detect::TimeOf(incident.closed_at()))
                   : "",
               PriorityName(record.priority), words.Render(record.title),
               absl::StrJoin(symptoms, "; ")});
  }
}

}  // namespace forewarn::backtest
