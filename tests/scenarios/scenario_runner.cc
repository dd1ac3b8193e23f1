#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/symptom.h"
#include "protos/wire/batch.h"
#include "tests/scenarios/scenario.h"

namespace forewarn::scenarios {
namespace {

// A Tuesday morning.
constexpr int64_t kStartSeconds = 1'700'000'000;

// What one rule says, and when; without a rule, whatever opens a ticket.
class RuleWitness final : public detect::SymptomSink {
 public:
  explicit RuleWitness(std::string rule) : rule_(std::move(rule)) {}

  void SetNow(absl::Duration since_start) { now_ = since_start; }

  void Accept(detect::SymptomEdge edge) override {
    if (rule_.empty() ? edge.symptom.priority() == v1::INFO
                      : edge.symptom.rule() != rule_) {
      return;
    }
    if (edge.kind == detect::SymptomEdge::Kind::kScored) return;
    if (edge.kind == detect::SymptomEdge::Kind::kCleared) {
      ++cleared_;
      return;
    }
    const v1::Priority priority = edge.symptom.priority();
    absl::StrAppend(&story_, " ", rule_.empty() ? edge.symptom.rule() : "",
                    " ", v1::Priority_Name(priority), " after ",
                    absl::FormatDuration(now_), ";");
    ++opened_;
    // P1 is the smallest number.
    if (!most_urgent_ || priority < *most_urgent_) {
      most_urgent_ = priority;
      reached_ = now_;
    }
  }

  int opened() const { return opened_; }
  int cleared() const { return cleared_; }
  std::optional<v1::Priority> most_urgent() const { return most_urgent_; }
  absl::Duration reached() const { return reached_; }
  const std::string& story() const { return story_; }

 private:
  const std::string rule_;
  absl::Duration now_;
  int opened_ = 0;
  int cleared_ = 0;
  std::optional<v1::Priority> most_urgent_;
  absl::Duration reached_;
  std::string story_;
};

std::string Judge(const Scenario& scenario, const RuleWitness& witness,
                  bool standing) {
  const std::string story = witness.story().empty()
                                ? std::string(" it said nothing")
                                : absl::StrCat(" it said:", witness.story());
  switch (scenario.kind) {
    case Kind::kFires:
      if (!witness.most_urgent()) return absl::StrCat("does not fire;", story);
      if (*witness.most_urgent() != scenario.priority) {
        return absl::StrCat("reaches ",
                            v1::Priority_Name(*witness.most_urgent()),
                            " instead of ",
                            v1::Priority_Name(scenario.priority), ";", story);
      }
      if (witness.reached() > scenario.within) {
        return absl::StrCat("fires after more than ",
                            absl::FormatDuration(scenario.within), ";", story);
      }
      return "";
    case Kind::kLookAlike:
    case Kind::kQuiet:
      return witness.opened() == 0
                 ? ""
                 : absl::StrCat("fires on: ", scenario.why, ";", story);
    case Kind::kClears:
      if (witness.opened() == 0) return absl::StrCat("does not fire;", story);
      if (witness.cleared() == 0 || standing) {
        return absl::StrCat("does not clear;", story);
      }
      return "";
  }
  return "no such kind";
}

}  // namespace

std::string RunScenario(const Scenario& scenario,
                        const detect::RuleSet& rules) {
  detect::EndpointProfile profile;
  profile.id = "00000000-0000-4000-8000-000000000001";
  profile.host_name = "scenario";
  profile.endpoint_class = scenario.endpoint_class;
  RuleWitness witness(scenario.rule);
  detect::EndpointJudge judge(profile, rules, witness);

  absl::Duration length;
  for (size_t i = 0; i < scenario.series.size(); ++i) {
    judge.DefineSeries(static_cast<uint32_t>(i), scenario.series[i].definition);
    length = std::max(length, scenario.series[i].shape.length());
  }
  const absl::Time start = absl::FromUnixSeconds(kStartSeconds);
  std::vector<wire::Sample> samples;
  for (absl::Duration since; since <= length; since += scenario.tick) {
    samples.clear();
    for (size_t i = 0; i < scenario.series.size(); ++i) {
      const std::optional<double> value = scenario.series[i].shape.At(since);
      if (value) {
        samples.push_back(
            {.series = static_cast<uint32_t>(i), .value = *value});
      }
    }
    witness.SetNow(since);
    if (!samples.empty()) judge.Observe(start + since, samples);
  }
  const std::vector<v1::Symptom> standing = judge.Standing();
  const bool stands = std::any_of(
      standing.begin(), standing.end(), [&](const v1::Symptom& symptom) {
        return symptom.rule() == scenario.rule;
      });
  return Judge(scenario, witness, stands);
}

}  // namespace forewarn::scenarios
