#ifndef FOREWARN_COLLECTOR_CLI_COMMANDS_H_
#define FOREWARN_COLLECTOR_CLI_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "collector/cli/session.h"
#include "forewarn/v1/api.pb.h"

namespace forewarn::cli {

// The commands of `forewarn`, one unit for each noun. Each shows its result
// in the session's format; errors say what was tried.

inline constexpr uint32_t kRows = 200;  // that lists show unless told

struct EndpointListOptions {
  std::string site;
  uint32_t limit = kRows;
};
absl::Status ListEndpoints(Session& session,
                           const EndpointListOptions& options);
absl::Status ShowEndpoint(Session& session, const std::string& name);

struct TicketListOptions {
  std::string state = "open";
  bool all = false;
  std::string endpoint;
  std::string assignee;
  uint32_t limit = kRows;
};
absl::Status ListTickets(Session& session, const TicketListOptions& options);
absl::Status ShowTicket(Session& session, uint32_t id);
absl::Status AssignTicket(Session& session, uint32_t id,
                          const std::string& assignee);
// `verb` is acknowledge, comment, resolve or reopen; "-" as comment reads
// standard input.
absl::Status ChangeTicket(Session& session, const std::string& verb,
                          uint32_t id, const std::string& comment);

struct SymptomListOptions {
  bool all = false;  // else only open ones
  std::string endpoint;
  std::string rule;
  uint32_t limit = kRows;
};
absl::Status ListSymptoms(Session& session, const SymptomListOptions& options);

// The secret, and nothing else, goes to standard output.
absl::Status CreateToken(Session& session,
                         const v1::CreateTokenRequest& request);
absl::Status ListTokens(Session& session);
absl::Status RevokeToken(Session& session, uint32_t id);

absl::Status ListRules(Session& session);
// kAborted when the file has errors.
absl::Status CheckRules(Session& session, const std::string& path);
// What the file's rules would have opened within the last `since_seconds`,
// out of the collector's history. kAborted when the file has errors.
absl::Status BacktestRules(Session& session, const std::string& path,
                           double since_seconds);

// Configuration, connection, credentials, then what the collector finds in
// itself. kAborted when something is wrong, or the error that kept it from
// asking.
absl::Status Doctor(Session& session);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_COMMANDS_H_
