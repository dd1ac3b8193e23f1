// What every DeskStore, with its IncidentStore and its Outbox, must do. One
// line at the end for each implementation.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/correlate/incident.h"
#include "collector/desk/desk_store.h"
#include "collector/desk/outbox.h"
#include "collector/store/sqlite_desk_store.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::desk {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::SymptomMaker;
using ::forewarn::wire::ToStamp;
using ::forewarn::wire::ToTime;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual DeskStore& desk() = 0;
  virtual correlate::IncidentStore& incidents() = 0;
  virtual Outbox& outbox() = 0;
  // As a new process finds it.
  virtual void Restart() = 0;
};

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest() { Restart(); }
  DeskStore& desk() override { return *store_; }
  correlate::IncidentStore& incidents() override { return *store_; }
  Outbox& outbox() override { return *store_; }
  void Restart() override {
    store_.reset();
    database_.reset();
    auto opened = store::SqliteDatabase::Open(folder_ / "desk.db");
    ASSERT_THAT(opened, IsOk());
    database_ = *std::move(opened);
    store_ = std::make_unique<store::SqliteDeskStore>(*database_);
  }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<store::SqliteDatabase> database_;
  std::unique_ptr<store::SqliteDeskStore> store_;
};

using Factory = std::function<std::unique_ptr<StoreUnderTest>()>;

class DeskStoreConformanceTest : public ::testing::TestWithParam<Factory> {
 protected:
  void SetUp() override { store_ = GetParam()(); }

  absl::Status Change(absl::FunctionRef<absl::Status(DeskTransaction&)> body) {
    return store_->desk().Transaction(body);
  }
  // An incident with its ticket.
  v1::Ticket AddTicket(const std::string& endpoint = "a",
                       v1::TicketState state = v1::NEW,
                       const std::string& assignee = "") {
    v1::Ticket ticket;
    EXPECT_THAT(Change([&](DeskTransaction& rows) {
                  v1::Incident incident;
                  incident.set_endpoint_id(endpoint);
                  FOREWARN_EXPECT_OK(rows.incidents().InsertIncident(incident));
                  ticket.set_incident(incident.id());
                  ticket.set_endpoint_id(endpoint);
                  ticket.set_state(state);
                  ticket.set_assignee(assignee);
                  FOREWARN_EXPECT_OK(rows.tickets().InsertTicket(ticket));
                  incident.set_ticket(ticket.id());
                  return rows.incidents().UpdateIncident(incident);
                }),
                IsOk());
    return ticket;
  }
  absl::Status Save(v1::Symptom symptom, uint32_t incident) {
    symptom.set_incident(incident);
    return Change([&](DeskTransaction& rows) {
      return rows.symptoms().SaveSymptom(symptom);
    });
  }
  void CloseIncident(uint32_t id, absl::Time at) {
    FOREWARN_ASSERT_OK(Change([&](DeskTransaction& rows) {
      auto incident = rows.incidents().FindIncident(id);
      FOREWARN_EXPECT_OK(incident);
      *incident->mutable_closed_at() = ToStamp(at);
      return rows.incidents().UpdateIncident(*incident);
    }));
  }
  std::vector<uint32_t> List(const TicketFilter& filter) {
    std::vector<uint32_t> ids;
    EXPECT_THAT(store_->desk().Read([&](DeskTransaction& rows) {
      auto tickets = rows.tickets().ListTickets(filter);
      for (const v1::Ticket& ticket : *tickets) ids.push_back(ticket.id());
      return tickets.status();
    }),
                IsOk());
    return ids;
  }
  absl::StatusOr<uint32_t> Enqueue(uint32_t ticket, const std::string& channel,
                                   const std::string& key,
                                   absl::Time at = kNoon) {
    v1::Notification notification;
    notification.set_ticket(ticket);
    notification.set_channel(channel);
    notification.set_event("opened");
    notification.set_idempotency_key(key);
    *notification.mutable_created_at() = ToStamp(at);
    *notification.mutable_next_attempt_at() = ToStamp(at);
    const absl::Status status = Change([&](DeskTransaction& rows) {
      return rows.outbox().Enqueue(notification);
    });
    if (!status.ok()) return status;
    return notification.id();
  }
  std::vector<std::string> Due(absl::Time now) {
    std::vector<std::string> keys;
    const auto due = store_->outbox().Due(now, 100);
    EXPECT_THAT(due, IsOk());
    for (const v1::Notification& one : *due) {
      keys.push_back(one.idempotency_key());
    }
    return keys;
  }

  std::unique_ptr<StoreUnderTest> store_;
};

