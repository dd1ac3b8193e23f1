// bench-detect: all detectors with the shipped rules, in endpoint order, as a
// shard feeds them; one JSON line. No store, no network.

#include <malloc.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/symptom.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::bench {
namespace {

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

class CountingSink final : public detect::SymptomSink {
 public:
  void Accept(detect::SymptomEdge) override { ++edges; }
  uint64_t edges = 0;
};

// A series and how its values go. Half are of the catalogue, so that rules
// and forecasts bind to them, as on a real endpoint; calm, so that none fires.
wire::SeriesDefinition Definition(uint32_t i) {
  const char* const gauges[] = {
      "forewarn.cpu.busy", "forewarn.memory.used", "forewarn.pressure.share",
      "forewarn.filesystem.used", "forewarn.disk.utilization"};
  wire::SeriesDefinition definition;
  definition.attributes = {{"bench.index", absl::StrCat(i)}};
  definition.unit = "1";
  definition.digits = 4;
  if (i % 10 < 5) {
    definition.metric = gauges[i % 5];
  } else if (i % 10 < 8) {
    definition.metric = "system.network.io";
    definition.unit = "By";
    definition.digits = 0;
    definition.kind = wire::MetricKind::kCounter;
  } else {
    definition.metric = "bench.other";
  }
  return definition;
}

void Run(uint32_t series, uint32_t ticks, uint32_t per_endpoint) {
  detect::RuleSet rules;
  const std::vector<std::string> errors = detect::RuleSet::Load("", {}, rules);
  for (const std::string& error : errors) {
    std::fprintf(stderr, "%s\n", error.c_str());
  }
  CountingSink sink;
  const uint32_t endpoints = std::max<uint32_t>(1, series / per_endpoint);
  std::vector<std::unique_ptr<detect::EndpointJudge>> judges;
  const size_t before = mallinfo2().uordblks;
  for (uint32_t e = 0; e < endpoints; ++e) {
    detect::EndpointProfile profile;
    profile.id = absl::StrCat("bench-", e);
    profile.endpoint_class = v1::ENDPOINT_CLASS_SERVER;
    judges.push_back(
        std::make_unique<detect::EndpointJudge>(profile, rules, sink));
    for (uint32_t i = 0; i < per_endpoint; ++i) {
      judges.back()->DefineSeries(i, Definition(i));
    }
  }
  std::mt19937 random(5);
  std::vector<wire::Sample> samples(per_endpoint);
  double cpu = 0;
  uint64_t count = 0;
  for (uint32_t t = 0; t < ticks; ++t) {
    const absl::Time time =
        absl::FromUnixSeconds(1'800'000'000) + absl::Seconds(10 * t);
    for (auto& judge : judges) {
      for (uint32_t i = 0; i < per_endpoint; ++i) {
        const double noise = static_cast<double>(random() % 1000) / 1e4;
        samples[i] = {i, i % 10 < 5   ? 0.3 + noise
                         : i % 10 < 8 ? 5000.0 * t + 1e5 * noise
                                      : 20 + 10 * noise};
      }
      const double begin = CpuSeconds();
      judge->Observe(time, samples);
      // The first half warms up.
      if (t >= ticks / 2) {
        cpu += CpuSeconds() - begin;
        count += per_endpoint;
      }
    }
  }
  const size_t bytes = mallinfo2().uordblks - before;
  // A checkpoint of some endpoints, and back.
  const size_t saved = std::min<size_t>(judges.size(), 500);
  std::vector<std::string> states;
  const double saving = CpuSeconds();
  for (size_t e = 0; e < saved; ++e) states.push_back(judges[e]->SaveState());
  const double restoring = CpuSeconds();
  uint64_t state_bytes = 0;
  for (size_t e = 0; e < saved; ++e) {
    state_bytes += states[e].size();
    if (const absl::Status status = judges[e]->RestoreState(states[e]);
        !status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
    }
  }
  const double restored = CpuSeconds();
  const auto of_series = [&](double value) {
    return value / static_cast<double>(saved * per_endpoint);
  };
  std::printf(
      "{\"series\":%u,\"ticks\":%u,\"ns_per_sample\":%.4g,"
      "\"bytes_per_series\":%.5g,\"edges\":%llu,"
      "\"checkpoint_bytes_per_series\":%.4g,"
      "\"checkpoint_save_us_per_series\":%.3g,"
      "\"checkpoint_restore_us_per_series\":%.3g}\n",
      endpoints * per_endpoint, ticks, 1e9 * cpu / count,
      static_cast<double>(bytes) / (endpoints * per_endpoint),
      static_cast<unsigned long long>(sink.edges),
      of_series(static_cast<double>(state_bytes)),
      of_series(1e6 * (restoring - saving)),
      of_series(1e6 * (restored - restoring)));
}

}  // namespace
}  // namespace forewarn::bench

int main(int argc, char** argv) {
  uint32_t series = 100000;
  uint32_t ticks = 40;
  uint32_t per_endpoint = 100;
  CLI::App app{"all detectors, nothing else; prints one JSON line"};
  app.add_option("--series", series, "in all");
  app.add_option("--ticks", ticks, "samples a series");
  app.add_option("--per-endpoint", per_endpoint, "series an endpoint");
  CLI11_PARSE(app, argc, argv);
  forewarn::bench::Run(series, ticks, per_endpoint);
  return 0;
}
