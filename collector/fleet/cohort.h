#ifndef FOREWARN_COLLECTOR_FLEET_COHORT_H_
#define FOREWARN_COLLECTOR_FLEET_COHORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "forewarn/v1/fleet.pb.h"

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

}  // namespace forewarn::fleet

#endif  // FOREWARN_COLLECTOR_FLEET_COHORT_H_
