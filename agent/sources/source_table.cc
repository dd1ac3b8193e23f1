#include "agent/sources/source_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/sources/battery_source.h"
#include "agent/sources/boot_source.h"
#include "agent/sources/certificate_source.h"
#include "agent/sources/clock_source.h"
#include "agent/sources/cpu_source.h"
#include "agent/sources/disk_source.h"
#include "agent/sources/filesystem_source.h"
#include "agent/sources/gateway_source.h"
#include "agent/sources/kernel_log_source.h"
#include "agent/sources/load_source.h"
#include "agent/sources/memory_source.h"
#include "agent/sources/network_source.h"
#include "agent/sources/pressure_source.h"
#include "agent/sources/probe_source.h"
#include "agent/sources/process_source.h"
#include "agent/sources/resolver_source.h"
#include "agent/sources/smart_source.h"
#include "agent/sources/systemd_source.h"
#include "agent/sources/thermal_source.h"
#include "agent/sources/update_source.h"

namespace forewarn::agent {

std::vector<std::unique_ptr<Source>> MakeSources(const HostFiles& files,
                                                 const v1::AgentConfig& config,
                                                 const AgentStats& stats) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::make_unique<CpuSource>(files));
  sources.push_back(std::make_unique<LoadSource>(files));
  sources.push_back(std::make_unique<MemorySource>(files));
  sources.push_back(std::make_unique<PressureSource>(files));
  sources.push_back(std::make_unique<DiskSource>(files));
  sources.push_back(std::make_unique<FilesystemSource>(files));
  sources.push_back(std::make_unique<NetworkSource>(files));
  sources.push_back(std::make_unique<GatewaySource>(files));
  sources.push_back(std::make_unique<ResolverSource>(ResolverName(config)));
  sources.push_back(std::make_unique<ProcessSource>(files));
  sources.push_back(std::make_unique<ThermalSource>(files));
  sources.push_back(std::make_unique<BatterySource>(files));
  sources.push_back(std::make_unique<BootSource>(files, BootStatePath(config)));
  sources.push_back(std::make_unique<ClockSource>());
  sources.push_back(
      std::make_unique<KernelLogSource>(files, std::make_unique<KmsgLog>()));
  sources.push_back(std::make_unique<SystemdSource>(MakeSystemdManager()));
  sources.push_back(std::make_unique<UpdateSource>(files));
  sources.push_back(std::make_unique<CertificateSource>(
      files, std::vector<std::string>(config.certificates().begin(),
                                      config.certificates().end())));
  sources.push_back(std::make_unique<SmartSource>());
  sources.push_back(std::make_unique<ProbeSource>(config));
  sources.push_back(std::make_unique<AgentSource>(files, stats));

  const auto& disabled = config.disabled_sources();
  sources.erase(std::remove_if(sources.begin(), sources.end(),
                               [&](const std::unique_ptr<Source>& source) {
                                 return std::find(
                                            disabled.begin(), disabled.end(),
                                            std::string(source->name())) !=
                                        disabled.end();
                               }),
                sources.end());
  return sources;
}

std::string BootStatePath(const v1::AgentConfig& config) {
  if (config.state_directory().empty()) return "";
  return absl::StrCat(config.state_directory(), "/boot");
}

}  // namespace forewarn::agent
