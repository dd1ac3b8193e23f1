#ifndef FOREWARN_COLLECTOR_CORRELATE_MEMORY_INCIDENTS_H_
#define FOREWARN_COLLECTOR_CORRELATE_MEMORY_INCIDENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "collector/correlate/incident.h"

namespace forewarn::correlate {

// Incidents without a desk, for back-tests: takes the folder's changes and
// answers its questions. Each incident's ticket has the incident's number and
// closes with it. Keeps everything; thread-compatible.
class MemoryIncidents final : public IncidentSink, public IncidentStore {
 public:
  struct Record {
    v1::Incident incident;
    v1::Priority priority = v1::PRIORITY_UNSPECIFIED;  // the worst it had
    v1::Text title;
    absl::btree_map<std::string, v1::Symptom> symptoms;  // latest of each
  };

  absl::StatusOr<v1::Incident> Accept(const IncidentChange& change) override;

  absl::StatusOr<std::vector<v1::Incident>> OpenIncidents() override;
  absl::StatusOr<std::vector<v1::Symptom>> OpenSymptoms() override;
  absl::StatusOr<std::optional<v1::Incident>> LastIncidentOf(
      const std::string& fingerprint, absl::Time since) override;
  absl::StatusOr<std::optional<v1::Symptom>> LatestSymptomOf(
      const std::string& fingerprint) override;
  absl::StatusOr<std::vector<v1::Symptom>> SymptomsOf(
      uint32_t incident) override;

  // By number.
  const absl::btree_map<uint32_t, Record>& records() const { return records_; }

 private:
  absl::btree_map<uint32_t, Record> records_;
  absl::flat_hash_map<std::string, uint32_t> last_of_;  // by fingerprint
  absl::flat_hash_map<std::string, v1::Symptom> latest_;
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_MEMORY_INCIDENTS_H_
