#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_DETECT_RECORDING_SINK_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_DETECT_RECORDING_SINK_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/detect/symptom.h"

namespace forewarn::detect {

// Keeps every edge.
class RecordingSink final : public SymptomSink {
 public:
  void Accept(SymptomEdge edge) override { edges.push_back(std::move(edge)); }

  // "opened P3 disk_used", ...
  std::vector<std::string> Story() const {
    static constexpr const char* kNames[] = {"opened", "updated", "cleared",
                                             "standing", "reconciled"};
    std::vector<std::string> story;
    for (const SymptomEdge& edge : edges) {
      story.push_back(absl::StrCat(kNames[static_cast<int>(edge.kind)], " ",
                                   v1::Priority_Name(edge.symptom.priority()),
                                   " ", edge.symptom.rule()));
    }
    return story;
  }

  std::vector<SymptomEdge> edges;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_DETECT_RECORDING_SINK_H_
