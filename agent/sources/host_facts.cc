#include "agent/sources/host_facts.h"

#include <openssl/evp.h>
#include <sys/utsname.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxBytes = 256;

// One line of a file, cleaned; empty when it cannot be read.
std::string Fact(const HostFiles& files, absl::string_view path) {
  const auto line = files.ReadLine(path);
  return line.ok() ? CleanText(*line, kMaxBytes) : "";
}

// What makers write who write nothing.
std::string WithoutPlaceholder(std::string text) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (const char* placeholder :
       {"to be filled by o.e.m.", "to be filled by oem", "system manufacturer",
        "system product name", "default string", "not specified",
        "not applicable", "o.e.m.", "oem", "none", "n/a", "unknown", "invalid",
        "undefined", "x.x", "0", "empty", "type1productconfigid", "sku"}) {
    if (lower == placeholder) return "";
  }
  return text;
}

std::string Dmi(const HostFiles& files, absl::string_view field) {
  return WithoutPlaceholder(
      Fact(files, absl::StrCat("/sys/class/dmi/id/", field)));
}

// A value of os-release(5), with its quotes off.
std::string OsField(absl::string_view text, absl::string_view key) {
  absl::string_view line;
  while (NextLine(text, line)) {
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (parts.size() != 2 || parts[0] != key) continue;
    absl::string_view value = absl::StripAsciiWhitespace(parts[1]);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    std::string plain;
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '\\' && i + 1 < value.size()) ++i;
      plain += value[i];
    }
    return CleanText(plain, kMaxBytes);
  }
  return "";
}

void ReadSystem(const HostFiles& files, v1::EndpointFacts& facts) {
  auto release = files.Read("/etc/os-release");
  if (!release.ok()) release = files.Read("/usr/lib/os-release");
  if (release.ok()) {
    facts.set_os_name(OsField(*release, "NAME"));
    facts.set_os_version(OsField(*release, "VERSION"));
    if (facts.os_version().empty()) {
      facts.set_os_version(OsField(*release, "VERSION_ID"));
    }
  }
  facts.set_host_name(Fact(files, "/proc/sys/kernel/hostname"));
  facts.set_kernel(Fact(files, "/proc/sys/kernel/osrelease"));
  facts.set_architecture(Fact(files, "/proc/sys/kernel/arch"));  // since 6.1
  struct utsname names = {};
  if (facts.architecture().empty() && files.is_this_machine() &&
      uname(&names) == 0) {
    facts.set_architecture(CleanText(names.machine, kMaxBytes));
  }
}

void ReadHardware(const HostFiles& files, v1::EndpointFacts& facts) {
  facts.set_vendor(Dmi(files, "sys_vendor"));
  facts.set_model(Dmi(files, "product_name"));
  if (facts.model().empty()) {
    auto model = files.Read("/proc/device-tree/model");  // ends with a NUL
    if (model.ok()) {
      facts.set_model(CleanText(model->c_str(), kMaxBytes));
    }
  }
  uint32_t count = 0;
  const auto cpus = files.Read("/proc/cpuinfo");
  absl::string_view text = cpus.ok() ? *cpus : absl::string_view();
  absl::string_view line;
  while (NextLine(text, line)) {
    absl::string_view rest = line;
    const absl::string_view key = NextField(rest);
    if (key == "processor" && NextField(rest) == ":") ++count;
  }
  facts.set_cpu_count(count);
  const auto memory = files.Read("/proc/meminfo");
  text = memory.ok() ? *memory : absl::string_view();
  while (NextLine(text, line)) {
    uint64_t kibibytes = 0;
    if (NextField(line) == "MemTotal:" &&
        ParseCount(NextField(line), kibibytes)) {
      facts.set_memory_bytes(kibibytes * 1024);
    }
  }
}

// The machine id itself is a secret by machine-id(5).
std::string HostId(const HostFiles& files) {
  const auto id = files.ReadLine("/etc/machine-id");
  if (!id.ok() || id->size() < 32) return "";
  const std::string text = absl::StrCat("forewarn host id\n", *id);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(),
                 nullptr) != 1) {
    return "";
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(digest), 16));
}

bool HasBattery(const HostFiles& files) {
  const auto supplies = files.List("/sys/class/power_supply");
  if (!supplies.ok()) return false;
  for (const std::string& name : *supplies) {
    const std::string folder = absl::StrCat("/sys/class/power_supply/", name);
    // A mouse has a battery too.
    if (Fact(files, folder + "/type") == "Battery" &&
        Fact(files, folder + "/scope") != "Device") {
      return true;
    }
  }
  return false;
}

