#include "tests/fleetsim/signals.h"

#include <cstdio>
#include <cstdlib>

#include "protos/wire/metric_catalog.h"

namespace forewarn::fleetsim {
namespace {

struct Row {
  const char* metric;
  wire::Attributes attributes;
};

wire::Attributes Root() {
  return {{"system.device", "/dev/sda2"},
          {"system.filesystem.mountpoint", "/"},
          {"system.filesystem.type", "ext4"}};
}
wire::Attributes Data() {
  return {{"system.device", "/dev/sda3"},
          {"system.filesystem.mountpoint", "/srv"},
          {"system.filesystem.type", "ext4"}};
}
wire::Attributes Disk(const char* direction) {
  return {{"disk.io.direction", direction}, {"system.device", "sda"}};
}
wire::Attributes Net(const char* direction) {
  return {{"network.interface.name", "eth0"},
          {"network.io.direction", direction}};
}
wire::Attributes Drive(const char* attribute) {
  return {{"hw.id", "sda"}, {"hw.physical_disk.smart_attribute", attribute}};
}
wire::Attributes Pressure(const char* resource) {
  return {{"forewarn.pressure.kind", "full"},
          {"forewarn.pressure.resource", resource}};
}

// In the order of Signal.
std::vector<Row> Rows() {
  return {
      {"forewarn.cpu.busy", {}},
      {"system.cpu.utilization", {{"cpu.mode", "iowait"}}},
      {"forewarn.cpu.core.busy.max", {}},
      {"forewarn.load_per_core.1m", {}},
      {"forewarn.load_per_core.15m", {}},
      {"forewarn.cpu.context_switches", {}},
      {"forewarn.memory.used", {}},
      {"forewarn.memory.available.utilization", {}},
      {"system.memory.linux.available", {}},
      {"system.paging.utilization", {{"system.paging.state", "used"}}},
      {"system.paging.utilization", {{"system.paging.state", "free"}}},
      {"system.paging.operations", {{"system.paging.direction", "out"}}},
      {"system.paging.faults", {{"system.paging.fault.type", "major"}}},
      {"forewarn.memory.oom_kills", {}},
      {"forewarn.pressure.share.5m", Pressure("memory")},
      {"forewarn.pressure.share.5m", Pressure("io")},
      {"forewarn.disk.utilization", {{"system.device", "sda"}}},
      {"forewarn.disk.queue", {{"system.device", "sda"}}},
      {"forewarn.disk.latency", Disk("read")},
      {"forewarn.disk.latency", Disk("write")},
      {"system.disk.operations", Disk("read")},
      {"system.disk.operations", Disk("write")},
      {"system.filesystem.utilization", Root()},
      {"forewarn.filesystem.available", Root()},
      {"forewarn.filesystem.inodes.utilization", Root()},
      {"system.filesystem.utilization", Data()},
      {"forewarn.filesystem.available", Data()},
      {"forewarn.filesystem.inodes.utilization", Data()},
      {"forewarn.network.utilization", Net("receive")},
      {"forewarn.network.utilization", Net("transmit")},
      {"forewarn.network.error.ratio", Net("receive")},
      {"forewarn.network.drop.ratio", Net("receive")},
      {"forewarn.network.tcp.retransmit.ratio", {}},
      {"forewarn.network.link.up", {{"network.interface.name", "eth0"}}},
      {"forewarn.network.link.changes", {{"network.interface.name", "eth0"}}},
      {"forewarn.gateway.loss", {{"server.address", "10.0.0.1"}}},
      {"forewarn.gateway.rtt", {{"server.address", "10.0.0.1"}}},
      {"forewarn.resolver.up", {}},
      {"forewarn.resolver.duration", {}},
      {"forewarn.clock.offset", {}},
      {"forewarn.clock.synchronised", {}},
      {"forewarn.clock.max_error", {}},
      {"forewarn.thermal.critical.share",
       {{"hw.id", "hwmon0"},
        {"hw.name", "coretemp"},
        {"hw.sensor_location", "package"}}},
      {"forewarn.cpu.throttle.events", {}},
      {"hw.battery.charge", {{"hw.id", "BAT0"}}},
      {"forewarn.battery.discharging", {{"hw.id", "BAT0"}}},
      {"forewarn.systemd.unit.restarts",
       {{"systemd.unit.name", "app.service"}}},
      {"forewarn.systemd.unit.restarts",
       {{"systemd.unit.name", "sync.service"}}},
      {"forewarn.systemd.unit.failed", {{"systemd.unit.name", "app.service"}}},
      {"forewarn.files.utilization", {}},
      {"forewarn.process.top.files.utilization", {}},
      {"forewarn.process.total", {}},
      {"forewarn.process.top.memory.share", {}},
      {"system.uptime", {}},
      {"forewarn.probe.up",
       {{"forewarn.probe.name", "app"}, {"forewarn.probe.type", "http"}}},
      {"forewarn.probe.duration",
       {{"forewarn.probe.name", "app"}, {"forewarn.probe.type", "http"}}},
      {"forewarn.kernel.log.events",
       {{"forewarn.kernel.log.type", "io_error"}}},
      {"forewarn.kernel.log.events",
       {{"forewarn.kernel.log.type", "segfault"}}},
      {"system.filesystem.limit", Root()},
      {"system.filesystem.limit", Data()},
      {"forewarn.disk.rotational", {{"system.device", "sda"}}},
      {"system.cpu.logical.count", {}},
      {"system.memory.limit", {}},
      {"hw.physical_disk.smart", Drive("reallocated_sectors")},
      {"hw.physical_disk.smart", Drive("pending_sectors")},
      {"hw.physical_disk.smart", Drive("reported_uncorrectable")},
      {"forewarn.smart.passed", {{"hw.id", "sda"}}},
      {"forewarn.smart.temperature", {{"hw.id", "sda"}}},
      {"hw.physical_disk.endurance_utilization", {{"hw.id", "sda"}}},
      {"forewarn.battery.health", {{"hw.id", "BAT0"}}},
      {"forewarn.certificate.time_left",
       {{"forewarn.certificate.path", "/etc/ssl/app.pem"},
        {"forewarn.certificate.subject", "app"}}},
  };
}

std::vector<wire::SeriesDefinition> Make() {
  std::vector<wire::SeriesDefinition> definitions;
  for (Row& row : Rows()) {
    const wire::MetricInfo* info = wire::FindMetric(row.metric);
    if (info == nullptr) {
      std::fprintf(stderr, "fleetsim: %s is not in the catalogue\n",
                   row.metric);
      std::abort();
    }
    definitions.push_back({.metric = row.metric,
                           .unit = info->unit,
                           .kind = info->kind,
                           .digits = info->digits,
                           .attributes = std::move(row.attributes)});
  }
  if (definitions.size() != kSignals) std::abort();
  return definitions;
}

}  // namespace

const std::vector<wire::SeriesDefinition>& SignalDefinitions() {
  static const auto* const definitions =
      new std::vector<wire::SeriesDefinition>(Make());
  return *definitions;
}

}  // namespace forewarn::fleetsim
