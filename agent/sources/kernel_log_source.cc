#include "agent/sources/kernel_log_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/sources/kernel_message.h"
#include "agent/sources/source_event.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

// Documentation/admin-guide/tainted-kernels.rst: machine check (4), bad page
// (5), oops or BUG (7). The others tell of modules and settings.
constexpr uint64_t kTroubleBits = 1u << 4 | 1u << 5 | 1u << 7;

size_t IndexOf(absl::string_view type) {
  const auto types = KernelFindingTypes();
  return static_cast<size_t>(std::find(types.begin(), types.end(), type) -
                             types.begin());
}

}  // namespace

KmsgLog::KmsgLog()
    : descriptor_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  if (descriptor_ < 0 || lseek(descriptor_, 0, SEEK_END) < 0) {
    open_error_ = errno;
  }
}

KmsgLog::~KmsgLog() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<std::optional<std::string>> KmsgLog::Next() {
  if (open_error_ != 0) {
    return base::ErrnoStatus(open_error_, "open /dev/kmsg");
  }
  char record[8192];  // the kernel's own limit, PRINTKRB_RECORD_MAX and before
  while (true) {
    const ssize_t length = read(descriptor_, record, sizeof(record));
    if (length >= 0) {
      return std::string(record, static_cast<size_t>(length));
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return std::nullopt;
    if (errno == EPIPE) {
      return absl::DataLossError("read /dev/kmsg: records were overwritten");
    }
    return base::ErrnoStatus(errno, "read /dev/kmsg");
  }
}

KernelLogSource::KernelLogSource(const HostFiles& files,
                                 std::unique_ptr<KernelLog> log)
    : files_(files),
      log_(std::move(log)),
      counts_(KernelFindingTypes().size()) {}

absl::Status KernelLogSource::Sample(const SampleTime& now, ReadingSink& sink) {
  const absl::StatusOr<double> tainted =
      files_.ReadNumber("/proc/sys/kernel/tainted");
  if (tainted.ok() && *tainted >= 0) {
    sink.Accept("forewarn.kernel.tainted",
                static_cast<uint64_t>(*tainted) & kTroubleBits ? 1 : 0);
  }
  const absl::Status log = ReadLog(now, sink);
  if (!log.ok()) return log;
  return absl::IsNotFound(tainted.status()) ? absl::OkStatus()
                                            : tainted.status();
}

absl::Status KernelLogSource::ReadLog(const SampleTime& now,
                                      ReadingSink& sink) {
  int events = 0;
  for (int i = 0; i < kMaxRecords; ++i) {
    const absl::StatusOr<std::optional<std::string>> record = log_->Next();
    // What was overwritten is lost; the log goes on.
    if (absl::IsDataLoss(record.status())) continue;
    if (absl::IsPermissionDenied(record.status())) {
      return absl::UnimplementedError(record.status().message());
    }
    if (!record.ok()) return record.status();
    if (!record->has_value()) break;
    const auto text = KernelRecordText(**record);
    if (!text.has_value()) continue;
    const std::optional<KernelFinding> finding = ClassifyKernelMessage(*text);
    if (!finding.has_value()) continue;
    ++counts_[IndexOf(finding->type)];
    if (++events > kMaxEvents) continue;
    const bool link = finding->type == "link_down";
    sink.AcceptEvent(
        MakeEvent(now.wall, finding->type,
                  {{"network.interface.name", link ? finding->device : ""},
                   {"process.executable.name", finding->process},
                   {"process.pid", finding->pid},
                   {"system.device", link ? "" : finding->device}},
                  *text));
  }
  for (size_t i = 0; i < counts_.size(); ++i) {
    sink.Accept("forewarn.kernel.log.events",
                {{"forewarn.kernel.log.type", KernelFindingTypes()[i]}},
                static_cast<double>(counts_[i]));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
