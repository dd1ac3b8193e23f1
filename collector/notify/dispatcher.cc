#include "collector/notify/dispatcher.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/words/visible.h"
#include "protos/base/bounded_queue.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::notify {
namespace {

constexpr size_t kLaneBound = 16;
// Rows are small; a channel that is down may have a long tail of them.
constexpr int kFirstLook = 128;
constexpr int kLongestLook = 1 << 14;
constexpr uint32_t kRefusals = 3;  // attempts when refused, not just failed
constexpr absl::Duration kShortestRetryAfter = absl::Seconds(1);
// Rows of a resting channel hide when those of another fall due.
constexpr absl::Duration kLookAgain = absl::Seconds(5);
constexpr absl::Duration kLongestSleep = absl::Minutes(1);
constexpr absl::Duration kStoreRetry = absl::Seconds(1);
constexpr size_t kLongestError = 300;

uint64_t SeedOf(const DispatcherOptions& options) {
  return options.seed != 0 ? options.seed : std::random_device()();
}

}  // namespace

// A channel with its queue, its worker and its rest.
struct Dispatcher::Lane {
  explicit Lane(std::unique_ptr<Channel> way) : channel(std::move(way)) {}

  const std::unique_ptr<Channel> channel;
  base::BoundedQueue<v1::Notification> queue{kLaneBound};
  std::thread thread;
  // Waits here between attempts to write to the outbox.
  base::Alarm alarm;
  // Written by the lane's worker, read by the dispatcher's thread.
  std::atomic<int64_t> rests_until_ns{0};
  uint32_t failures = 0;  // in a row; the worker's own

  absl::Time RestsUntil() const {
    return absl::FromUnixNanos(rests_until_ns.load());
  }
};

Dispatcher::Dispatcher(DispatcherOptions options,
                       std::vector<std::unique_ptr<Channel>> channels,
                       desk::Outbox& outbox, TicketFinder find_ticket,
                       const words::Words& words, metrics::SelfMetrics& metrics,
                       base::Clock& clock)
    : options_(options),
      outbox_(outbox),
      find_ticket_(std::move(find_ticket)),
      words_(words),
      metrics_(metrics),
      clock_(clock),
      random_(SeedOf(options)) {
  for (std::unique_ptr<Channel>& channel : channels) {
    lanes_.push_back(std::make_unique<Lane>(std::move(channel)));
  }
}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Start() {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    lane->thread = std::thread([this, &lane = *lane] { Work(lane); });
  }
  thread_ = std::thread([this] { Run(); });
  outbox_.SetListener([this] { alarm_.Wake(); });
}

void Dispatcher::Stop() {
  if (!thread_.joinable()) return;
  outbox_.SetListener([] {});
  stopping_ = true;
  alarm_.Wake();
  thread_.join();
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    lane->channel->Cancel();
    lane->queue.Close();
    lane->alarm.Wake();
  }
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->thread.join();
}

void Dispatcher::Run() {
  while (!stopping_) alarm_.WaitFor(Schedule());
}

absl::Duration Dispatcher::Schedule() {
  for (int limit = kFirstLook;; limit *= 4) {
    // Taken before the rows are read: a row whose worker ends in between is
    // still in the list, but no longer due.
    absl::flat_hash_set<uint32_t> in_flight;
    {
      base::MutexLock lock(&mutex_);
      in_flight = in_flight_;
    }
    const absl::Time now = clock_.Now();
    const absl::StatusOr<std::vector<v1::Notification>> rows =
        outbox_.Due(now, limit);
    if (!rows.ok()) {
      base::Log(base::LogLevel::kError, "cannot read the outbox",
                {{"reason", base::ToLine(rows.status())}});
      return kLookAgain;
    }
    const bool all_served = Assign(*rows, in_flight, now);
    if (all_served || rows->size() < static_cast<size_t>(limit) ||
        limit >= kLongestLook) {
      return WaitForNext(now);
    }
  }
}

bool Dispatcher::Assign(const std::vector<v1::Notification>& rows,
                        const absl::flat_hash_set<uint32_t>& were_in_flight,
                        absl::Time now) {
  std::vector<const v1::Notification*> order;
  for (const v1::Notification& row : rows) order.push_back(&row);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) {
                     return a->attempts() < b->attempts();
                   });
  absl::flat_hash_set<const Lane*> served;
  for (const v1::Notification* row : order) {
    if (were_in_flight.contains(row->id())) continue;
    Lane* lane = FindLane(row->channel());
    if (lane == nullptr) {
      Record(*row, "given_up", [&] {
        return outbox_.GiveUp(row->id(), "the channel is no longer configured",
                              now);
      });
      continue;
    }
    if (now < lane->RestsUntil()) continue;
    {
      base::MutexLock lock(&mutex_);
      if (!in_flight_.insert(row->id()).second) continue;
    }
    served.insert(lane);
    v1::Notification copy = *row;
    if (lane->queue.TryPush(std::move(copy))) continue;
    base::MutexLock lock(&mutex_);
    in_flight_.erase(row->id());
  }
  return std::all_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
    return served.contains(lane.get()) || now < lane->RestsUntil();
  });
}

