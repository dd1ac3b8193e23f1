#include "collector/main/init.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "collector/identity/access_tokens.h"
#include "collector/identity/certificate_authority.h"
#include "collector/identity/private_file.h"
#include "collector/main/state_folder.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_token_store.h"
#include "protos/base/status.h"

namespace forewarn::main {

absl::Status Init(const Settings& settings,
                  const std::string& credential_path) {
  FOREWARN_ASSIGN_OR_RETURN(const StateFolder folder,
                            StateFolder::Lock(settings.state_directory));
  base::Clock& clock = base::Clock::System();
  FOREWARN_ASSIGN_OR_RETURN(
      const auto authority,
      identity::CertificateAuthority::OpenOrCreate(settings.ca_directory(),
                                                   clock));
  FOREWARN_RETURN_IF_ERROR(
      authority->EnsureServerCertificate(settings.certificate_names).status());
  FOREWARN_ASSIGN_OR_RETURN(
      const auto database,
      store::SqliteDatabase::Open(settings.database_path()));
  std::error_code error;
  if (std::filesystem::exists(credential_path, error)) return absl::OkStatus();

  store::SqliteTokenStore tokens(*database);
  identity::AccessTokens access(tokens, clock, authority->pin(), {});
  v1::CreateTokenRequest request;
  request.set_name("first administrator");
  request.set_kind("api");
  request.set_role("admin");
  FOREWARN_ASSIGN_OR_RETURN(const v1::CreateTokenResponse made,
                            access.Create(request, "init"));
  const std::filesystem::path parent =
      std::filesystem::path(credential_path).parent_path();
  if (!parent.empty() && std::filesystem::create_directories(parent, error)) {
    chmod(parent.c_str(), 0700);
  }
  if (error) {
    return base::ErrnoStatus(error.value(),
                             absl::StrCat("create ", parent.string()));
  }
  return identity::ReplaceFile(
      credential_path,
      absl::StrCat("url: https://", settings.public_names.front(), ":",
                   settings.https_port, "\ntoken: ", made.secret(),
                   "\nca_file: ", settings.ca_directory(), "/ca.pem\n"),
      0600);
}

std::string DefaultCredentialPath() {
  const auto value = [](const char* name) -> std::string {
    const char* text = std::getenv(name);
    return text == nullptr ? "" : text;
  };
  if (!value("FOREWARN_CONFIG").empty()) return value("FOREWARN_CONFIG");
  if (!value("XDG_CONFIG_HOME").empty()) {
    return value("XDG_CONFIG_HOME") + "/forewarn/cli.yaml";
  }
  return value("HOME") + "/.config/forewarn/cli.yaml";
}

}  // namespace forewarn::main
