#include "agent/sources/clock_source.h"

#include <cerrno>
#include <utility>

#include "protos/base/status.h"

namespace forewarn::agent {

ClockSource::ClockSource(ReadDiscipline read) : read_(std::move(read)) {}

absl::Status ClockSource::Sample(const SampleTime& /*now*/, ReadingSink& sink) {
  struct timex discipline = {};  // modes = 0: only read
  if (read_(&discipline) < 0) {
    if (errno == EPERM || errno == ENOSYS) {
      return absl::UnimplementedError("read clock discipline: not permitted");
    }
    return base::ErrnoStatus(errno, "read clock discipline");
  }
  const double offset_unit = discipline.status & STA_NANO ? 1e-9 : 1e-6;
  sink.Accept("forewarn.clock.synchronised",
              discipline.status & STA_UNSYNC ? 0 : 1);
  sink.Accept("forewarn.clock.offset",
              static_cast<double>(discipline.offset) * offset_unit);
  sink.Accept("forewarn.clock.estimated_error",
              static_cast<double>(discipline.esterror) * 1e-6);
  sink.Accept("forewarn.clock.max_error",
              static_cast<double>(discipline.maxerror) * 1e-6);
  return absl::OkStatus();
}

}  // namespace forewarn::agent
