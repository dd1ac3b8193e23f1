#include "collector/desk/workflow.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::desk {
namespace {

using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

constexpr v1::TicketState kStates[] = {v1::NEW,         v1::ACKNOWLEDGED,
                                       v1::IN_PROGRESS, v1::WAITING,
                                       v1::RESOLVED,    v1::CLOSED};

v1::Ticket In(v1::TicketState state) {
  v1::Ticket ticket;
  ticket.set_id(7);
  ticket.set_state(state);
  return ticket;
}

TEST(WorkflowTest, EveryVerbGoesWhereTheTableSays) {
  constexpr v1::TicketState kNo = v1::TICKET_STATE_UNSPECIFIED;
  struct Row {
    Verb verb;
    v1::TicketState to[6];  // from NEW, ACKNOWLEDGED, ... in order
  };
  const Row rows[] = {
      {Verb::kAcknowledge, {v1::ACKNOWLEDGED, kNo, kNo, kNo, kNo, kNo}},
      {Verb::kAssign,
       {v1::NEW, v1::ACKNOWLEDGED, v1::IN_PROGRESS, v1::WAITING, kNo, kNo}},
      {Verb::kComment,
       {v1::NEW, v1::ACKNOWLEDGED, v1::IN_PROGRESS, v1::WAITING, v1::RESOLVED,
        v1::CLOSED}},
      {Verb::kResolve,
       {v1::RESOLVED, v1::RESOLVED, v1::RESOLVED, v1::RESOLVED, kNo, kNo}},
      {Verb::kReopen, {kNo, kNo, kNo, kNo, v1::NEW, v1::NEW}},
      {Verb::kResolveByItself, {v1::RESOLVED, kNo, kNo, kNo, kNo, kNo}},
      {Verb::kReopenByItself, {kNo, kNo, kNo, kNo, v1::NEW, v1::NEW}},
  };
  for (const Row& row : rows) {
    for (int i = 0; i < 6; ++i) {
      const auto next = NextState(In(kStates[i]), row.verb);
      if (row.to[i] == kNo) {
        EXPECT_THAT(next, StatusIs(absl::StatusCode::kFailedPrecondition))
            << static_cast<int>(row.verb) << " from " << NameOf(kStates[i]);
      } else {
        EXPECT_THAT(next, IsOkAndHolds(row.to[i]))
            << static_cast<int>(row.verb) << " from " << NameOf(kStates[i]);
      }
    }
  }
}

TEST(WorkflowTest, ARefusalNamesTheStatesThatAllowIt) {
  const auto refused = NextState(In(v1::RESOLVED), Verb::kAcknowledge);
  EXPECT_EQ(refused.status().message(),
            "acknowledge ticket 7: it is resolved; allowed while new");
  EXPECT_THAT(NextState(In(v1::NEW), Verb::kReopen),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("allowed while resolved, closed")));
}

TEST(WorkflowTest, ATouchedTicketNeverResolvesByItself) {
  v1::Ticket ticket = In(v1::NEW);
  ticket.set_touched(true);
  EXPECT_THAT(NextState(ticket, Verb::kResolveByItself),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(WorkflowTest, OpenIsNeitherResolvedNorClosed) {
  for (const v1::TicketState state : kStates) {
    EXPECT_EQ(IsOpen(state), state != v1::RESOLVED && state != v1::CLOSED);
  }
}

}  // namespace
}  // namespace forewarn::desk
