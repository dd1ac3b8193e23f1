#include "collector/fleet/cohort.h"

#include <utility>

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

void CohortIndex::Count(const Entry& entry, int by) {
  if (!entry.counts) return;
  sizes_.fleet += static_cast<uint32_t>(by);
  for (const Cohort& cohort : entry.cohorts) {
    uint32_t& size = sizes_.cohorts[cohort];
    size += static_cast<uint32_t>(by);
    if (size == 0) sizes_.cohorts.erase(cohort);
  }
}

void CohortIndex::Put(const v1::Endpoint& endpoint) {
  Entry entry{CohortsOf(endpoint.facts()), !endpoint.has_revoked_at()};
  base::MutexLock lock(&mutex_);
  Entry& known = entries_[endpoint.id()];
  Count(known, -1);
  known = std::move(entry);
  Count(known, 1);
}

std::vector<Cohort> CohortIndex::Of(const std::string& endpoint_id) const {
  base::MutexLock lock(&mutex_);
  const auto found = entries_.find(endpoint_id);
  return found == entries_.end() ? std::vector<Cohort>()
                                 : found->second.cohorts;
}

Cohorts::Sizes CohortIndex::CountAll() const {
  base::MutexLock lock(&mutex_);
  return sizes_;
}

}  // namespace forewarn::fleet
