#include "collector/correlate/correlator.h"

#include <atomic>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/correlate/incident_folder.h"
#include "collector/correlate/problem_watch.h"
#include "collector/correlate/symptom_order.h"
#include "protos/base/backoff.h"
#include "protos/base/bounded_queue.h"
#include "protos/base/deadline.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"

namespace forewarn::correlate {
namespace {

// How late a quiet time may end; chosen.
constexpr absl::Duration kTick = absl::Milliseconds(250);
// So long what is only noted waits for more, looked at so often; chosen: ten
// transactions a second at most.
constexpr absl::Duration kCompany = absl::Milliseconds(100);
constexpr absl::Duration kLook = absl::Milliseconds(10);
// One transaction's worth: other users of the desk wait for it.
constexpr size_t kEdgesBetweenTicks = 64;
constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(30);
// After so many refusals that no waiting heals, an edge is set aside rather
// than hold up every other endpoint's.
constexpr int kRefusals = 3;

// Whether trying again may help: the database busy, full or unreadable, as
// against a change that is wrong in itself.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInternal:
      return false;
    default:
      return true;
  }
}

}  // namespace

class Correlator::Impl {
 public:
  Impl(const CorrelatorOptions& options, IncidentStore& store,
       IncidentSink& sink, const CorrelatorRooms& rooms, base::Clock& clock)
      : queue_(options.queue_bound),
        folder_({.fold_window = options.fold_window,
                 .reopen_window = options.reopen_window,
                 .quiet = options.quiet},
                store),
        finder_(options.problems, rooms.problems, store, rooms.cohorts),
        forecasts_(rooms.forecasts, store),
        sink_(sink, rooms.problem_sink, finder_, clock),
        clock_(clock) {}

  absl::Status Start() {
    if (!base::Seeded(base::Bug::kForgetOpenIncidents)) {
      FOREWARN_RETURN_IF_ERROR(
          base::Annotate(folder_.Load(clock_.Now()), "read what is open"));
      sink_.Recover();
      FOREWARN_RETURN_IF_ERROR(forecasts_.Load(clock_.Now()));
    }
    thread_ = std::thread([this] { Run(); });
    return absl::OkStatus();
  }

  void Stop() {
    queue_.Close();
    stopping_ = true;
    alarm_.Wake();
    if (thread_.joinable()) thread_.join();
  }

  void Accept(detect::SymptomEdge edge) {
    // After Stop an edge is dropped: detectors name what stands at the next
    // start.
    queue_.Push(std::move(edge));
  }

 private:
  void Run() {
    while (true) {
      std::vector<detect::SymptomEdge> edges = Gather();
      for (detect::SymptomEdge& edge : edges) forecasts_.Temper(edge);
      FoldAll(edges);
      const absl::Status closed = folder_.Tick(clock_.Now(), sink_);
      sink_.Recover();
      if (!closed.ok() && ticks_refused_++ % 240 == 0) {
        base::Log(base::LogLevel::kWarning, "quiet incidents wait for the desk",
                  {{"reason", base::ToLine(closed)}});
      }
      if (closed.ok()) ticks_refused_ = 0;
      if (edges.empty() && queue_.closed()) return;
    }
  }

  // What is only noted waits for company; what weighs does not.
  std::vector<detect::SymptomEdge> Gather() {
    std::vector<detect::SymptomEdge> edges =
        queue_.PopAll(kTick, kEdgesBetweenTicks);
    const base::Deadline company(kCompany);
    while (!edges.empty() && edges.size() < kEdgesBetweenTicks &&
           company.Left() > absl::ZeroDuration() && !queue_.closed() &&
           absl::c_none_of(edges, [](const detect::SymptomEdge& edge) {
             return Weighs(edge.symptom);
           })) {
      absl::c_move(queue_.Gather(company.Left(), kLook, kEdgesBetweenTicks,
                                 kEdgesBetweenTicks - edges.size()),
                   std::back_inserter(edges));
    }
    return edges;
  }

  void FoldAll(absl::Span<const detect::SymptomEdge> edges) {
    while (!edges.empty()) {
      // Scores are kept one by one: there are few.
      const auto scored =
          absl::c_find_if(edges, [](const detect::SymptomEdge& edge) {
            return edge.kind == detect::SymptomEdge::Kind::kScored;
          });
      const absl::StatusOr<size_t> taken = folder_.FoldTogether(
          edges.first(scored - edges.begin()), clock_.Now(), sink_);
      if (taken.ok()) {
        edges.remove_prefix(*taken);
        if (edges.empty()) return;
      }
      FoldUntilTaken(edges.front());
      edges.remove_prefix(1);
    }
  }

  absl::Status Take(const detect::SymptomEdge& edge) {
    return edge.kind == detect::SymptomEdge::Kind::kScored
               ? forecasts_.Score(edge, clock_.Now())
               : folder_.Fold(edge, clock_.Now(), sink_);
  }

  void FoldUntilTaken(const detect::SymptomEdge& edge) {
    base::Backoff backoff(kFirstRetry, kLongestRetry, /*seed=*/1);
    for (int refusals = 1;; ++refusals) {
      const absl::Status folded = Take(edge);
      if (folded.ok()) return;
      const bool set_aside =
          stopping_ || (!MayPass(folded) && refusals >= kRefusals);
      if (set_aside || refusals == 1 || refusals % 20 == 0) {
        base::Log(
            set_aside ? base::LogLevel::kError : base::LogLevel::kWarning,
            set_aside ? "symptom set aside" : "symptom waits for the desk",
            {{"endpoint", edge.symptom.endpoint_id()},
             {"rule", edge.symptom.rule()},
             {"fingerprint", edge.symptom.fingerprint()},
             {"reason", base::ToLine(folded)}});
      }
      if (set_aside) return;
      alarm_.WaitFor(backoff.Next());
    }
  }

  base::BoundedQueue<detect::SymptomEdge> queue_;
  IncidentFolder folder_;
  ProblemFinder finder_;
  ForecastRecord forecasts_;
  ProblemWatch sink_;
  base::Clock& clock_;
  base::Alarm alarm_;
  std::atomic<bool> stopping_ = false;
  int ticks_refused_ = 0;
  std::thread thread_;
};

Correlator::Correlator(CorrelatorOptions options, IncidentStore& store,
                       IncidentSink& sink, const CorrelatorRooms& rooms,
                       base::Clock& clock)
    : impl_(std::make_unique<Impl>(options, store, sink, rooms, clock)) {}

Correlator::~Correlator() { Stop(); }

absl::Status Correlator::Start() { return impl_->Start(); }

void Correlator::Stop() { impl_->Stop(); }

void Correlator::Accept(detect::SymptomEdge edge) {
  impl_->Accept(std::move(edge));
}

}  // namespace forewarn::correlate
