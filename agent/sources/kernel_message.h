#ifndef FOREWARN_AGENT_SOURCES_KERNEL_MESSAGE_H_
#define FOREWARN_AGENT_SOURCES_KERNEL_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace forewarn::agent {

// A kernel message that tells of trouble, and what it names.
struct KernelFinding {
  absl::string_view type;  // one of KernelFindingTypes()
  std::string process;     // of oom_kill, hung_task, segfault, soft_lockup
  std::string pid;
  std::string device;  // of i/o, file-system, nvme, usb and link trouble
};

// Values of forewarn.kernel.log.type, in the catalogue's order.
absl::Span<const absl::string_view> KernelFindingTypes();

// What the text of one kernel message tells, or nothing. Of the several lines
// that the kernel writes about one fault only the telling one is found, so
// that findings can be counted. Pure; the text is as the kernel wrote it.
std::optional<KernelFinding> ClassifyKernelMessage(absl::string_view text);

// The text of a record of /dev/kmsg ("6,339,5140900,-;text\n KEY=value\n").
// Nothing for what user space wrote into the log, and for what is no record.
std::optional<absl::string_view> KernelRecordText(absl::string_view record);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_KERNEL_MESSAGE_H_
