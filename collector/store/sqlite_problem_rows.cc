#include "absl/strings/str_cat.h"
#include "collector/store/read_rows.h"
#include "collector/store/sqlite_desk_rows.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::store {

absl::Status SqliteProblemRows::InsertProblem(v1::Problem& problem) {
  Statement insert =
      database_.Prepare("INSERT INTO problems (body) VALUES (x'')");
  FOREWARN_RETURN_IF_ERROR(insert.Run());
  problem.set_id(static_cast<uint32_t>(database_.last_insert_id()));
  return UpdateProblem(problem);
}

absl::Status SqliteProblemRows::UpdateProblem(const v1::Problem& problem) {
  Statement update = database_.Prepare(
      "UPDATE problems SET ticket = ?, closed_at = ?, body = ? WHERE id = ? "
      "RETURNING id");
  if (problem.ticket() == 0) {
    update.BindNull(1);
  } else {
    update.Bind(1, int64_t{problem.ticket()});
  }
  update
      .BindTime(2, problem.has_closed_at() ? wire::ToTime(problem.closed_at())
                                           : absl::InfinitePast())
      .BindBlob(3, WriteBlob(problem))
      .Bind(4, int64_t{problem.id()});
  FOREWARN_ASSIGN_OR_RETURN(const bool row, update.Step());
  if (row) return update.Run();
  return absl::NotFoundError(absl::StrCat("no problem ", problem.id()));
}

absl::StatusOr<v1::Problem> SqliteProblemRows::ProblemOfTicket(
    uint32_t ticket) {
  Statement select =
      database_.Prepare("SELECT id, body FROM problems WHERE ticket = ?");
  select.Bind(1, int64_t{ticket});
  return ReadOne<v1::Problem>(select, "problem of ticket", ticket);
}

absl::Status SqliteProblemRows::AddMember(uint32_t problem, uint32_t incident) {
  Statement insert = database_.Prepare(
      "INSERT OR IGNORE INTO problem_members (problem, incident) "
      "VALUES (?, ?)");
  return insert.Bind(1, int64_t{problem}).Bind(2, int64_t{incident}).Run();
}

absl::StatusOr<std::vector<v1::Problem>> SqliteProblemRows::OpenProblems() {
  Statement select = database_.Prepare(
      "SELECT id, body FROM problems WHERE closed_at IS NULL ORDER BY id");
  return ReadAll<v1::Problem>(select, "problem");
}

absl::StatusOr<std::vector<v1::Incident>> SqliteProblemRows::MembersOf(
    uint32_t problem) {
  Statement select = database_.Prepare(
      "SELECT i.id, i.body FROM problem_members m "
      "JOIN incidents i ON i.id = m.incident WHERE m.problem = ? "
      "ORDER BY i.id");
  select.Bind(1, int64_t{problem});
  return ReadAll<v1::Incident>(select, "incident");
}

}  // namespace forewarn::store
