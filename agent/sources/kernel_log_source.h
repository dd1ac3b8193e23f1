#ifndef FOREWARN_AGENT_SOURCES_KERNEL_LOG_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_KERNEL_LOG_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// The kernel's log from now on, record by record, without waiting.
class KernelLog {
 public:
  virtual ~KernelLog() = default;

  // The next record as /dev/kmsg gives it; nothing when there is none yet.
  // kDataLoss: the kernel overwrote records before they were read; the next
  // call goes on after them. kNotFound, kPermissionDenied: no log to read.
  virtual absl::StatusOr<std::optional<std::string>> Next() = 0;
};

// /dev/kmsg. Starts at its end when it is made. Thread-compatible.
class KmsgLog final : public KernelLog {
 public:
  KmsgLog();
  ~KmsgLog() override;
  KmsgLog(const KmsgLog&) = delete;
  KmsgLog& operator=(const KmsgLog&) = delete;

  absl::StatusOr<std::optional<std::string>> Next() override;

 private:
  int descriptor_ = -1;
  int open_error_ = 0;
};

// forewarn.kernel.*: counts of telling messages by type, an event
// "forewarn.event.<type>" for each, and the kernel's taint.
class KernelLogSource final : public Source {
 public:
  // More messages than this at one tick are counted without an event.
  static constexpr int kMaxEvents = 20;
  // Records read at one tick; the rest waits in the kernel's ring.
  static constexpr int kMaxRecords = 2000;

  // `files` must outlive it.
  KernelLogSource(const HostFiles& files, std::unique_ptr<KernelLog> log);

  absl::string_view name() const override { return "kernel_log"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  absl::Status ReadLog(const SampleTime& now, ReadingSink& sink);

  const HostFiles& files_;
  const std::unique_ptr<KernelLog> log_;
  std::vector<uint64_t> counts_;  // by KernelFindingTypes()
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_KERNEL_LOG_SOURCE_H_
