#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/main/commands.h"
#include "agent/main/json_text.h"
#include "agent/main/source_readings.h"
#include "agent/main/text_table.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source_table.h"
#include "protos/wire/column_codec.h"
#include "protos/wire/metric_catalog.h"
#include "protos/wire/series.h"

namespace forewarn::agent {
namespace {

struct Row {
  std::string name;  // of the series
  const wire::MetricInfo* metric;
  wire::Attributes attributes;
  double value;
};

const char* NameOf(wire::MetricKind kind) {
  switch (kind) {
    case wire::MetricKind::kUnspecified:
      break;
    case wire::MetricKind::kGauge:
      return "gauge";
    case wire::MetricKind::kCounter:
      return "counter";
    case wire::MetricKind::kState:
      return "state";
  }
  return "unspecified";
}

std::vector<Row> RowsOf(const std::vector<SourceReadings>& all) {
  std::vector<Row> rows;
  for (const SourceReadings& source : all) {
    for (const KeptReadings::Reading& reading : source.readings) {
      const wire::MetricInfo* const metric = wire::FindMetric(reading.metric);
      if (metric == nullptr) continue;  // the batcher refuses it, too
      rows.push_back({wire::SeriesName(reading.metric, reading.attributes),
                      metric, reading.attributes,
                      wire::Quantise(reading.value, metric->digits)});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.name < b.name; });
  return rows;
}

std::string ToJson(const std::vector<Row>& rows) {
  std::vector<std::string> list;
  for (const Row& row : rows) {
    JsonFields attributes;
    for (const auto& [key, value] : row.attributes) {
      attributes.emplace_back(key, JsonText(value));
    }
    list.push_back(JsonObject({{"name", JsonText(row.metric->name)},
                               {"unit", JsonText(row.metric->unit)},
                               {"kind", JsonText(NameOf(row.metric->kind))},
                               {"attributes", JsonObject(attributes)},
                               {"value", JsonNumber(row.value)}}));
  }
  return absl::StrCat(JsonArray(list), "\n");
}

std::string ToTable(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> table = {{"SERIES", "VALUE", "UNIT"}};
  for (const Row& row : rows) {
    table.push_back({row.name, absl::StrCat(row.value), row.metric->unit});
  }
  return TextTable(table);
}

}  // namespace

int SourcesCommand(const Settings& settings, const std::string& output) {
  if (output == "markdown") {
    std::fputs(wire::MetricsDocument().c_str(), stdout);
    return 0;
  }
  // Looking must not change what `run` remembers.
  v1::AgentConfig config = settings.config;
  config.clear_state_directory();
  const HostFiles host;
  const AgentStats stats;
  bool hung = false;
  const std::vector<SourceReadings> all =
      ReadSources(MakeSources(host, config, stats), base::Clock::System(), 2,
                  absl::Seconds(1), absl::Seconds(20), &hung);
  for (const SourceReadings& source : all) {
    if (source.status.ok() || absl::IsNotFound(source.status) ||
        absl::IsUnimplemented(source.status)) {
      continue;
    }
    std::fprintf(stderr, "forewarn-agent: source %s: %s\n",
                 source.source.c_str(),
                 std::string(source.status.message()).c_str());
  }
  const std::vector<Row> rows = RowsOf(all);
  const std::string text = output == "json" ? ToJson(rows) : ToTable(rows);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  if (hung) std::_Exit(0);
  return 0;
}

}  // namespace forewarn::agent
