#include "agent/sources/network_source.h"

namespace forewarn::agent {

absl::Status NetworkSource::Sample(const SampleTime& now, ReadingSink& sink) {
  absl::Status status = interfaces_.Sample(now, sink);
  status.Update(protocols_.Sample(now, sink));
  return status;
}

}  // namespace forewarn::agent