// Chassis types of SMBIOS 3.6, table 17.
v1::EndpointClass ClassOfChassis(double chassis) {
  switch (static_cast<int>(chassis)) {
    case 3:   // desktop
    case 4:   // low profile desktop
    case 6:   // mini tower
    case 7:   // tower
    case 13:  // all in one
    case 15:  // space-saving
    case 16:  // lunch box
    case 24:  // sealed case
    case 35:  // mini PC
    case 36:  // stick PC
      return v1::ENDPOINT_CLASS_WORKSTATION;
    case 8:   // portable
    case 9:   // laptop
    case 10:  // notebook
    case 11:  // hand held
    case 14:  // sub notebook
    case 30:  // tablet
    case 31:  // convertible
    case 32:  // detachable
      return v1::ENDPOINT_CLASS_LAPTOP;
    case 33:  // IoT gateway
    case 34:  // embedded PC
      return v1::ENDPOINT_CLASS_DEVICE;
    case 17:  // main server chassis
    case 23:  // rack mount
    case 25:  // multi-system
    case 28:  // blade
    case 29:  // blade enclosure
      return v1::ENDPOINT_CLASS_SERVER;
    default:
      return v1::ENDPOINT_CLASS_UNSPECIFIED;
  }
}

v1::EndpointClass ClassOf(const HostFiles& files,
                          const std::string& virtualization) {
  if (!virtualization.empty()) return v1::ENDPOINT_CLASS_SERVER;
  const auto chassis = files.ReadNumber("/sys/class/dmi/id/chassis_type");
  if (chassis.ok() && *chassis >= 0 && *chassis < 256) {
    const v1::EndpointClass found = ClassOfChassis(*chassis);
    if (found != v1::ENDPOINT_CLASS_UNSPECIFIED) return found;
  }
  return HasBattery(files) ? v1::ENDPOINT_CLASS_LAPTOP
                           : v1::ENDPOINT_CLASS_SERVER;
}

bool HasHypervisorFlag(const HostFiles& files) {
  const auto cpus = files.Read("/proc/cpuinfo");
  absl::string_view text = cpus.ok() ? *cpus : absl::string_view();
  absl::string_view line;
  while (NextLine(text, line)) {
    if (NextField(line) != "flags") continue;
    while (!line.empty()) {
      if (NextField(line) == "hypervisor") return true;
    }
    return false;  // the other processors have the same
  }
  return false;
}

}  // namespace

std::string ReadVirtualization(const HostFiles& files) {
  const std::string container = Fact(files, "/run/systemd/container");
  if (!container.empty()) return container;
  if (files.Exists("/.dockerenv")) return "docker";
  if (files.Exists("/run/.containerenv")) return "podman";
  if (absl::StrContains(
          absl::AsciiStrToLower(Fact(files, "/proc/sys/kernel/osrelease")),
          "microsoft")) {
    return "wsl";
  }
  const std::string dmi =
      absl::StrCat(Fact(files, "/sys/class/dmi/id/sys_vendor"), " / ",
                   Fact(files, "/sys/class/dmi/id/product_name"), " / ",
                   Fact(files, "/sys/class/dmi/id/bios_vendor"));
  struct Mark {
    const char* words;
    const char* name;
  };
  // In order: "KVM" also stands in the names of those above it.
  static constexpr Mark kMarks[] = {{"VMware", "vmware"},
                                    {"VirtualBox", "virtualbox"},
                                    {"innotek", "virtualbox"},
                                    {"Xen", "xen"},
                                    {"Parallels", "parallels"},
                                    {"Bochs", "bochs"},
                                    {"Virtual Machine", "hyperv"},
                                    {"BHYVE", "bhyve"},
                                    {"OpenStack", "openstack"},
                                    {"Apple Virtualization", "apple"},
                                    {"QEMU", "kvm"},
                                    {"KVM", "kvm"}};
  for (const Mark& mark : kMarks) {
    if (absl::StrContains(dmi, mark.words)) return mark.name;
  }
  if (!HasHypervisorFlag(files)) return "";
  if (absl::StrContains(dmi, "Amazon EC2")) return "amazon";
  if (absl::StrContains(dmi, "Google")) return "google";
  return "vm";
}

v1::EndpointClass ParseEndpointClass(absl::string_view text) {
  if (text == "server") return v1::ENDPOINT_CLASS_SERVER;
  if (text == "workstation") return v1::ENDPOINT_CLASS_WORKSTATION;
  if (text == "laptop") return v1::ENDPOINT_CLASS_LAPTOP;
  if (text == "device") return v1::ENDPOINT_CLASS_DEVICE;
  return v1::ENDPOINT_CLASS_UNSPECIFIED;
}

v1::EndpointFacts ReadFacts(const HostFiles& files,
                            const v1::AgentConfig& config) {
  v1::EndpointFacts facts;
  ReadSystem(files, facts);
  ReadHardware(files, facts);
  facts.set_virtualization(ReadVirtualization(files));
  facts.set_host_id(HostId(files));
  facts.set_endpoint_class(ParseEndpointClass(config.endpoint_class()));
  if (facts.endpoint_class() == v1::ENDPOINT_CLASS_UNSPECIFIED) {
    facts.set_endpoint_class(ClassOf(files, facts.virtualization()));
  }
  facts.set_site(CleanText(config.site(), kMaxBytes));
  facts.set_owner(CleanText(config.owner(), kMaxBytes));
  for (const std::string& tag : config.tags()) {
    facts.add_tags(CleanText(tag, kMaxBytes));
  }
  return facts;
}

std::string ReadBootId(const HostFiles& files) {
  return Fact(files, "/proc/sys/kernel/random/boot_id");
}

}  // namespace forewarn::agent
