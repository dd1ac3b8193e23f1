#ifndef FOREWARN_TESTS_SUPPORT_RECORDING_SINK_H_
#define FOREWARN_TESTS_SUPPORT_RECORDING_SINK_H_

#include <cmath>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/sources/source.h"
#include "gtest/gtest.h"
#include "protos/wire/metric_catalog.h"
#include "protos/wire/series.h"

namespace forewarn::testing {

// Keeps what a source reads, by the series' name:
//
//   sink.readings["system.cpu.time{cpu.mode=user}"]
//
// Fails the test for a reading that breaks the sink's contract: a metric that
// the catalogue lacks or gives to another source, other attributes than the
// row's, a value that is not finite, a series read twice in one sample.
class RecordingSink final : public agent::ReadingSink {
 public:
  // `source`: the only source that may use it; empty = any.
  explicit RecordingSink(std::string source = "")
      : source_(std::move(source)) {}

  using ReadingSink::Accept;
  void Accept(absl::string_view metric,
              std::initializer_list<agent::AttributeView> attributes,
              double value) override {
    wire::SeriesDefinition definition;
    definition.metric = std::string(metric);
    std::string keys;
    for (const auto& [key, text] : attributes) {
      if (!keys.empty()) keys += ',';
      keys.append(key.data(), key.size());
      definition.attributes.emplace_back(key, text);
    }
    const std::string name =
        wire::SeriesName(definition.metric, definition.attributes);
    const wire::MetricInfo* info = wire::FindMetric(metric);
    if (info == nullptr) {
      ADD_FAILURE() << name << " is not in the catalogue";
      return;
    }
    definition.unit = info->unit;
    definition.kind = info->kind;
    definition.digits = info->digits;
    EXPECT_EQ(keys, info->attributes) << "attribute keys of " << name;
    if (!source_.empty()) {
      EXPECT_EQ(source_, info->source) << name;
    }
    EXPECT_TRUE(wire::CheckDefinition(definition).ok())
        << wire::CheckDefinition(definition);
    EXPECT_TRUE(std::isfinite(value)) << name << " = " << value;
    EXPECT_TRUE(readings.emplace(name, value).second)
        << name << " was read twice";
  }

  void AcceptEvent(v1::Event event) override {
    events.push_back(std::move(event));
  }
  void AcceptProcesses(v1::ProcessSnapshot snapshot) override {
    processes.push_back(std::move(snapshot));
  }

  bool Has(const std::string& series) const {
    return readings.count(series) > 0;
  }
  // The reading of `series`; NaN, which equals nothing, when there is none.
  double Value(const std::string& series) const {
    const auto found = readings.find(series);
    return found == readings.end() ? std::nan("") : found->second;
  }
  // How many series of `metric` there are.
  int Count(const std::string& metric) const {
    int count = 0;
    for (const auto& [name, value] : readings) {
      if (name == metric || name.rfind(metric + "{", 0) == 0) ++count;
    }
    return count;
  }
  void Clear() {
    readings.clear();
    events.clear();
    processes.clear();
  }

  std::map<std::string, double> readings;
  std::vector<v1::Event> events;
  std::vector<v1::ProcessSnapshot> processes;

 private:
  const std::string source_;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_RECORDING_SINK_H_
