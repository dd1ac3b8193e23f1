#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_FAKE_OUTBOX_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_FAKE_OUTBOX_H_

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "collector/desk/outbox.h"
#include "protos/base/mutex.h"
#include "protos/wire/proto_time.h"

namespace forewarn::notify {

// An outbox in memory, with waiting for what a test expects. Thread-safe.
class FakeOutbox final : public desk::Outbox {
 public:
  void Add(v1::Notification row) {
    {
      base::MutexLock lock(&mutex_);
      rows_[row.id()] = std::move(row);
    }
    Wake();
  }
  // As after a commit, or when a test moved the clock.
  void Wake() {
    std::function<void()> listener;
    {
      base::MutexLock lock(&mutex_);
      listener = listener_;
    }
    if (listener) listener();
  }
  void FailNextWrites(int count) {
    base::MutexLock lock(&mutex_);
    failing_writes_ = count;
  }
  v1::Notification row(uint32_t id) {
    base::MutexLock lock(&mutex_);
    return rows_[id];
  }
  // False after ten seconds without.
  bool WaitUntil(uint32_t id,
                 absl::FunctionRef<bool(const v1::Notification&)> condition) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    base::MutexLock lock(&mutex_);
    while (!condition(rows_[id])) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      changed_.WaitFor(&mutex_, left);
    }
    return true;
  }
  bool WaitUntilDelivered(uint32_t id) {
    return WaitUntil(id,
                     [](const auto& row) { return row.has_delivered_at(); });
  }
  bool WaitUntilGivenUp(uint32_t id) {
    return WaitUntil(id, [](const auto& row) { return row.has_given_up_at(); });
  }
  bool WaitUntilTried(uint32_t id, uint32_t attempts) {
    return WaitUntil(
        id, [&](const auto& row) { return row.attempts() >= attempts; });
  }

  absl::StatusOr<std::vector<v1::Notification>> Due(absl::Time now,
                                                    int limit) override {
    base::MutexLock lock(&mutex_);
    std::vector<v1::Notification> due;
    std::set<std::pair<uint32_t, std::string>> seen;
    for (const auto& [id, row] : rows_) {
      if (IsDone(row) || !seen.insert({row.ticket(), row.channel()}).second) {
        continue;
      }
      if (wire::ToTime(row.next_attempt_at()) > now) continue;
      if (static_cast<int>(due.size()) < limit) due.push_back(row);
    }
    return due;
  }
  absl::StatusOr<absl::Time> NextDue() override {
    base::MutexLock lock(&mutex_);
    absl::Time next = absl::InfiniteFuture();
    for (const auto& [id, row] : rows_) {
      if (!IsDone(row)) {
        next = std::min(next, wire::ToTime(row.next_attempt_at()));
      }
    }
    return next;
  }
  absl::Status MarkDelivered(uint32_t id, absl::Time now) override {
    return Write(id, [&](v1::Notification& row) {
      row.mutable_delivered_at()->set_seconds(absl::ToUnixSeconds(now));
    });
  }
  absl::Status MarkFailed(uint32_t id, const std::string& error,
                          absl::Time next_attempt) override {
    return Write(id, [&](v1::Notification& row) {
      row.set_last_error(error);
      row.set_attempts(row.attempts() + 1);
      const absl::Duration since = next_attempt - absl::UnixEpoch();
      row.mutable_next_attempt_at()->set_seconds(absl::ToInt64Seconds(since));
      row.mutable_next_attempt_at()->set_nanos(static_cast<int32_t>(
          absl::ToInt64Nanoseconds(since) % 1'000'000'000));
    });
  }
  absl::Status GiveUp(uint32_t id, const std::string& error,
                      absl::Time now) override {
    return Write(id, [&](v1::Notification& row) {
      row.set_last_error(error);
      row.set_attempts(row.attempts() + 1);
      row.mutable_given_up_at()->set_seconds(absl::ToUnixSeconds(now));
    });
  }
  void SetListener(std::function<void()> listener) override {
    base::MutexLock lock(&mutex_);
    listener_ = std::move(listener);
  }

 private:
  static bool IsDone(const v1::Notification& row) {
    return row.has_delivered_at() || row.has_given_up_at();
  }
  absl::Status Write(uint32_t id,
                     absl::FunctionRef<void(v1::Notification&)> change) {
    base::MutexLock lock(&mutex_);
    if (failing_writes_ > 0) {
      --failing_writes_;
      return absl::UnavailableError("database is busy");
    }
    if (rows_.count(id) == 0) return absl::NotFoundError("no such row");
    change(rows_[id]);
    changed_.NotifyAll();
    return absl::OkStatus();
  }

  base::Mutex mutex_;
  base::CondVar changed_;
  std::map<uint32_t, v1::Notification> rows_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> listener_ ABSL_GUARDED_BY(mutex_);
  int failing_writes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace forewarn::notify

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_FAKE_OUTBOX_H_
