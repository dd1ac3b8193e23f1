#ifndef FOREWARN_COLLECTOR_BACKTEST_EDGE_BOOK_H_
#define FOREWARN_COLLECTOR_BACKTEST_EDGE_BOOK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "collector/backtest/csv_writer.h"
#include "collector/correlate/incident_folder.h"
#include "collector/correlate/memory_incidents.h"
#include "collector/detect/symptom.h"
#include "collector/words/words.h"

namespace forewarn::backtest {

// Keeps what the detectors said of one endpoint: a row for each symptom, and
// the tickets that correlation makes of them.
class EdgeBook final : public detect::SymptomSink {
 public:
  EdgeBook() : folder_({}, incidents_) {}

  void Accept(detect::SymptomEdge edge) override;
  // Time goes on: incidents that were quiet long enough close.
  void Tick(absl::Time now);
  // The first error of the folding, if any.
  const absl::Status& status() const { return status_; }

  const correlate::MemoryIncidents& incidents() const { return incidents_; }
  size_t symptoms() const { return rows_.size(); }
  size_t tickets() const { return incidents_.records().size(); }

  void WriteSymptoms(const words::Words& words, CsvWriter& out) const;
  // Ticket numbers go on from `before`.
  void WriteTickets(const words::Words& words, size_t before,
                    CsvWriter& out) const;

  static std::vector<std::string> SymptomHeader();
  static std::vector<std::string> TicketHeader();

 private:
  struct Row {
    v1::Symptom opened;
    v1::Priority priority = v1::PRIORITY_UNSPECIFIED;  // the most urgent
    double score = 0;                                  // the highest
    std::string cleared;
  };

  std::vector<Row> rows_;
  absl::flat_hash_map<std::string, size_t> open_;  // by fingerprint
  correlate::MemoryIncidents incidents_;
  correlate::IncidentFolder folder_;
  absl::Time next_tick_ = absl::InfinitePast();
  absl::Status status_;
};

}  // namespace forewarn::backtest

#endif  // FOREWARN_COLLECTOR_BACKTEST_EDGE_BOOK_H_
