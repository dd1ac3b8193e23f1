#ifndef FOREWARN_TESTS_SUPPORT_MEMORY_PROBLEMS_H_
#define FOREWARN_TESTS_SUPPORT_MEMORY_PROBLEMS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "collector/correlate/problem.h"
#include "collector/fleet/cohort.h"

namespace forewarn::testing {

// Problems without a desk. Members' incidents are what a test says they are.
class MemoryProblems : public correlate::ProblemSink,
                       public correlate::ProblemStore {
 public:
  absl::StatusOr<v1::Problem> AcceptProblem(
      const correlate::ProblemChange& change) override {
    v1::Problem problem = change.problem;
    if (problem.id() == 0) {
      problem.set_id(static_cast<uint32_t>(problems.size()) + 1);
      problem.set_ticket(1000 + problem.id());
    }
    problems[problem.id()] = problem;
    problem_changes.push_back(change);
    for (const uint32_t incident : change.incidents) {
      v1::Incident& member = members[problem.id()].emplace_back();
      member.set_id(incident);
      member.set_endpoint_id(endpoint_of[incident]);
    }
    return problem;
  }
  absl::StatusOr<std::vector<v1::Problem>> OpenProblems() override {
    std::vector<v1::Problem> open;
    for (const auto& [id, problem] : problems) {
      if (!problem.has_closed_at()) open.push_back(problem);
    }
    return open;
  }
  absl::StatusOr<std::vector<v1::Incident>> MembersOf(
      uint32_t problem) override {
    return members[problem];
  }

  std::map<uint32_t, v1::Problem> problems;
  std::map<uint32_t, std::vector<v1::Incident>> members;
  std::map<uint32_t, std::string> endpoint_of;  // by incident
  std::vector<correlate::ProblemChange> problem_changes;
};

// A fleet as a test says.
class FixedCohorts final : public fleet::Cohorts {
 public:
  void Add(const std::string& endpoint, std::vector<fleet::Cohort> cohorts) {
    ++sizes_.fleet;
    for (const fleet::Cohort& cohort : cohorts) ++sizes_.cohorts[cohort];
    of_[endpoint] = std::move(cohorts);
  }
  std::vector<fleet::Cohort> Of(const std::string& endpoint_id) const override {
    const auto found = of_.find(endpoint_id);
    return found == of_.end() ? std::vector<fleet::Cohort>() : found->second;
  }
  Sizes CountAll() const override { return sizes_; }

 private:
  std::map<std::string, std::vector<fleet::Cohort>> of_;
  Sizes sizes_;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_MEMORY_PROBLEMS_H_
