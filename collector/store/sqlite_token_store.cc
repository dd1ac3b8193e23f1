#include "collector/store/sqlite_token_store.h"

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "collector/store/blob.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::store {
namespace {

using ::forewarn::wire::ToStamp;
using ::forewarn::wire::ToTime;

absl::StatusOr<v1::TokenInfo> FindInfo(SqliteDatabase& rows, uint32_t id) {
  Statement select = rows.Prepare("SELECT body FROM tokens WHERE id = ?");
  select.Bind(1, int64_t{id});
  FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return absl::NotFoundError(absl::StrCat("no token ", id));
  v1::TokenInfo info;
  FOREWARN_RETURN_IF_ERROR(
      ReadBlob(select.Text(0), absl::StrCat("token ", id), info));
  return info;
}

absl::Status SaveInfo(SqliteDatabase& rows, const v1::TokenInfo& info) {
  Statement update = rows.Prepare("UPDATE tokens SET body = ? WHERE id = ?");
  return update.BindBlob(1, WriteBlob(info)).Bind(2, int64_t{info.id()}).Run();
}

absl::Status Change(SqliteDatabase& database, uint32_t id,
                    absl::FunctionRef<absl::Status(v1::TokenInfo&)> change) {
  return database.Transaction([&](SqliteDatabase& rows) {
    FOREWARN_ASSIGN_OR_RETURN(v1::TokenInfo info, FindInfo(rows, id));
    FOREWARN_RETURN_IF_ERROR(change(info));
    return SaveInfo(rows, info);
  });
}

}  // namespace

absl::Status SqliteTokenStore::AddToken(identity::StoredToken& token) {
  // Tags are a message of their own, so that one may hold any byte.
  v1::CreateTokenRequest tags;
  for (const std::string& tag : token.tags) tags.add_tags(tag);
  v1::TokenInfo info = token.info;
  FOREWARN_RETURN_IF_ERROR(database_.Transaction([&](SqliteDatabase& rows) {
    Statement insert = rows.Prepare(
        "INSERT INTO tokens (secret_hash, tags, body) VALUES (?, ?, x'')");
    FOREWARN_RETURN_IF_ERROR(
        insert.Bind(1, token.secret_hash).BindBlob(2, WriteBlob(tags)).Run());
    info.set_id(static_cast<uint32_t>(rows.last_insert_id()));
    return SaveInfo(rows, info);
  }));
  token.info.set_id(info.id());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::TokenInfo>> SqliteTokenStore::ListTokens() {
  std::vector<v1::TokenInfo> tokens;
  const absl::Status read = database_.Read([&](SqliteDatabase& rows) {
    Statement select = rows.Prepare("SELECT id, body FROM tokens ORDER BY id");
    while (true) {
      FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return absl::OkStatus();
      FOREWARN_RETURN_IF_ERROR(ReadBlob(select.Text(1),
                                        absl::StrCat("token ", select.Int(0)),
                                        tokens.emplace_back()));
    }
  });
  if (!read.ok()) return read;
  return tokens;
}

absl::StatusOr<identity::StoredToken> SqliteTokenStore::FindToken(
    const std::string& secret_hash) {
  identity::StoredToken token;
  const absl::Status read = database_.Read([&](SqliteDatabase& rows) {
    Statement select =
        rows.Prepare("SELECT id, tags, body FROM tokens WHERE secret_hash = ?");
    select.Bind(1, secret_hash);
    FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::NotFoundError("no such token");
    const std::string name = absl::StrCat("token ", select.Int(0));
    v1::CreateTokenRequest tags;
    FOREWARN_RETURN_IF_ERROR(ReadBlob(select.Text(1), name, tags));
    FOREWARN_RETURN_IF_ERROR(ReadBlob(select.Text(2), name, token.info));
    token.tags.assign(tags.tags().begin(), tags.tags().end());
    token.secret_hash = secret_hash;
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return token;
}

absl::Status SqliteTokenStore::UseToken(uint32_t id, const std::string& used_by,
                                        absl::Time now) {
  return Change(database_, id, [&](v1::TokenInfo& info) {
    const auto refuse = [&](absl::string_view why) {
      return absl::FailedPreconditionError(
          absl::StrCat("use token ", id, ": it ", why));
    };
    if (!info.used_by().empty()) return refuse("was used before");
    if (info.has_revoked_at()) return refuse("was revoked");
    if (info.has_expires_at() && ToTime(info.expires_at()) <= now) {
      return refuse("has expired");
    }
    info.set_used_by(used_by);
    *info.mutable_last_used_at() = ToStamp(now);
    return absl::OkStatus();
  });
}

absl::Status SqliteTokenStore::TouchToken(uint32_t id, absl::Time now) {
  return Change(database_, id, [&](v1::TokenInfo& info) {
    *info.mutable_last_used_at() = ToStamp(now);
    return absl::OkStatus();
  });
}

absl::Status SqliteTokenStore::RevokeToken(uint32_t id, absl::Time now) {
  return Change(database_, id, [&](v1::TokenInfo& info) {
    if (!info.has_revoked_at()) *info.mutable_revoked_at() = ToStamp(now);
    return absl::OkStatus();
  });
}

absl::Status SqliteTokenStore::AppendAudit(const std::string& actor,
                                           const std::string& verb,
                                           const std::string& object,
                                           const std::string& detail,
                                           absl::Time now) {
  return database_.Transaction([&](SqliteDatabase& rows) {
    Statement insert = rows.Prepare(
        "INSERT INTO audit (time, actor, verb, object, detail) "
        "VALUES (?, ?, ?, ?, ?)");
    return insert.BindTime(1, now)
        .Bind(2, actor)
        .Bind(3, verb)
        .Bind(4, object)
        .Bind(5, detail)
        .Run();
  });
}

}  // namespace forewarn::store
