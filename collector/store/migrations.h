#ifndef FOREWARN_COLLECTOR_STORE_MIGRATIONS_H_
#define FOREWARN_COLLECTOR_STORE_MIGRATIONS_H_

#include "absl/types/span.h"

namespace forewarn::store {

// store/migrations/NNN_*.sql, embedded by CMake; the n-th (from 1) takes the
// schema from n - 1 to n. Forward only: a released one never changes.
struct Migration {
  const char* name;
  const char* sql;
};
absl::Span<const Migration> Migrations();

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_MIGRATIONS_H_
