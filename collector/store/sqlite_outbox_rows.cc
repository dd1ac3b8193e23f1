#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "collector/store/sqlite_desk_rows.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::store {
namespace {

using ::forewarn::wire::ToStamp;
using ::forewarn::wire::ToTime;

// What a receiver answered: it decides how long and how odd that is, we what
// we keep.
std::string Tidy(absl::string_view error) {
  constexpr size_t kMostBytes = 1024;
  std::string text(error.substr(0, kMostBytes));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

constexpr absl::string_view kColumns =
    "id, ticket, channel, idempotency_key, event, created_at, "
    "next_attempt_at, done_at, given_up, attempts, last_error";

absl::StatusOr<std::vector<v1::Notification>> ReadNotifications(
    Statement& select) {
  std::vector<v1::Notification> notifications;
  while (true) {
    FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return notifications;
    v1::Notification& found = notifications.emplace_back();
    found.set_id(static_cast<uint32_t>(select.Int(0)));
    found.set_ticket(static_cast<uint32_t>(select.Int(1)));
    found.set_channel(select.Text(2));
    found.set_idempotency_key(select.Text(3));
    found.set_event(select.Text(4));
    *found.mutable_created_at() = ToStamp(select.Time(5));
    if (select.IsNull(7)) {
      *found.mutable_next_attempt_at() = ToStamp(select.Time(6));
    } else if (select.Int(8) != 0) {
      *found.mutable_given_up_at() = ToStamp(select.Time(7));
    } else {
      *found.mutable_delivered_at() = ToStamp(select.Time(7));
    }
    found.set_attempts(static_cast<uint32_t>(select.Int(9)));
    found.set_last_error(select.Text(10));
  }
}

// Waiting rows that no older one of their ticket and channel holds back.
constexpr absl::string_view kHeads =
    "done_at IS NULL AND NOT EXISTS (SELECT 1 FROM outbox older WHERE "
    "older.done_at IS NULL AND older.ticket = o.ticket AND "
    "older.channel = o.channel AND older.id < o.id)";

absl::Status RunOnOne(Statement& update, uint32_t id) {
  FOREWARN_ASSIGN_OR_RETURN(const bool row, update.Step());
  if (row) return update.Run();
  return absl::NotFoundError(
      absl::StrCat("no notification ", id, " is waiting"));
}

}  // namespace

absl::Status SqliteOutboxRows::Enqueue(v1::Notification& notification) {
  Statement insert = database_.Prepare(
      "INSERT INTO outbox (ticket, channel, idempotency_key, event, "
      "created_at, next_attempt_at) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (channel, idempotency_key) DO NOTHING RETURNING id");
  insert.Bind(1, int64_t{notification.ticket()})
      .Bind(2, notification.channel())
      .Bind(3, notification.idempotency_key())
      .Bind(4, notification.event())
      .BindTime(5, ToTime(notification.created_at()))
      .BindTime(6, ToTime(notification.next_attempt_at()));
  FOREWARN_ASSIGN_OR_RETURN(const bool row, insert.Step());
  if (!row) return absl::OkStatus();
  notification.set_id(static_cast<uint32_t>(insert.Int(0)));
  enqueued_ = true;
  return insert.Run();
}

absl::Status SqliteOutboxRows::Withdraw(uint32_t ticket) {
  Statement erase = database_.Prepare(
      "DELETE FROM outbox WHERE ticket = ? AND done_at IS NULL AND "
      "attempts = 0");
  return erase.Bind(1, int64_t{ticket}).Run();
}

absl::StatusOr<std::vector<v1::Notification>> SqliteOutboxRows::NotificationsOf(
    uint32_t ticket) {
  Statement select = database_.Prepare(
      absl::StrCat("SELECT * FROM (SELECT ", kColumns,
                   " FROM outbox WHERE ticket = ? ORDER BY id DESC LIMIT 200) "
                   "ORDER BY id"));
  select.Bind(1, int64_t{ticket});
  return ReadNotifications(select);
}

absl::StatusOr<std::vector<v1::Notification>> SqliteOutboxRows::Due(
    absl::Time now, int limit) {
  Statement select = database_.Prepare(
      absl::StrCat("SELECT ", kColumns, " FROM outbox o WHERE ", kHeads,
                   " AND next_attempt_at <= ? ORDER BY id LIMIT ?"));
  select.Bind(1, absl::ToUnixMicros(now)).Bind(2, int64_t{limit});
  return ReadNotifications(select);
}

absl::StatusOr<absl::Time> SqliteOutboxRows::NextDue() {
  Statement select = database_.Prepare(
      absl::StrCat("SELECT min(next_attempt_at) FROM outbox o WHERE ", kHeads));
  FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row || select.IsNull(0)) return absl::InfiniteFuture();
  return select.Time(0);
}

absl::Status SqliteOutboxRows::Failed(uint32_t id, const std::string& error,
                                      absl::Time next_attempt) {
  Statement update = database_.Prepare(
      "UPDATE outbox SET attempts = attempts + 1, last_error = ?, "
      "next_attempt_at = ? WHERE id = ? AND done_at IS NULL RETURNING id");
  update.Bind(1, Tidy(error))
      .Bind(2, absl::ToUnixMicros(next_attempt))
      .Bind(3, int64_t{id});
  return RunOnOne(update, id);
}

absl::Status SqliteOutboxRows::Finished(uint32_t id, bool given_up,
                                        const std::string& error,
                                        absl::Time now) {
  Statement update = database_.Prepare(
      "UPDATE outbox SET attempts = attempts + 1, last_error = ?, "
      "done_at = ?, given_up = ? WHERE id = ? AND done_at IS NULL "
      "RETURNING id");
  update.Bind(1, Tidy(error))
      .BindTime(2, now)
      .Bind(3, int64_t{given_up})
      .Bind(4, int64_t{id});
  return RunOnOne(update, id);
}

absl::Status SqliteOutboxRows::Prune(absl::Time before) {
  Statement erase = database_.Prepare(
      "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE "
      "done_at < ? LIMIT 100)");
  return erase.BindTime(1, before).Run();
}

}  // namespace forewarn::store
