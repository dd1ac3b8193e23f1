#ifndef FOREWARN_COLLECTOR_STORE_SQLITE_ENDPOINT_STORE_H_
#define FOREWARN_COLLECTOR_STORE_SQLITE_ENDPOINT_STORE_H_

#include <vector>

#include "collector/fleet/endpoint_registry.h"
#include "collector/store/sqlite_database.h"

namespace forewarn::store {

// Endpoints in SQLite; numbers are never given twice. Thread-safe.
class SqliteEndpointStore final : public fleet::EndpointStore {
 public:
  // `database` must outlive it.
  explicit SqliteEndpointStore(SqliteDatabase& database)
      : database_(database) {}

  absl::StatusOr<std::vector<v1::Endpoint>> LoadEndpoints() override;
  // kAlreadyExists: a new endpoint whose id is taken; kNotFound: a number
  // that was never given.
  absl::Status SaveEndpoints(
      absl::Span<v1::Endpoint* const> endpoints) override;

 private:
  SqliteDatabase& database_;
};

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_SQLITE_ENDPOINT_STORE_H_
