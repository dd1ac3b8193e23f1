#ifndef FOREWARN_COLLECTOR_FLEET_COHORT_H_
#define FOREWARN_COLLECTOR_FLEET_COHORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "forewarn/v1/fleet.pb.h"
#include "protos/base/mutex.h"

namespace forewarn::fleet {

// A kind of endpoints that share something and should behave alike:
// {"site", "oslo"}, {"model", "ThinkPad T14"}, {"os", "Debian GNU/Linux 12"}.
struct Cohort {
  std::string kind;
  std::string name;

  auto operator<=>(const Cohort&) const = default;
};

// The cohorts of one endpoint by its facts: site, model, operating system and
// tags, as far as they are known.
std::vector<Cohort> CohortsOf(const v1::EndpointFacts& facts);

// Who is in which cohort; what correlation asks of the fleet.
class Cohorts {
 public:
  virtual ~Cohorts() = default;
  // Empty for an endpoint that is not known.
  virtual std::vector<Cohort> Of(const std::string& endpoint_id) const = 0;

  // How many endpoints each has, and the fleet in all. Revoked ones do not
  // count.
  struct Sizes {
    uint32_t fleet = 0;
    absl::btree_map<Cohort, uint32_t> cohorts;
  };
  virtual Sizes CountAll() const = 0;
};

// Keeps them in memory. Thread-safe; its lock is held for moments only, and
// nothing is called under it: correlation asks while it holds the database.
class CohortIndex final : public Cohorts {
 public:
  // An endpoint that is new or whose facts changed.
  void Put(const v1::Endpoint& endpoint);

  std::vector<Cohort> Of(const std::string& endpoint_id) const override;
  Sizes CountAll() const override;

 private:
  struct Entry {
    std::vector<Cohort> cohorts;
    bool counts = false;
  };
  void Count(const Entry& entry, int by) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  Sizes sizes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::fleet

#endif  // FOREWARN_COLLECTOR_FLEET_COHORT_H_
