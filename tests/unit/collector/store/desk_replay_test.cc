// Invariant 2 of the design: a ticket is made once. Random lives of symptoms,
// with the collector killed before or after any commit and edges replayed,
// over the real folder, desk and database.

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "collector/correlate/incident_folder.h"
#include "collector/correlate/symptom_order.h"
#include "collector/desk/ticket_desk.h"
#include "collector/desk/workflow.h"
#include "collector/store/sqlite_desk_store.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::store {
namespace {

using ::forewarn::testing::Cleared;
using ::forewarn::testing::FakeClock;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::Opened;
using ::forewarn::testing::Reconciled;
using ::forewarn::testing::Standing;
using ::forewarn::testing::SymptomMaker;
using ::forewarn::testing::Updated;

// The process is gone: what it would have done next does not happen.
class Killed final : public correlate::IncidentSink {
 public:
  enum class When { kNever, kBeforeCommit, kAfterCommit };
  Killed(correlate::IncidentSink& desk, When when) : desk_(desk), when_(when) {}
  absl::StatusOr<v1::Incident> Accept(
      const correlate::IncidentChange& change) override {
    if (when_ == When::kBeforeCommit) return absl::AbortedError("killed");
    auto stored = desk_.Accept(change);
    if (when_ == When::kAfterCommit) return absl::AbortedError("killed");
    return stored;
  }

 private:
  correlate::IncidentSink& desk_;
  const When when_;
};

// The disk fills up at the commit: nothing of the group is kept.
class LostGroup final : public correlate::IncidentSink {
 public:
  LostGroup(correlate::IncidentSink& desk, SqliteDatabase& database)
      : desk_(desk), database_(database) {}
  absl::StatusOr<v1::Incident> Accept(
      const correlate::IncidentChange& change) override {
    return desk_.Accept(change);
  }
  absl::Status Together(absl::FunctionRef<void()> body) override {
    return desk_.Together([&] {
      body();
      EXPECT_THAT(database_.Read([](SqliteDatabase& rows) {
        return rows.Prepare("ROLLBACK").Run();
      }),
                  IsOk());
    });
  }

