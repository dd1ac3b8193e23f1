#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_TOKEN_STORE_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_TOKEN_STORE_H_

#include <string>
#include <vector>

#include "collector/identity/access_tokens.h"
#include "collector/store/sqlite_database.h"

namespace forewarn::store {

// Tokens, by the hash of their secret, and the audit log in SQLite.
// Thread-safe.
class SqliteTokenStore final : public identity::TokenStore {
 public:
  // `database` must outlive it.
  explicit SqliteTokenStore(SqliteDatabase& database) : database_(database) {}

  absl::Status AddToken(identity::StoredToken& token) override;
  absl::StatusOr<std::vector<v1::TokenInfo>> ListTokens() override;
  absl::StatusOr<identity::StoredToken> FindToken(
      const std::string& secret_hash) override;
  absl::Status UseToken(uint32_t id, const std::string& used_by,
                        absl::Time now) override;
  absl::Status TouchToken(uint32_t id, absl::Time now) override;
  // One that is revoked already stays as it is.
  absl::Status RevokeToken(uint32_t id, absl::Time now) override;
  absl::Status AppendAudit(const std::string& actor, const std::string& verb,
                           const std::string& object, const std::string& detail,
                           absl::Time now) override;

 private:
  SqliteDatabase& database_;
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_TOKEN_STORE_H_
