#include "agent/sources/kernel_message.h"

#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace forewarn::agent {
namespace {

using absl::string_view;

constexpr string_view kOomKill = "oom_kill";
constexpr string_view kIoError = "io_error";
constexpr string_view kFilesystemError = "filesystem_error";
constexpr string_view kHungTask = "hung_task";
constexpr string_view kMachineCheck = "machine_check";
constexpr string_view kSegfault = "segfault";
constexpr string_view kUsbError = "usb_error";
constexpr string_view kSoftLockup = "soft_lockup";
constexpr string_view kNvmeError = "nvme_error";
constexpr string_view kLinkDown = "link_down";

constexpr string_view kTypes[] = {
    kOomKill,  kIoError,  kFilesystemError, kHungTask,  kMachineCheck,
    kSegfault, kUsbError, kSoftLockup,      kNvmeError, kLinkDown};

bool ContainsAny(string_view text,
                 std::initializer_list<string_view> fragments) {
  for (string_view fragment : fragments) {
    if (absl::StrContains(text, fragment)) return true;
  }
  return false;
}

// What follows the first `mark`; empty without it.
string_view After(string_view text, string_view mark) {
  const size_t at = text.find(mark);
  return at == string_view::npos ? string_view()
                                 : text.substr(at + mark.size());
}

string_view Before(string_view text, string_view mark) {
  return text.substr(0, text.find(mark));
}

// The leading bytes of a device's name.
std::string DeviceName(string_view text) {
  size_t length = 0;
  while (length < text.size() && length < 64 &&
         (absl::ascii_isalnum(text[length]) ||
          ContainsAny(text.substr(length, 1), {"-", "_", ".", "/"}))) {
    ++length;
  }
  while (length > 0 && text[length - 1] == '.') --length;
  return std::string(text.substr(0, length));
}

bool IsNumber(string_view text) {
  uint32_t ignored;
  return absl::SimpleAtoi(text, &ignored);
}

// "name<open>pid<close>..." where the name itself may hold brackets: the last
// `open` before `close` counts.
bool SplitProcess(string_view text, string_view close, char open,
                  KernelFinding& finding) {
  const size_t end = text.find(close);
  if (end == string_view::npos) return false;
  const size_t begin = text.rfind(open, end);
  if (begin == string_view::npos) return false;
  const string_view pid = text.substr(begin + 1, end - begin - 1);
  if (!IsNumber(pid)) return false;
  finding.pid = std::string(pid);
  finding.process = std::string(text.substr(0, begin));
  return true;
}

// "Out of memory: Killed process 28123 (java) total-vm:..." and the same of a
// memory control group. The announcement of older kernels ("Kill process ...
// or sacrifice child") comes with this line and is not counted again.
bool FindOomKill(string_view text, KernelFinding& finding) {
  const string_view victim = After(text, "Killed process ");
  if (victim.empty()) return false;
  const string_view pid = Before(victim, " ");
  if (!IsNumber(string_view(absl::StripSuffix(pid, ",")))) return false;
  finding.type = kOomKill;
  finding.pid = std::string(absl::StripSuffix(pid, ","));
  const string_view name = After(victim, "(");
  size_t end = name.find(") total-vm");
  if (end == string_view::npos) end = name.find("), ");
  if (end == string_view::npos) end = name.find(')');
  finding.process = std::string(name.substr(0, end));
  return true;
}

// A drive without a medium is no broken drive.
bool HasRemovableMedium(string_view device) {
  return absl::StartsWith(device, "sr") || absl::StartsWith(device, "fd");
}

bool FindIoError(string_view text, KernelFinding& finding) {
  finding.type = kIoError;
  for (string_view mark :
       {"I/O error, dev ", "critical medium error, dev ",
        "critical target error, dev ", "critical space allocation error, dev ",
        "Buffer I/O error on dev ", "Buffer I/O error on device ",
        "Disk failure on "}) {
    const string_view rest = After(text, mark);
    if (rest.empty()) continue;
    // A drive that does not know these operations says so this way.
    if (ContainsAny(text, {"(DISCARD)", "(WRITE_ZEROES)", "(WRITE_SAME)"})) {
      return false;
    }
    finding.device = DeviceName(rest);
    return !HasRemovableMedium(finding.device);
  }
  if (absl::StartsWith(text, "ata") &&
      absl::StrContains(text, ": failed command: ")) {
    finding.device = DeviceName(text);
    return true;
  }
  if (absl::StrContains(text, "rejecting I/O to offline device") ||
      absl::StrContains(text, "Device offlined")) {
    finding.device = DeviceName(After(text, "["));
    return true;
  }
  return absl::StrContains(text, "multipath: Failing path ");
}

bool FindFilesystemError(string_view text, KernelFinding& finding) {
  bool found = false;
  if (absl::StartsWith(text, "EXT")) {
    found = absl::StrContains(text, "-fs error") ||
            ContainsAny(text, {"): Remounting filesystem read-only",
                               "): error count since last fsck: ",
                               "): previous I/O error to superblock detected",
                               "mounting fs with errors"});
  } else if (absl::StartsWith(text, "JBD2:")) {
    finding.device = DeviceName(After(text, " file data on "));
    found = absl::StrContains(text, "Detected IO errors");
  } else if (absl::StartsWith(text, "Aborting journal on device ")) {
    finding.device = DeviceName(After(text, "on device "));
    found = true;
  } else if (absl::StartsWith(text, "XFS (")) {
    found = ContainsAny(
        text, {"Metadata corruption", "Metadata CRC error",
               "Corruption detected", "metadata I/O error", "log I/O error",
               "Corruption of in-memory data", "as been shut down",
               "Internal error ", "Log I/O Error Detected", "writeback error"});
  } else if (absl::StartsWith(text, "BTRFS")) {
    found = absl::StartsWith(text, "BTRFS error") ||
            absl::StartsWith(text, "BTRFS critical") ||
            absl::StartsWith(text, "BTRFS: error") ||
            ContainsAny(
                text, {"csum failed", "checksum error at", "forced readonly"});
  } else if (absl::StartsWith(text, "F2FS-fs (")) {
    found = ContainsAny(text, {"orrupt", "I/O error", "nconsistent"});
  } else if (absl::StartsWith(text, "FAT-fs (")) {
    found = ContainsAny(text, {"): error, ", "set read-only"});
  } else if (absl::StartsWith(text, "SQUASHFS error")) {
    found = true;
  }
  if (!found) return false;
  finding.type = kFilesystemError;
  for (string_view mark : {"(device ", "("}) {
    if (!finding.device.empty()) break;
    finding.device = DeviceName(After(text, mark));
  }
  return true;
}

// "INFO: task jbd2/sda1-8:234 blocked for more than 120 seconds."
bool FindHungTask(string_view text, KernelFinding& finding) {
  const string_view task = After(text, "INFO: task ");
  if (!absl::StrContains(task, " blocked for more than ")) return false;
  finding.type = kHungTask;
  SplitProcess(task, " blocked for", ':', finding);
  return true;
}

// Reports have many lines, each marked "[Hardware Error]"; one of them is
// counted.
bool FindMachineCheck(string_view text, KernelFinding& finding) {
  finding.type = kMachineCheck;
  if (absl::StartsWith(text, "EDAC ")) {
    return ContainsAny(text, {" CE ", " UE "});
  }
  if (absl::StrContains(text, "[Hardware Error]")) {
    return ContainsAny(text, {": Machine Check: ", ": Machine Check Exception",
                              "Hardware error from APEI"});
  }
  return absl::StrContains(text, "due to hardware memory corruption");
}

bool FindSegfault(string_view text, KernelFinding& finding) {
  finding.type = kSegfault;
  const string_view plain = absl::StripPrefix(text, "traps: ");
  if (absl::StrContains(plain, "]: segfault at ")) {
    return SplitProcess(plain, "]: segfault at ", '[', finding);
  }
  for (string_view mark : {"] general protection fault", "] general protection",
                           "] trap invalid opcode", "] trap divide error",
                           "] trap stack segment"}) {
    if (absl::StrContains(plain, mark)) {
      return SplitProcess(plain, mark, '[', finding);
    }
  }
  return false;
}

bool FindUsbError(string_view text, KernelFinding& finding) {
  finding.type = kUsbError;
  if (absl::StartsWith(text, "xhci_hcd ") ||
      absl::StartsWith(text, "ehci-pci ")) {
    finding.device = std::string(Before(After(text, " "), ": "));
    return ContainsAny(text, {"HC died", "assume dead"});
  }
  if (!absl::StartsWith(text, "usb ") && !absl::StartsWith(text, "hub ")) {
    return false;
  }
  finding.device = DeviceName(text.substr(4));
  return ContainsAny(
      text, {"device descriptor read/", "device not accepting address",
             "unable to enumerate USB device", "over-current", "cannot reset",
             "Maybe the USB cable is bad", "can't set config",
             "disabled by hub (EMI?)"});
}

bool FindSoftLockup(string_view text, KernelFinding& finding) {
  finding.type = kSoftLockup;
  if (absl::StrContains(text, "BUG: soft lockup - CPU#")) {
    // "... stuck for 22s! [kworker/0:1:1234]"
    SplitProcess(After(text, "! ["), "]", ':', finding);
    return true;
  }
  return absl::StrContains(text, "etected hard LOCKUP on cpu") ||
         (absl::StrContains(text, "rcu") &&
          ContainsAny(text,
                      {"self-detected stall on CPU", "detected stalls on"}));
}

bool FindNvmeError(string_view text, KernelFinding& finding) {
  finding.type = kNvmeError;
  if (!absl::StartsWith(text, "nvme")) return false;
  const string_view rest = absl::StripPrefix(text, "nvme ");
  finding.device = DeviceName(rest);
  return (absl::StrContains(rest, ": I/O ") &&
          ContainsAny(rest, {" timeout, ", " I/O Error (sct "})) ||
         ContainsAny(
             rest,
             {"controller is down; will reset", "Removing after probe failure",
              "Device not ready; aborting", "Device shutdown incomplete",
              "Disabling device after reset failure",
              "failed to mark controller"});
}

bool FindLinkDown(string_view text, KernelFinding& finding) {
  finding.type = kLinkDown;
  if (absl::StrContains(text, "link status definitely down")) {
    for (string_view mark : {"(slave ", "for interface "}) {
      if (!finding.device.empty()) break;
      finding.device = DeviceName(After(text, mark));
    }
    return true;
  }
  // "igb 0000:01:00.0 eth1: igb: eth1 NIC Link is Down": the name is what
  // stands before the first ": ". Unused SATA ports say "SATA link down".
  if (absl::StrContains(text, "SATA")) return false;
  if (!ContainsAny(text, {"Link is Down", "Link is down", ": Link down",
                          ": link down", "link is down"})) {
    return false;
  }
  string_view head = Before(text, ": ");
  const size_t space = head.rfind(' ');
  if (space != string_view::npos) head.remove_prefix(space + 1);
  // "e1000e: eth0 NIC Link is Down" has the driver first.
  if (space == string_view::npos) {
    const string_view second = After(text, ": ");
    const string_view name = Before(second, " ");
    if (absl::StrContains(second, " NIC Link") && !name.empty()) head = name;
  }
  finding.device = DeviceName(head);
  return true;
}

}  // namespace

absl::Span<const string_view> KernelFindingTypes() { return kTypes; }

std::optional<KernelFinding> ClassifyKernelMessage(string_view text) {
  for (auto* find : {FindOomKill, FindSegfault, FindHungTask, FindSoftLockup,
                     FindFilesystemError, FindNvmeError, FindIoError,
                     FindMachineCheck, FindUsbError, FindLinkDown}) {
    KernelFinding finding;
    if (find(text, finding)) return finding;
  }
  return std::nullopt;
}

std::optional<string_view> KernelRecordText(string_view record) {
  const size_t head = record.find(';');
  if (head == string_view::npos) return std::nullopt;
  uint32_t priority;
  if (!absl::SimpleAtoi(Before(record, ","), &priority)) return std::nullopt;
  // Priority = facility * 8 + level; facility 0 is the kernel itself.
  if (priority >= 8) return std::nullopt;
  return Before(record.substr(head + 1), "\n");
}

}  // namespace forewarn::agent
