#include "collector/fleet/cohort.h"

#include "absl/strings/str_cat.h"

namespace forewarn::fleet {

std::vector<Cohort> CohortsOf(const v1::EndpointFacts& facts) {
  std::vector<Cohort> cohorts;
  if (!facts.site().empty()) cohorts.push_back({"site", facts.site()});
  if (!facts.model().empty()) cohorts.push_back({"model", facts.model()});
  if (!facts.os_name().empty()) {
    cohorts.push_back(
        {"os", absl::StrCat(facts.os_name(), " ", facts.os_version())});
  }
  for (const std::string& tag : facts.tags()) cohorts.push_back({"tag", tag});
  return cohorts;
}

}  // namespace forewarn::fleet
