// Holds the sources that read the host's files to the catalogue: every row
// that names one of them is emitted on some fixture.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/sources/battery_source.h"
#include "agent/sources/boot_source.h"
#include "agent/sources/cpu_source.h"
#include "agent/sources/disk_source.h"
#include "agent/sources/filesystem_source.h"
#include "agent/sources/load_source.h"
#include "agent/sources/memory_source.h"
#include "agent/sources/network_source.h"
#include "agent/sources/pressure_source.h"
#include "agent/sources/thermal_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/metric_catalog.h"
#include "tests/support/overlay_host_files.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::OverlayHostFiles;
using ::forewarn::testing::RecordingSink;
using ::testing::IsEmpty;

std::vector<std::unique_ptr<Source>> HostSources(const HostFiles& files) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::make_unique<BatterySource>(files));
  sources.push_back(std::make_unique<BootSource>(files, ""));
  sources.push_back(std::make_unique<CpuSource>(files));
  sources.push_back(std::make_unique<DiskSource>(files));
  sources.push_back(std::make_unique<FilesystemSource>(files));
  sources.push_back(std::make_unique<LoadSource>(files));
  sources.push_back(std::make_unique<MemorySource>(files));
  sources.push_back(std::make_unique<NetworkSource>(files));
  sources.push_back(std::make_unique<PressureSource>(files));
  sources.push_back(std::make_unique<ThermalSource>(files));
  return sources;
}

// Reads twice, ten seconds apart, with some work done in between.
void Collect(const std::string& host, std::set<std::string>& emitted,
             std::set<std::string>& names) {
  OverlayHostFiles files(host);
  const auto sources = HostSources(files);
  SampleTime now{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};
  for (int round = 0; round < 2; ++round) {
    for (const auto& source : sources) {
      RecordingSink sink{std::string(source->name())};
      const absl::Status status = source->Sample(now, sink);
      EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
      names.emplace(source->name());
      for (const auto& [series, value] : sink.readings) {
        emitted.insert(series.substr(0, series.find('{')));
      }
    }
    now.wall += absl::Seconds(10);
    now.since_boot += absl::Seconds(10);
    if (host != "debian-server" || round > 0) continue;
    files.Write("/proc/stat",
                "cpu 99000 200 50000 9000000 9000 0 900 400\n"
                "cpu0 20000 200 20000 2000000 200 0 90 90\n");
    files.Replace("/proc/diskstats", "sda 120000", "sda 130000");
    files.Replace("/proc/net/dev", "39266024000 50011000",
                  "39266924000 50011900");
    files.Replace("/proc/net/snmp", " 48000000 ", " 48009000 ");
  }
}

TEST(HostMetricsTest, EveryRowOfTheCatalogueIsEmittedSomewhere) {
  std::set<std::string> emitted;
  std::set<std::string> names;
  Collect("debian-server", emitted, names);
  Collect("laptop", emitted, names);
  std::vector<std::string> missing;
  for (const wire::MetricInfo& row : wire::MetricCatalog()) {
    if (names.count(row.source) > 0 && emitted.count(row.name) == 0) {
      missing.push_back(row.name);
    }
  }
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_EQ(names.size(), 10u);
}

TEST(HostMetricsTest, ReadsThisMachine) {
  const HostFiles files;
  for (const auto& source : HostSources(files)) {
    RecordingSink sink{std::string(source->name())};
    SampleTime now{absl::Now(), absl::Hours(1)};
    const absl::Status first = source->Sample(now, sink);
    EXPECT_TRUE(first.ok() || absl::IsNotFound(first) ||
                absl::IsUnimplemented(first))
        << source->name() << ": " << first;
    sink.Clear();
    now.since_boot += absl::Seconds(1);
    EXPECT_EQ(source->Sample(now, sink).code(), first.code());
  }
}

}  // namespace
}  // namespace forewarn::agent
