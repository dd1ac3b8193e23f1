#ifndef FOREWARN_TESTS_SUPPORT_MEMORY_ENDPOINT_STORE_H_
#define FOREWARN_TESTS_SUPPORT_MEMORY_ENDPOINT_STORE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "collector/fleet/endpoint_registry.h"
#include "protos/base/mutex.h"

namespace forewarn::testing {

// Endpoints in memory; refuses to save while told to. Thread-safe.
class MemoryEndpointStore final : public fleet::EndpointStore {
 public:
  absl::StatusOr<std::vector<v1::Endpoint>> LoadEndpoints() override {
    base::MutexLock lock(&mutex_);
    std::vector<v1::Endpoint> all;
    for (const auto& [id, endpoint] : rows_) all.push_back(endpoint);
    return all;
  }
  absl::Status SaveEndpoints(
      absl::Span<v1::Endpoint* const> endpoints) override {
    base::MutexLock lock(&mutex_);
    if (failing_) return absl::UnavailableError("disk is away");
    for (v1::Endpoint* endpoint : endpoints) {
      ++saves_;
      if (endpoint->number() == 0) {
        endpoint->set_number(static_cast<uint32_t>(rows_.size()) + 1);
      }
      rows_[endpoint->id()] = *endpoint;
    }
    return absl::OkStatus();
  }
  void Fail(bool failing) {
    base::MutexLock lock(&mutex_);
    failing_ = failing;
  }
  int saves() const {
    base::MutexLock lock(&mutex_);
    return saves_;
  }

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, v1::Endpoint> rows_ ABSL_GUARDED_BY(mutex_);
  int saves_ ABSL_GUARDED_BY(mutex_) = 0;
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_MEMORY_ENDPOINT_STORE_H_
