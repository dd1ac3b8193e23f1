#include "tests/faults/oracle.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/history/rocks_store.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_desk_store.h"
#include "collector/store/sqlite_endpoint_store.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"
#include "tests/faults/ledger.h"

namespace forewarn::faults {
namespace {

// The number of a case by its attribute; -1 for another series.
int CaseOf(const v1::Symptom& symptom) {
  for (const v1::Attribute& attribute : symptom.attributes()) {
    absl::string_view value = attribute.value();
    int number = 0;
    if (attribute.key() == "system.filesystem.mountpoint" &&
        absl::ConsumePrefix(&value, "/case-") &&
        absl::SimpleAtoi(value, &number)) {
      return number;
    }
  }
  return -1;
}

void JudgeSamples(const std::string& who, const Promises& promises,
                  uint32_t endpoint, history::HistoryStore& history,
                  uint64_t& last_stored, Verdict& verdict) {
  const auto samples =
      history.Query(endpoint, 0, absl::UnixEpoch(), absl::InfiniteFuture());
  if (!samples.ok()) {
    return verdict.Complain("history: ", base::ToLine(samples.status()));
  }
  std::set<uint64_t> stored;
  for (const history::Sample& sample : *samples) {
    const auto number = static_cast<uint64_t>(sample.value);
    const auto made = promises.produced.find(number);
    if (made == promises.produced.end() ||
        made->second != absl::ToUnixMillis(sample.time)) {
      verdict.Complain(who, " never produced ", sample.value, " at ",
                       absl::ToUnixMillis(sample.time));
    }
    if (!stored.insert(number).second) {
      ++verdict.duplicated;
      verdict.Complain(who, ": ", number, " is stored twice");
    }
  }
  for (const auto& [number, word] : promises.required) {
    if (stored.contains(number)) continue;
    ++verdict.lost;
    verdict.Complain(who, ": ", number, " was ",
                     word == 'A' ? "acknowledged" : "synced in the spool",
                     " and is lost");
  }
  verdict.produced += promises.produced.size();
  verdict.acked += promises.required.size();
  verdict.stored += stored.size();
  last_stored = stored.empty() ? 0 : *stored.rbegin();
  if (promises.dropped > 0) {
    verdict.Complain(who, " dropped ", promises.dropped, " samples");
  }
}

// An event a batch: what was taken twice stands twice.
void JudgeEvents(const std::string& who, const Promises& promises,
                 uint32_t endpoint, history::HistoryStore& history,
                 Verdict& verdict) {
  const auto events = history.Events(endpoint, absl::UnixEpoch(),
                                     absl::InfiniteFuture(), 1000000);
  if (!events.ok()) {
    return verdict.Complain("events: ", base::ToLine(events.status()));
  }
  std::map<uint64_t, int> counts;
  for (const v1::Event& event : *events) {
    uint64_t number = 0;
    if (event.name() == "forewarn.event.number" &&
        absl::SimpleAtoi(event.message(), &number)) {
      ++counts[number];
    }
  }
  for (const auto& [number, count] : counts) {
    if (count == 1) continue;
    ++verdict.duplicated;
    verdict.Complain(who, ": the event of ", number, " is there ", count,
                     " times");
  }
  for (const auto& [number, word] : promises.required) {
    if (counts.contains(number)) continue;
    ++verdict.lost;
    verdict.Complain(who, ": the event of ", number, " is lost");
  }
}

struct Desk {
  std::vector<v1::Symptom> symptoms;
  std::map<uint32_t, v1::Ticket> tickets;
  std::vector<v1::Notification> notifications;
};

absl::Status ReadDesk(store::SqliteDeskStore& store, Desk& desk) {
  return store.Read([&](desk::DeskTransaction& rows) -> absl::Status {
    desk::TicketFilter page;
    page.limit = 1000;
    do {
      FOREWARN_ASSIGN_OR_RETURN(const auto tickets,
                                rows.tickets().ListTickets(page));
      page.before_id = tickets.empty() ? 0 : tickets.back().id();
      for (const v1::Ticket& ticket : tickets) {
        desk.tickets[ticket.id()] = ticket;
        FOREWARN_ASSIGN_OR_RETURN(const auto notifications,
                                  rows.outbox().NotificationsOf(ticket.id()));
        desk.notifications.insert(desk.notifications.end(),
                                  notifications.begin(), notifications.end());
      }
    } while (page.before_id > 1);
    desk::SymptomFilter every;
    every.limit = 1000;
    for (size_t before = 1; before != desk.symptoms.size();) {
      before = desk.symptoms.size();
      every.offset = static_cast<uint32_t>(before);
      FOREWARN_ASSIGN_OR_RETURN(const auto symptoms,
                                rows.symptoms().ListSymptoms(every));
      desk.symptoms.insert(desk.symptoms.end(), symptoms.begin(),
                           symptoms.end());
    }
    return absl::OkStatus();
  });
}

// Each case that was reached is in one ticket, and in one only.
void JudgeTickets(Stage& stage, const std::vector<uint64_t>& reached,
                  const Desk& desk, Verdict& verdict) {
  std::map<std::pair<std::string, int>, std::set<uint32_t>> tickets_of;
  std::set<uint32_t> ours;
  for (const v1::Symptom& symptom : desk.symptoms) {
    const int number = CaseOf(symptom);
    if (symptom.rule() != "numbered_case" || number < 0) continue;
    tickets_of[{symptom.endpoint_id(), number}].insert(symptom.ticket());
    ours.insert(symptom.ticket());
  }
  for (int agent = 0; agent < stage.options().agents; ++agent) {
    for (uint32_t i = 0; i < stage.options().cases; ++i) {
      if (reached[agent] < stage.NumberOfCase(i)) break;
      const auto found =
          tickets_of.find({stage.endpoint_id(agent), static_cast<int>(i)});
      if (found == tickets_of.end() || found->second.contains(0) ||
          !desk.tickets.contains(*found->second.begin())) {
        ++verdict.tickets_lost;
        verdict.Complain("case ", i, " of agent ", agent, " has no ticket");
      } else if (found->second.size() > 1) {
        ++verdict.tickets_doubled;
        verdict.Complain("case ", i, " of agent ", agent, " has ",
                         found->second.size(), " tickets");
      }
    }
  }
  verdict.tickets = desk.tickets.size();
  for (const auto& [id, ticket] : desk.tickets) {
    if (ours.contains(id) || ticket.endpoint_id() == stage.rogue_id()) continue;
    verdict.Complain("ticket ", id, " stands for nothing that happened: ",
                     ticket.title().key());
  }
}

// How long after a case was reached its ticket was there, though a backlog
// was under way (P12: within a minute).
void JudgeFreshness(Stage& stage, const std::vector<Promises>& promises,
                    const Desk& desk, Verdict& verdict) {
  constexpr int64_t kMostMs = 60000;
  std::vector<int64_t> delays;
  for (const v1::Symptom& symptom : desk.symptoms) {
    const int number = CaseOf(symptom);
    const auto ticket = desk.tickets.find(symptom.ticket());
    if (number < 0 || ticket == desk.tickets.end()) continue;
    for (int agent = 0; agent < stage.options().agents; ++agent) {
      if (stage.endpoint_id(agent) != symptom.endpoint_id()) continue;
      const auto& produced = promises[agent].produced;
      const auto reached =
          produced.find(stage.NumberOfCase(static_cast<uint32_t>(number)));
      if (reached == produced.end()) continue;
      delays.push_back(
          absl::ToUnixMillis(wire::ToTime(ticket->second.opened_at())) -
          reached->second);
    }
  }
  if (delays.empty()) return verdict.Complain("no case was reached");
  std::sort(delays.begin(), delays.end());
  const int64_t late = delays[delays.size() * 99 / 100];
  verdict.faults["ticket_delay_p99_ms"] = static_cast<uint64_t>(late);
  if (late > kMostMs) {
    verdict.Complain("with a backlog under way a ticket takes ", late, " ms");
  }
}

// When the ticket of a CloudEvent was opened, as JSON has it; empty when the
// body is none.
std::string OpenedAt(const std::string& body) {
  google::protobuf::Struct event;
  if (!google::protobuf::util::JsonStringToMessage(body, &event).ok()) {
    return "";
  }
  const auto& data = event.fields().at("data").struct_value().fields();
  const auto ticket = data.find("ticket");
  if (ticket == data.end()) return "";
  const auto& fields = ticket->second.struct_value().fields();
  for (const char* name : {"opened_at", "openedAt"}) {
    if (const auto it = fields.find(name); it != fields.end()) {
      return it->second.string_value();
    }
  }
  return "";
}

// Every row of the outbox went out under its key, and nothing that the desk
// does not know.
void JudgeNotifications(Stage& stage, const Desk& desk, Verdict& verdict) {
  std::map<std::string, std::string> told;  // key to the ticket's beginning
  for (const testing::HttpRequest& request : stage.accepted()) {
    const auto key = request.headers.find("webhook-id");
    if (key == request.headers.end()) {
      verdict.Complain("a webhook without a key");
      continue;
    }
    const std::string opened = OpenedAt(request.body);
    const auto [it, first] = told.emplace(key->second, opened);
    if (!first && it->second != opened) {
      verdict.Complain("key ", key->second, " told of two tickets");
    }
  }
  std::set<std::string> known;
  for (const v1::Notification& notification : desk.notifications) {
    const std::string& key = notification.idempotency_key();
    known.insert(key);
    ++verdict.notifications;
    const auto it = told.find(key);
    if (it == told.end()) {
      // What was refused and waits for its next attempt is not lost.
      if (!notification.has_delivered_at() && !notification.has_given_up_at()) {
        ++verdict.faults["notifications_waiting"];
        continue;
      }
      ++verdict.notifications_lost;
      verdict.Complain("notification ", key,
                       " never arrived: ", notification.last_error());
      continue;
    }
    const v1::Ticket& ticket = desk.tickets.at(notification.ticket());
    std::string opened;
    if (!google::protobuf::util::MessageToJsonString(ticket.opened_at(),
                                                     &opened)
             .ok() ||
        opened != absl::StrCat("\"", it->second, "\"")) {
      verdict.Complain("the page ", key, " told of a ticket of ", it->second,
                       ", the desk knows one of ", opened);
    }
  }
  for (const auto& [key, opened] : told) {
    if (!known.contains(key)) {
      verdict.Complain("the page ", key, " tells of what the desk has not");
    }
  }
}

}  // namespace

void Judge(Stage& stage, Verdict& verdict) {
  auto history = history::RocksStore::Open(
      {.directory = stage.collector_state() + "/history"});
  auto database =
      store::SqliteDatabase::Open(stage.collector_state() + "/desk.db");
  if (!history.ok() || !database.ok()) {
    return verdict.Complain(
        "cannot open what is left: ", base::ToLine(history.status()), " ",
        base::ToLine(database.status()));
  }
  if (!(*history)->set_aside().empty()) {
    verdict.Complain("the history was set aside as damaged");
  }
  store::SqliteEndpointStore endpoint_store(**database);
  fleet::EndpointRegistry registry(endpoint_store);
  if (const absl::Status loaded = registry.Load(); !loaded.ok()) {
    return verdict.Complain("endpoints: ", base::ToLine(loaded));
  }
  std::vector<uint64_t> reached;
  std::vector<Promises> all_promises;
  for (int i = 0; i < stage.options().agents; ++i) {
    const auto endpoint = registry.Find(stage.endpoint_id(i));
    if (!endpoint.has_value()) {
      return verdict.Complain("endpoint ", stage.endpoint_id(i), " is gone");
    }
    const std::string who = absl::StrCat("agent ", i);
    const Promises& promises =
        all_promises.emplace_back(ReadLedger(stage.ledger(i)));
    JudgeSamples(who, promises, endpoint->number(), **history,
                 reached.emplace_back(), verdict);
    JudgeEvents(who, promises, endpoint->number(), **history, verdict);
  }
  store::SqliteDeskStore store(**database);
  Desk desk;
  if (const absl::Status read = ReadDesk(store, desk); !read.ok()) {
    return verdict.Complain("desk: ", base::ToLine(read));
  }
  JudgeTickets(stage, reached, desk, verdict);
  if (stage.options().backlog > 0) {
    JudgeFreshness(stage, all_promises, desk, verdict);
  }
  JudgeNotifications(stage, desk, verdict);
}

}  // namespace forewarn::faults
