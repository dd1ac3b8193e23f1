#include <string>

#include "absl/strings/str_cat.h"
#include "collector/cli/commands.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

std::string OrDash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

absl::Status CreateToken(Session& session,
                         const v1::CreateTokenRequest& request) {
  auto answer = session.Post("/api/v1/tokens", request);
  if (!answer.ok()) return base::Annotate(answer.status(), "create a token");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::CreateTokenResponse created;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, created));
  const v1::TokenInfo& token = created.token();
  session.output().ShowText(created.secret());
  session.output().Say(absl::StrCat(
      "Token ", token.id(), " \"", token.name(), "\" is valid until ",
      ShowTime(token.expires_at(), token.has_expires_at()),
      token.kind() == "enroll" ? " for one endpoint" : "",
      ". It is shown this once."));
  return absl::OkStatus();
}

absl::Status ListTokens(Session& session) {
  auto answer = session.Get("/api/v1/tokens");
  if (!answer.ok()) return base::Annotate(answer.status(), "list tokens");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::TokenList list;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, list));
  TextTable table({"ID", "KIND", "ROLE", "SITE", "CREATED", "EXPIRES",
                   "LAST USED", "REVOKED", "USED BY", "NAME"});
  for (const v1::TokenInfo& token : list.tokens()) {
    table.Add({absl::StrCat(token.id()), token.kind(), OrDash(token.role()),
               OrDash(token.site()),
               ShowTime(token.created_at(), token.has_created_at()),
               ShowTime(token.expires_at(), token.has_expires_at()),
               ShowTime(token.last_used_at(), token.has_last_used_at()),
               ShowTime(token.revoked_at(), token.has_revoked_at()),
               OrDash(token.used_by()), token.name()});
  }
  session.output().Show(table);
  return absl::OkStatus();
}

absl::Status RevokeToken(Session& session, uint32_t id) {
  FOREWARN_RETURN_IF_ERROR(
      base::Annotate(session.Delete(absl::StrCat("/api/v1/tokens/", id)),
                     absl::StrCat("revoke token ", id)));
  session.output().Say(absl::StrCat("Token ", id, " is revoked."));
  return absl::OkStatus();
}

}  // namespace forewarn::cli
