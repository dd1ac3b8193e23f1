#include "collector/store/sqlite_endpoint_store.h"

#include "absl/strings/str_cat.h"
#include "collector/store/blob.h"
#include "protos/base/status.h"

namespace forewarn::store {
namespace {

absl::Status Save(SqliteDatabase& rows, v1::Endpoint& saved) {
  if (saved.number() == 0) {
    Statement insert =
        rows.Prepare("INSERT INTO endpoints (id, body) VALUES (?, x'')");
    FOREWARN_RETURN_IF_ERROR(insert.Bind(1, saved.id()).Run());
    saved.set_number(static_cast<uint32_t>(rows.last_insert_id()));
  }
  Statement update = rows.Prepare(
      "UPDATE endpoints SET body = ? WHERE number = ? AND id = ? "
      "RETURNING number");
  update.BindBlob(1, WriteBlob(saved))
      .Bind(2, int64_t{saved.number()})
      .Bind(3, saved.id());
  FOREWARN_ASSIGN_OR_RETURN(const bool row, update.Step());
  if (row) return update.Run();
  return absl::NotFoundError(
      absl::StrCat("save endpoint ", saved.id(), ": no row ", saved.number()));
}

}  // namespace

absl::StatusOr<std::vector<v1::Endpoint>> SqliteEndpointStore::LoadEndpoints() {
  std::vector<v1::Endpoint> endpoints;
  const absl::Status read = database_.Read([&](SqliteDatabase& rows) {
    Statement select =
        rows.Prepare("SELECT number, body FROM endpoints ORDER BY number");
    while (true) {
      FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return absl::OkStatus();
      FOREWARN_RETURN_IF_ERROR(
          ReadBlob(select.Text(1), absl::StrCat("endpoint ", select.Int(0)),
                   endpoints.emplace_back()));
    }
  });
  if (!read.ok()) return read;
  return endpoints;
}

absl::Status SqliteEndpointStore::SaveEndpoints(
    absl::Span<v1::Endpoint* const> endpoints) {
  std::vector<uint32_t> numbers;
  FOREWARN_RETURN_IF_ERROR(
      database_.Transaction([&](SqliteDatabase& rows) -> absl::Status {
        for (const v1::Endpoint* endpoint : endpoints) {
          v1::Endpoint saved = *endpoint;
          FOREWARN_RETURN_IF_ERROR(Save(rows, saved));
          numbers.push_back(saved.number());
        }
        return absl::OkStatus();
      }));
  for (size_t i = 0; i < numbers.size(); ++i) {
    endpoints[i]->set_number(numbers[i]);
  }
  return absl::OkStatus();
}

}  // namespace forewarn::store
