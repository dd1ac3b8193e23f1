#ifndef FOREWARN_AGENT_SOURCES_PROBE_CHECK_H_
#define FOREWARN_AGENT_SOURCES_PROBE_CHECK_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::agent {

struct ProbeResult {
  absl::Status status;  // OK: the probe succeeded
  absl::Duration duration;
  std::optional<int> http_status;
  std::optional<absl::Time> certificate_expires;
};

// One attempt against one target.
class ProbeCheck {
 public:
  virtual ~ProbeCheck() = default;

  // Waits for the outcome, mostly no longer than the time-out it was made
  // with: name look-ups cannot be cut short.
  virtual ProbeResult Run() = 0;

  // From another thread: makes Run return soon, where that can be done.
  virtual void Cancel() {}
};

// A check of type dns, tcp, http or ping (config.proto has the targets);
// nullptr for another type.
std::unique_ptr<ProbeCheck> MakeProbeCheck(absl::string_view type,
                                           const std::string& target,
                                           absl::Duration timeout);

// GET of an http or https URL. Succeeds on a status below 400; redirects are
// not followed. A certificate must be valid for the name and trusted by the
// system.
std::unique_ptr<ProbeCheck> MakeHttpCheck(const std::string& url,
                                          absl::Duration timeout);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_PROBE_CHECK_H_
