#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include "absl/strings/str_join.h"
#include "agent/identity/enroller.h"
#include "agent/identity/https_client.h"
#include "agent/identity/key_store.h"
#include "agent/main/commands.h"
#include "agent/sources/host_facts.h"
#include "agent/sources/host_files.h"
#include "protos/base/files.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr uint64_t kMaxToken = 64 << 10;

absl::StatusOr<std::string> TokenOf(const EnrollArguments& arguments) {
  std::string file = arguments.token_file;
  if (arguments.token == "-") file = "-";
  if (file.empty()) return arguments.token;
  if (file != "-") return base::Files::Posix().Read(file, kMaxToken);
  std::string token;
  std::getline(std::cin, token);
  return token;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "forewarn-agent: %s\n", base::ToLine(status).c_str());
  return 1;
}

}  // namespace

int EnrollCommand(const Settings& settings, const EnrollArguments& arguments) {
  KeyStore store(base::Files::Posix(), settings.state());
  if (store.enrolled() && !arguments.replace) {
    const absl::StatusOr<Identity> identity = store.Load();
    std::fprintf(stderr,
                 "forewarn-agent: this machine is enrolled already%s%s; add "
                 "--replace to enrol it anew\n",
                 identity.ok() ? " as " : "",
                 identity.ok() ? identity->endpoint_id.c_str() : "");
    return 1;
  }
  const absl::StatusOr<std::string> token = TokenOf(arguments);
  if (!token.ok()) return Fail(token.status());
  const HostFiles host;
  PinnedHttpsClient client;
  const absl::StatusOr<Identity> identity =
      Enroll(*token, ReadFacts(host, settings.config), client, store);
  if (!identity.ok()) return Fail(identity.status());
  std::printf("enrolled as %s, collectors %s, certificate until %s\n",
              identity->endpoint_id.c_str(),
              absl::StrJoin(identity->collectors, ", ").c_str(),
              absl::FormatTime(absl::RFC3339_sec, identity->not_after,
                               absl::UTCTimeZone())
                  .c_str());
  return 0;
}

}  // namespace forewarn::agent
