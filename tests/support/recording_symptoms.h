#ifndef FOREWARN_TESTS_SUPPORT_RECORDING_SYMPTOMS_H_
#define FOREWARN_TESTS_SUPPORT_RECORDING_SYMPTOMS_H_

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "collector/detect/symptom.h"
#include "protos/base/mutex.h"

namespace forewarn::testing {

// Keeps every edge. Thread-safe.
class RecordingSymptoms final : public detect::SymptomSink {
 public:
  void Accept(detect::SymptomEdge edge) override {
    base::MutexLock lock(&mutex_);
    edges_.push_back(std::move(edge));
  }
  std::vector<detect::SymptomEdge> edges() const {
    base::MutexLock lock(&mutex_);
    return edges_;
  }
  int Count(detect::SymptomEdge::Kind kind) const {
    base::MutexLock lock(&mutex_);
    int count = 0;
    for (const detect::SymptomEdge& edge : edges_) count += edge.kind == kind;
    return count;
  }

 private:
  mutable base::Mutex mutex_;
  std::vector<detect::SymptomEdge> edges_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_RECORDING_SYMPTOMS_H_