Dispatcher::Lane* Dispatcher::FindLane(const std::string& name) {
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    if (lane->channel->name() == name) return lane.get();
  }
  return nullptr;
}

absl::Duration Dispatcher::WaitForNext(absl::Time now) {
  const absl::StatusOr<absl::Time> next = outbox_.NextDue();
  if (!next.ok()) return kLookAgain;
  absl::Duration wait = std::min(*next - now, kLongestSleep);
  if (wait > absl::ZeroDuration()) return wait;
  // Due, but on its way (its worker wakes us) or of a resting channel.
  wait = kLookAgain;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    const absl::Duration rest = lane->RestsUntil() - now;
    if (rest > absl::ZeroDuration()) wait = std::min(wait, rest);
  }
  return wait;
}

void Dispatcher::Work(Lane& lane) {
  while (!stopping_) {
    for (const v1::Notification& row :
         lane.queue.PopAll(absl::Seconds(3600), 1)) {
      // While the channel rests, what was queued goes back to the outbox.
      if (!stopping_ && clock_.Now() >= lane.RestsUntil()) Deliver(lane, row);
      {
        base::MutexLock lock(&mutex_);
        in_flight_.erase(row.id());
      }
      alarm_.Wake();
    }
  }
}

void Dispatcher::Deliver(Lane& lane, const v1::Notification& row) {
  const absl::Status sent = Send(lane, row);
  if (absl::IsCancelled(sent) && stopping_) return;
  if (!sent.ok()) return Fail(lane, row, sent);
  lane.failures = 0;
  lane.rests_until_ns = 0;
  Record(row, "delivered",
         [&] { return outbox_.MarkDelivered(row.id(), clock_.Now()); });
}

absl::Status Dispatcher::Send(Lane& lane, const v1::Notification& row) {
  absl::StatusOr<v1::TicketDetail> detail = find_ticket_(row.ticket());
  if (absl::IsNotFound(detail.status())) {
    return absl::InvalidArgumentError("its ticket is gone");
  }
  FOREWARN_RETURN_IF_ERROR(base::Annotate(detail.status(), "read its ticket"));
  return lane.channel->Send(MakeMessage(row, *std::move(detail), words_));
}

void Dispatcher::Fail(Lane& lane, const v1::Notification& row,
                      const absl::Status& failure) {
  const absl::Time now = clock_.Now();
  const std::string error =
      words::Visible(base::ToLine(failure), kLongestError);
  base::Log(base::LogLevel::kWarning, "cannot notify",
            {{"channel", row.channel()},
             {"ticket", row.ticket()},
             {"event", row.event()},
             {"attempt", row.attempts() + 1},
             {"reason", error}});
  // A message that will never be accepted says nothing about the channel.
  if (!absl::IsInvalidArgument(failure)) {
    const absl::Duration rest =
        std::max(Jitter(lane.failures++),
                 RetryAfter(failure).value_or(absl::ZeroDuration()));
    lane.rests_until_ns = absl::ToUnixNanos(
        now + std::clamp(rest, absl::ZeroDuration(), options_.longest_wait));
  }
  if (IsHopeless(row, failure, now)) {
    Record(row, "given_up",
           [&] { return outbox_.GiveUp(row.id(), error, now); });
    return;
  }
  absl::Duration wait = Jitter(row.attempts());
  if (const auto asked = RetryAfter(failure); asked.has_value()) {
    wait = std::clamp(*asked, kShortestRetryAfter, options_.longest_wait);
  }
  Record(row, "failed",
         [&] { return outbox_.MarkFailed(row.id(), error, now + wait); });
}

bool Dispatcher::IsHopeless(const v1::Notification& row,
                            const absl::Status& failure, absl::Time now) const {
  if (absl::IsInvalidArgument(failure)) return true;
  if (absl::IsPermissionDenied(failure)) {
    return row.attempts() + 1 >= kRefusals;
  }
  return now - wire::ToTime(row.created_at()) >= options_.give_up_after;
}

// Full jitter, as base::Backoff; there is one count of failures a row.
absl::Duration Dispatcher::Jitter(uint32_t failures) {
  const absl::Duration most =
      std::min(options_.longest_wait,
               options_.first_retry * (int64_t{1} << std::min(failures, 30u)));
  base::MutexLock lock(&mutex_);
  return most * std::uniform_real_distribution<double>(0, 1)(random_);
}

void Dispatcher::Record(const v1::Notification& row, absl::string_view what,
                        const std::function<absl::Status()>& write) {
  metrics_.Notifications(row.channel(), what).Increment();
  Lane* lane = FindLane(row.channel());
  while (true) {
    const absl::Status written = write();
    if (written.ok() || absl::IsNotFound(written)) return;
    base::Log(base::LogLevel::kError, "cannot write to the outbox",
              {{"notification", row.id()}, {"reason", base::ToLine(written)}});
    if (lane == nullptr || stopping_) return;
    lane->alarm.WaitFor(kStoreRetry);
  }
}

}  // namespace forewarn::notify