 private:
  correlate::IncidentSink& desk_;
  SqliteDatabase& database_;
};

class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed) {
    auto opened = SqliteDatabase::Open(":memory:");
    EXPECT_THAT(opened, IsOk());
    database_ = *std::move(opened);
    store_ = std::make_unique<SqliteDeskStore>(*database_);
    desk_ = std::make_unique<desk::TicketDesk>(
        *store_, std::vector<desk::OutboxChannel>{{"mail", v1::P4}}, clock_);
    Restart();
    constexpr const char* kKinds[][2] = {{"disk_used", "filesystem"},
                                         {"io", "disk"},
                                         {"mem", "memory"},
                                         {"cert", "certificate"}};
    for (const char* endpoint : {"a", "b"}) {
      for (const auto& [rule, subsystem] : kKinds) {
        Series& series = series_.emplace_back();
        series.maker.endpoint = endpoint;
        series.maker.rule = rule;
        series.maker.subsystem = subsystem;
      }
    }
  }

  void Step() {
    clock_.Advance(
        absl::Seconds(Draw(1, 3) == 1 ? Draw(600, 90'000) : Draw(1, 900)));
    switch (Draw(0, 9)) {
      case 0:
        PersonActs();
        break;
      case 1:
        Crash();
        break;
      default:
        SymptomMoves(series_[Draw(0, static_cast<int>(series_.size()) - 1)]);
    }
    ASSERT_THAT(folder_->Tick(clock_.Now(), *desk_), IsOk());
    if (++steps_ % 4 == 0) Check();
  }

 private:
  struct Series {
    SymptomMaker maker;
    bool standing = false;
    v1::Symptom symptom;  // as last opened or updated
  };

  int Draw(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random_);
  }
  v1::Priority DrawPriority() {
    return static_cast<v1::Priority>(Draw(v1::P1, v1::INFO));
  }

  void Restart() {
    folder_ = std::make_unique<correlate::IncidentFolder>(
        correlate::FoldOptions{.reopen_window = absl::Hours(6)}, *store_);
    ASSERT_THAT(folder_->Load(clock_.Now()), IsOk());
  }

  void SymptomMoves(Series& series) {
    detect::SymptomEdge edge;
    if (!series.standing) {
      series.maker.opened = clock_.Now();
      series.maker.priority = DrawPriority();
      series.symptom = series.maker.Make();
      series.standing = true;
      edge = Opened(series.symptom);
    } else if (Draw(0, 2) == 0) {
      edge = Updated(series.symptom, clock_.Now(), DrawPriority());
      series.symptom = edge.symptom;
    } else {
      series.standing = false;
      edge = Cleared(series.symptom, clock_.Now());
    }
    log_.push_back(edge);
    Deliver(edge);
  }

  // Now and then the process dies around a commit; the edge then comes again.
  void Deliver(const detect::SymptomEdge& edge) {
    if (Draw(0, 2) == 0) return DeliverTogether({edge});
    const auto when = static_cast<Killed::When>(std::max(0, Draw(-3, 2)));
    Killed sink(*desk_, when);
    const absl::Status folded = folder_->Fold(edge, clock_.Now(), sink);
    if (folded.ok()) return;
    ASSERT_EQ(folded.code(), absl::StatusCode::kAborted) << folded;
    Restart();
    Replay();
    ASSERT_THAT(folder_->Fold(edge, clock_.Now(), *desk_), IsOk());
  }

  // Now and then nothing of the group is kept; it then comes again.
  void DeliverTogether(const std::vector<detect::SymptomEdge>& edges) {
    if (Draw(0, 1) == 1) {
      LostGroup lost(*desk_, *database_);
      ASSERT_FALSE(folder_->FoldTogether(edges, clock_.Now(), lost).ok());
    }
    EXPECT_THAT(folder_->FoldTogether(edges, clock_.Now(), *desk_),
                testing::IsOkAndHolds(edges.size()));
  }

  // Older edges come late, all or some: nothing may come of them.
  void Replay() {
    const size_t tickets = Tickets().size();
    const size_t begin = log_.size() - std::min<size_t>(log_.size(), 40);
    for (size_t i = begin; i + 1 < log_.size(); ++i) {
      if (Draw(0, 3) == 0) continue;
      ASSERT_THAT(folder_->Fold(log_[i], clock_.Now(), *desk_), IsOk());
    }
    EXPECT_EQ(Tickets().size(), tickets) << "a replay made a ticket";
  }

  // A restart as it should be: detectors say what stands.
  void Crash() {
    Restart();
    if (Draw(0, 1) == 1) Replay();
    for (const char* endpoint : {"a", "b"}) {
      std::vector<detect::SymptomEdge> group;
      for (const Series& series : series_) {
        if (!series.standing || series.maker.endpoint != endpoint) continue;
        group.push_back(Standing(series.symptom));
        if (Draw(0, 2) > 0) continue;
        DeliverTogether(group);
        group.clear();
      }
      group.push_back(Reconciled(endpoint, clock_.Now()));
      DeliverTogether(group);
    }
  }

  void PersonActs() {
    const std::vector<v1::Ticket> tickets = Tickets();
    if (tickets.empty()) return;
    const uint32_t id =
        tickets[Draw(0, static_cast<int>(tickets.size()) - 1)].id();
    absl::StatusOr<v1::Ticket> changed;
    switch (Draw(0, 3)) {
      case 0:
        changed = desk_->Acknowledge(id, "kari", "");
        break;
      case 1:
        changed = desk_->Comment(id, "hm", "kari");
        break;
      case 2:
        changed = desk_->Resolve(id, "", "kari");
        break;
      default:
        changed = desk_->Reopen(id, "", "kari");
    }
    if (!changed.ok()) {
      EXPECT_TRUE(absl::IsFailedPrecondition(changed.status()))
          << changed.status();
    }
  }

  std::vector<v1::Ticket> Tickets() {
    const auto tickets = desk_->List({.limit = 1000});
    EXPECT_THAT(tickets, IsOk());
    return *tickets;
  }

  void Check() {
    const std::vector<v1::Ticket> tickets = Tickets();
    std::set<uint32_t> incidents;
    std::map<std::string, std::set<uint32_t>> open_tickets;
    for (const v1::Ticket& ticket : tickets) {
      EXPECT_TRUE(incidents.insert(ticket.incident()).second);
      const auto detail = desk_->Find(ticket.id());
      ASSERT_THAT(detail, IsOk());
      EXPECT_EQ(std::count_if(detail->notifications().begin(),
                              detail->notifications().end(),
                              [](const v1::Notification& one) {
                                return one.event() == "opened";
                              }),
                1)
          << "of ticket " << ticket.id();
      if (!desk::IsOpen(ticket.state())) continue;
      for (const v1::Symptom& symptom : detail->symptoms()) {
        if (correlate::Weighs(symptom)) {
          open_tickets[symptom.fingerprint()].insert(ticket.id());
        }
      }
    }
    for (const auto& [fingerprint, ids] : open_tickets) {
      EXPECT_LE(ids.size(), 1u) << fingerprint;
    }
    std::map<std::string, v1::Symptom> kept;
    const auto rows = store_->OpenSymptoms();
    ASSERT_THAT(rows, IsOk());
    for (const v1::Symptom& row : *rows) kept[row.fingerprint()] = row;
    for (const Series& series : series_) {
      const auto row = kept.find(series.symptom.fingerprint());
      ASSERT_EQ(row != kept.end(), series.standing)
          << series.symptom.fingerprint();
      if (!series.standing) continue;
      EXPECT_EQ(row->second.priority(), series.symptom.priority());
      if (correlate::Weighs(series.symptom)) {
        EXPECT_NE(row->second.ticket(), 0u)
            << series.symptom.fingerprint() << " was lost";
      }
    }
  }

  std::mt19937_64 random_;
  int steps_ = 0;
  FakeClock clock_{kNoon};
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteDeskStore> store_;
  std::unique_ptr<desk::TicketDesk> desk_;
  std::unique_ptr<correlate::IncidentFolder> folder_;
  std::vector<Series> series_;
  std::vector<detect::SymptomEdge> log_;
};

TEST(DeskReplayTest, KillsAndReplaysNeverDoubleOrLoseATicket) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Life life(seed);
    for (int step = 0; step < 150; ++step) {
      SCOPED_TRACE(step);
      life.Step();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace forewarn::store
