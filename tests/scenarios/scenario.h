#ifndef FOREWARN_TESTS_SCENARIOS_SCENARIO_H_
#define FOREWARN_TESTS_SCENARIOS_SCENARIO_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/detect/rule_set.h"
#include "forewarn/v1/desk.pb.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/wire/series.h"
#include "tests/scenarios/shape.h"

namespace forewarn::scenarios {

struct ScenarioSeries {
  wire::SeriesDefinition definition;
  Shape shape;
};

enum class Kind { kFires, kLookAlike, kClears, kQuiet };

// One course of events on one endpoint, and what a rule has to say to it.
//
//   - rule: disk_used
//     fires:
//       - class: laptop              # server
//         tick: 10s                  # 60s
//         expect: P3                 # the most urgent priority it reaches
//         within: 60min              # and by when
//         series:
//           system.filesystem.utilization{system.device=sdb}: hold 0.95 1h
//     look_alike:
//       - why: a burst               # what it is that looks like the fault
//         expect: none
//         series: ...
//     clears:
//       - expect: cleared            # opens, and does not stand at the end
//         series: ...
//
//   - quiet: the day of a build server   # no detector opens a ticket
//     class, tick, series: as above
//
// Attributes that a series does not name get a value of their own; the forms
// of a course stand in shape.h.
struct Scenario {
  std::string rule;   // empty for kQuiet
  std::string place;  // file:line
  Kind kind = Kind::kFires;
  std::string why;
  v1::EndpointClass endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  absl::Duration tick = absl::Minutes(1);
  v1::Priority priority = v1::PRIORITY_UNSPECIFIED;  // of kFires
  absl::Duration within;                             // of kFires
  std::vector<ScenarioSeries> series;
};

// Reads a file of scenarios; faults go to `errors` as "file:line: what".
std::vector<Scenario> ReadScenarios(const std::string& path,
                                    std::vector<std::string>& errors);

// What the rule said: empty = as expected, else what went wrong.
std::string RunScenario(const Scenario& scenario,
                        const detect::RuleSet& rules);

}  // namespace forewarn::scenarios

#endif  // FOREWARN_TESTS_SCENARIOS_SCENARIO_H_
