#include "collector/correlate/problem_watch.h"

#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::correlate {
namespace {

constexpr absl::Duration kRest = absl::Seconds(5);

}  // namespace

absl::StatusOr<v1::Incident> ProblemWatch::Accept(
    const IncidentChange& change) {
  FOREWARN_ASSIGN_OR_RETURN(v1::Incident stored, incidents_.Accept(change));
  if (stale_) return stored;
  const absl::Status seen =
      finder_.Observe(change, stored, clock_.Now(), problems_);
  if (!seen.ok()) {
    stale_ = true;
    base::Log(base::LogLevel::kWarning, "a problem waits for the desk",
              {{"reason", base::ToLine(seen)}});
  }
  return stored;
}

absl::Status ProblemWatch::Together(absl::FunctionRef<void()> body) {
  const absl::Status kept = incidents_.Together(body);
  if (!kept.ok()) stale_ = true;
  return kept;
}

void ProblemWatch::Recover() {
  if (!stale_ || (tried_ && rest_.Left() > absl::ZeroDuration())) return;
  tried_ = true;
  rest_ = base::Deadline(kRest);
  const absl::Status read = finder_.Load(clock_.Now(), problems_);
  stale_ = !read.ok();
  if (stale_) {
    base::Log(base::LogLevel::kWarning, "problems wait for the desk",
              {{"reason", base::ToLine(read)}});
  }
}

}  // namespace forewarn::correlate