TEST_P(DeskStoreConformanceTest, TicketNumbersGrowAndAreNeverGivenTwice) {
  EXPECT_EQ(AddTicket().id(), 1u);
  EXPECT_EQ(AddTicket().id(), 2u);
  store_->Restart();
  EXPECT_EQ(AddTicket().id(), 3u);
}

TEST_P(DeskStoreConformanceTest, AllOrNothing) {
  EXPECT_THAT(Change([](DeskTransaction& rows) {
                v1::Incident incident;
                FOREWARN_EXPECT_OK(rows.incidents().InsertIncident(incident));
                v1::Ticket ticket;
                ticket.set_incident(incident.id());
                FOREWARN_EXPECT_OK(rows.tickets().InsertTicket(ticket));
                return absl::AbortedError("killed here");
              }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(List({}), IsEmpty());
  EXPECT_THAT(*store_->incidents().OpenIncidents(), IsEmpty());
}

TEST_P(DeskStoreConformanceTest, AnIncidentHasOneTicket) {
  const v1::Ticket first = AddTicket();
  EXPECT_THAT(Change([&](DeskTransaction& rows) {
                v1::Ticket second;
                second.set_incident(first.incident());
                return rows.tickets().InsertTicket(second);
              }),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(DeskStoreConformanceTest, WhatIsNotThereIsNotFound) {
  EXPECT_THAT(Change([](DeskTransaction& rows) {
                return rows.tickets().FindTicket(9).status();
              }),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Change([](DeskTransaction& rows) {
                v1::Ticket ticket;
                ticket.set_id(9);
                return rows.tickets().UpdateTicket(ticket);
              }),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Change([](DeskTransaction& rows) {
                v1::Incident incident;
                incident.set_id(9);
                return rows.incidents().UpdateIncident(incident);
              }),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(DeskStoreConformanceTest, ListsTicketsNewestFirstByEachFilter) {
  AddTicket("a", v1::NEW, "kari");
  AddTicket("b", v1::RESOLVED, "kari");
  AddTicket("a", v1::RESOLVED, "ola");
  EXPECT_THAT(List({}), ElementsAre(3, 2, 1));
  EXPECT_THAT(List({.states = {v1::RESOLVED}}), ElementsAre(3, 2));
  EXPECT_THAT(List({.states = {v1::NEW, v1::RESOLVED}, .endpoint_id = "a"}),
              ElementsAre(3, 1));
  EXPECT_THAT(List({.assignee = "kari"}), ElementsAre(2, 1));
  EXPECT_THAT(List({.before_id = 3, .limit = 1}), ElementsAre(2));
}

TEST_P(DeskStoreConformanceTest, CountsOpenTicketsByEndpoint) {
  AddTicket("a");
  AddTicket("b", v1::WAITING);
  AddTicket("b");
  AddTicket("a", v1::CLOSED);
  FOREWARN_EXPECT_OK(store_->desk().Read([](DeskTransaction& rows) {
    const auto counts = rows.tickets().CountOpenTickets();
    using Count = std::pair<std::string, uint32_t>;
    EXPECT_THAT(counts,
                IsOkAndHolds(ElementsAre(Count("a", 1), Count("b", 2))));
    return absl::OkStatus();
  }));
}

TEST_P(DeskStoreConformanceTest, HistoryComesOldestFirstAndNewestIsKept) {
  const uint32_t ticket = AddTicket().id();
  FOREWARN_ASSERT_OK(Change([&](DeskTransaction& rows) {
    for (int i = 0; i < 5; ++i) {
      v1::TicketEvent event;
      event.set_ticket(ticket);
      event.set_verb(absl::StrCat("v", i));
      *event.mutable_time() = ToStamp(kNoon + absl::Minutes(i));
      FOREWARN_EXPECT_OK(rows.tickets().AppendEvent(event));
    }
    return absl::OkStatus();
  }));
  const auto verbs = [&](absl::Time since, uint32_t limit) {
    std::vector<std::string> found;
    EXPECT_THAT(store_->desk().Read([&](DeskTransaction& rows) {
      const auto events = rows.tickets().EventsOf(ticket, since, limit);
      for (const v1::TicketEvent& event : *events) {
        found.push_back(event.verb());
      }
      return events.status();
    }),
                IsOk());
    return found;
  };
  EXPECT_THAT(verbs(absl::InfinitePast(), 100),
              ElementsAre("v0", "v1", "v2", "v3", "v4"));
  EXPECT_THAT(verbs(absl::InfinitePast(), 2), ElementsAre("v3", "v4"));
  EXPECT_THAT(verbs(kNoon + absl::Minutes(4), 100), ElementsAre("v4"));
}

TEST_P(DeskStoreConformanceTest, AReplayedSymptomMeetsItsOwnRow) {
  const uint32_t incident = AddTicket().incident();
  FOREWARN_ASSERT_OK(Save(SymptomMaker{}.Make(), incident));
  FOREWARN_ASSERT_OK(Save(SymptomMaker{.priority = v1::P1}.Make(), incident));
  const auto symptoms = store_->incidents().OpenSymptoms();
  FOREWARN_ASSERT_OK(symptoms);
  ASSERT_EQ(symptoms->size(), 1u);
  EXPECT_EQ((*symptoms)[0].priority(), v1::P1);
}

TEST_P(DeskStoreConformanceTest, OfAFingerprintOneStandsAtATime) {
  const uint32_t incident = AddTicket().incident();
  FOREWARN_ASSERT_OK(Save(SymptomMaker{}.Make(), incident));
  EXPECT_THAT(
      Save(SymptomMaker{.opened = kNoon + absl::Minutes(1)}.Make(), incident),
      StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(DeskStoreConformanceTest, AFingerprintIsHeldByOneIncident) {
  const uint32_t first = AddTicket().incident();
  const uint32_t second = AddTicket().incident();
  v1::Symptom cleared = SymptomMaker{}.Make();
  *cleared.mutable_cleared_at() = ToStamp(kNoon);
  FOREWARN_ASSERT_OK(Save(cleared, first));
  const v1::Symptom later =
      SymptomMaker{.opened = kNoon + absl::Minutes(1)}.Make();
  EXPECT_THAT(Save(later, second), StatusIs(absl::StatusCode::kAlreadyExists));
  FOREWARN_ASSERT_OK(Change([&](DeskTransaction& rows) {
    return rows.incidents().ReleaseFingerprints(first);
  }));
  FOREWARN_ASSERT_OK(Save(later, second));
  EXPECT_THAT(Change([&](DeskTransaction& rows) {
                EXPECT_THAT(rows.incidents().HolderOf(later.fingerprint()),
                            IsOkAndHolds(std::optional<uint32_t>(second)));
                return rows.incidents().ClaimFingerprints(first);
              }),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(DeskStoreConformanceTest, InfoHoldsNothing) {
  const uint32_t incident = AddTicket().incident();
  const v1::Symptom info = SymptomMaker{.priority = v1::INFO}.Make();
  FOREWARN_ASSERT_OK(Save(info, incident));
  EXPECT_THAT(store_->incidents().LastIncidentOf(info.fingerprint(),
                                                 absl::InfinitePast()),
              IsOkAndHolds(::testing::Eq(std::nullopt)));
}

TEST_P(DeskStoreConformanceTest, TheLastIncidentIsFoundWhileHeldOrRecent) {
  const uint32_t incident = AddTicket().incident();
  const v1::Symptom disk = SymptomMaker{}.Make();
  FOREWARN_ASSERT_OK(Save(disk, incident));
  CloseIncident(incident, kNoon);
  const auto last = [&](absl::Time since) {
    const auto found =
        store_->incidents().LastIncidentOf(disk.fingerprint(), since);
    EXPECT_THAT(found, IsOk());
    return found->has_value() ? (*found)->id() : 0;
  };
  EXPECT_EQ(last(absl::InfiniteFuture()), incident) << "its ticket is open";
  FOREWARN_ASSERT_OK(Change([&](DeskTransaction& rows) {
    return rows.incidents().ReleaseFingerprints(incident);
  }));
  EXPECT_EQ(last(kNoon), incident);
  EXPECT_EQ(last(kNoon + absl::Seconds(1)), 0u);
  EXPECT_EQ(last(absl::InfinitePast()), incident);
}

TEST_P(DeskStoreConformanceTest, AnIncidentShowsTheLatestOfAFingerprint) {
  const uint32_t incident = AddTicket().incident();
  v1::Symptom first = SymptomMaker{}.Make();
  *first.mutable_cleared_at() = ToStamp(kNoon);
  FOREWARN_ASSERT_OK(Save(first, incident));
  FOREWARN_ASSERT_OK(
      Save(SymptomMaker{.opened = kNoon + absl::Minutes(1)}.Make(), incident));
  FOREWARN_ASSERT_OK(Save(SymptomMaker{.instance = "/var"}.Make(), incident));
  const auto symptoms = store_->incidents().SymptomsOf(incident);
  FOREWARN_ASSERT_OK(symptoms);
  ASSERT_EQ(symptoms->size(), 2u);
  EXPECT_EQ(ToTime((*symptoms)[1].opened_at()), kNoon + absl::Minutes(1));
}

TEST_P(DeskStoreConformanceTest, TheLatestSpellIsFoundInAnyIncidentOrNone) {
  v1::Symptom first = SymptomMaker{}.Make();
  *first.mutable_cleared_at() = ToStamp(kNoon);
  FOREWARN_ASSERT_OK(Save(first, AddTicket().incident()));
  const v1::Symptom note =
      SymptomMaker{.priority = v1::INFO, .opened = kNoon + absl::Minutes(1)}
          .Make();
  FOREWARN_ASSERT_OK(Save(note, 0));
  const auto latest = store_->incidents().LatestSymptomOf(first.fingerprint());
  FOREWARN_ASSERT_OK(latest);
  ASSERT_TRUE(latest->has_value());
  EXPECT_EQ((*latest)->priority(), v1::INFO);
  EXPECT_THAT(store_->incidents().LatestSymptomOf("unheard of"),
              IsOkAndHolds(::testing::Eq(std::nullopt)));
}

TEST_P(DeskStoreConformanceTest, ListsSymptomsNewestFirstByEachFilter) {
  v1::Symptom cleared = SymptomMaker{}.Make();
  *cleared.mutable_cleared_at() = ToStamp(kNoon);
  FOREWARN_ASSERT_OK(Save(cleared, 0));
  FOREWARN_ASSERT_OK(Save(
      SymptomMaker{.rule = "mem", .opened = kNoon + absl::Minutes(1)}.Make(),
      0));
  FOREWARN_ASSERT_OK(Save(
      SymptomMaker{.endpoint = "b", .opened = kNoon + absl::Minutes(2)}.Make(),
      0));
  const auto list = [&](const SymptomFilter& filter) {
    std::vector<std::string> found;
    EXPECT_THAT(store_->desk().Read([&](DeskTransaction& rows) {
      const auto symptoms = rows.symptoms().ListSymptoms(filter);
      for (const v1::Symptom& symptom : *symptoms) {
        found.push_back(symptom.fingerprint());
      }
      return symptoms.status();
    }),
                IsOk());
    return found;
  };
  EXPECT_THAT(list({}), ElementsAre("b/disk_used", "endpoint-a/mem",
                                    "endpoint-a/disk_used"));
  EXPECT_THAT(list({.open_only = true, .endpoint_id = "endpoint-a"}),
              ElementsAre("endpoint-a/mem"));
  EXPECT_THAT(list({.rule = "disk_used", .offset = 1}),
              ElementsAre("endpoint-a/disk_used"));
  EXPECT_THAT(list({.limit = 1}), ElementsAre("b/disk_used"));
}

TEST_P(DeskStoreConformanceTest, OpenIncidentsAndSymptomsOutliveARestart) {
  const uint32_t open = AddTicket().incident();
  const uint32_t closed = AddTicket("b").incident();
  CloseIncident(closed, kNoon);
  FOREWARN_ASSERT_OK(Save(SymptomMaker{}.Make(), open));
  store_->Restart();
  const auto incidents = store_->incidents().OpenIncidents();
  FOREWARN_ASSERT_OK(incidents);
  ASSERT_EQ(incidents->size(), 1u);
  EXPECT_EQ((*incidents)[0].id(), open);
  EXPECT_EQ((*incidents)[0].ticket(), 1u);
  EXPECT_EQ(store_->incidents().OpenSymptoms()->size(), 1u);
}

TEST_P(DeskStoreConformanceTest, OneNotificationAtATimePerTicketAndChannel) {
  const uint32_t one = AddTicket().id();
  const uint32_t two = AddTicket().id();
  FOREWARN_ASSERT_OK(Enqueue(one, "mail", "1a"));
  FOREWARN_ASSERT_OK(Enqueue(one, "mail", "1b"));
  FOREWARN_ASSERT_OK(Enqueue(one, "hook", "1a"));
  FOREWARN_ASSERT_OK(Enqueue(two, "mail", "2a"));
  EXPECT_THAT(Due(kNoon), ElementsAre("1a", "1a", "2a"));
  FOREWARN_ASSERT_OK(store_->outbox().MarkDelivered(1, kNoon));
  EXPECT_THAT(Due(kNoon), ElementsAre("1b", "1a", "2a"));
}

TEST_P(DeskStoreConformanceTest, AFailedOneHoldsItsOwnOrderOnly) {
  const uint32_t one = AddTicket().id();
  const uint32_t two = AddTicket().id();
  FOREWARN_ASSERT_OK(Enqueue(one, "mail", "1a"));
  FOREWARN_ASSERT_OK(Enqueue(one, "mail", "1b"));
  FOREWARN_ASSERT_OK(Enqueue(two, "mail", "2a"));
  const absl::Time later = kNoon + absl::Minutes(5);
  FOREWARN_ASSERT_OK(store_->outbox().MarkFailed(1, "greylisted\n", later));
  EXPECT_THAT(Due(kNoon), ElementsAre("2a"));
  FOREWARN_ASSERT_OK(store_->outbox().MarkDelivered(3, kNoon));
  EXPECT_THAT(store_->outbox().NextDue(), IsOkAndHolds(later));
  const auto due = store_->outbox().Due(later, 100);
  FOREWARN_ASSERT_OK(due);
  ASSERT_EQ(due->size(), 1u);
  EXPECT_EQ((*due)[0].attempts(), 1u);
  EXPECT_EQ((*due)[0].last_error(), "greylisted?");
  FOREWARN_ASSERT_OK(store_->outbox().GiveUp(1, "no such user", later));
  EXPECT_THAT(Due(later), ElementsAre("1b"));
}

TEST_P(DeskStoreConformanceTest, NothingIsDueWhenNothingWaits) {
  EXPECT_THAT(store_->outbox().NextDue(), IsOkAndHolds(absl::InfiniteFuture()));
  EXPECT_THAT(Due(absl::FromUnixSeconds(4'000'000'000)), IsEmpty());
}

TEST_P(DeskStoreConformanceTest, AKeyIsKeptOnceAChannel) {
  const uint32_t ticket = AddTicket().id();
  EXPECT_THAT(Enqueue(ticket, "mail", "k"), IsOkAndHolds(1u));
  EXPECT_THAT(Enqueue(ticket, "mail", "k"), IsOkAndHolds(0u));
  EXPECT_THAT(Due(kNoon), ElementsAre("k"));
}

TEST_P(DeskStoreConformanceTest, WhatIsDoneIsDoneOnce) {
  const uint32_t ticket = AddTicket().id();
  FOREWARN_ASSERT_OK(Enqueue(ticket, "mail", "k"));
  FOREWARN_ASSERT_OK(store_->outbox().MarkDelivered(1, kNoon));
  EXPECT_THAT(store_->outbox().MarkDelivered(1, kNoon),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->outbox().MarkFailed(1, "", kNoon),
              StatusIs(absl::StatusCode::kNotFound));
  store_->Restart();
  EXPECT_THAT(Due(kNoon), IsEmpty());
}

TEST_P(DeskStoreConformanceTest, DoneNotificationsAreKeptThirtyDays) {
  const uint32_t ticket = AddTicket().id();
  FOREWARN_ASSERT_OK(Enqueue(ticket, "mail", "old"));
  FOREWARN_ASSERT_OK(Enqueue(ticket, "mail", "new"));
  FOREWARN_ASSERT_OK(store_->outbox().MarkDelivered(1, kNoon));
  const auto kept = [&] {
    size_t count = 0;
    EXPECT_THAT(store_->desk().Read([&](DeskTransaction& rows) {
      const auto all = rows.outbox().NotificationsOf(ticket);
      count = all->size();
      return all.status();
    }),
                IsOk());
    return count;
  };
  EXPECT_EQ(kept(), 2u);
  FOREWARN_ASSERT_OK(
      store_->outbox().MarkDelivered(2, kNoon + absl::Hours(24 * 31)));
  EXPECT_EQ(kept(), 1u);
}

TEST_P(DeskStoreConformanceTest, TheListenerHearsOfCommittedRowsOnly) {
  int heard = 0;
  store_->outbox().SetListener([&] { ++heard; });
  const uint32_t ticket = AddTicket().id();
  EXPECT_EQ(heard, 0);
  FOREWARN_ASSERT_OK(Enqueue(ticket, "mail", "k"));
  EXPECT_EQ(heard, 1);
  EXPECT_THAT(Change([&](DeskTransaction& rows) {
                v1::Notification lost;
                lost.set_ticket(ticket);
                lost.set_channel("mail");
                lost.set_idempotency_key("lost");
                FOREWARN_EXPECT_OK(rows.outbox().Enqueue(lost));
                return absl::AbortedError("killed here");
              }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(heard, 1);
  EXPECT_THAT(Due(kNoon), ElementsAre("k"));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, DeskStoreConformanceTest,
                         ::testing::Values(Factory([] {
                           return std::make_unique<SqliteUnderTest>();
                         })));

}  // namespace
}  // namespace forewarn::desk
