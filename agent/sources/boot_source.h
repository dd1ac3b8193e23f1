#ifndef FOREWARN_AGENT_SOURCES_BOOT_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_BOOT_SOURCE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/boot_state.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Notes beside the state that the machine goes down in order. The agent's
// shutdown path calls it once it knows that; the next boot is then expected.
absl::Status MarkOrderlyShutdown(const std::string& state_path);

// Uptime, whether the boot was expected, whether a restart is asked for,
// entropy, and changes of what makes up the machine's identity.
//
// A boot is unexpected when neither MarkOrderlyShutdown nor /var/log/wtmp
// tells of an orderly end before; the very first one the agent sees never is.
// Emits forewarn.event.boot once a boot and forewarn.event.identity_changed.
class BootSource final : public Source {
 public:
  // `files` must outlive it. `state_path` is on this machine, whatever the
  // root of `files`; empty = remember nothing and write nothing.
  BootSource(const HostFiles& files, std::string state_path);

  absl::string_view name() const override { return "boot"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  absl::Status LoadState(const SampleTime& now, absl::Duration uptime,
                         ReadingSink& sink);
  bool WasOrderly(const SampleTime& now, absl::Duration uptime) const;
  absl::Status RemoveMark() const;
  void SampleReboot(const SampleTime& now, ReadingSink& sink);
  void SampleIdentity(const SampleTime& now, ReadingSink& sink);
  void Note(const SampleTime& now, absl::string_view what,
            absl::string_view part, const absl::StatusOr<std::string>& text,
            ReadingSink& sink);

  const HostFiles& files_;
  const std::string state_path_;
  std::optional<BootState> state_;
  BootState saved_;  // what the file holds
  absl::Duration identity_due_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_BOOT_SOURCE_H_
