#ifndef FOREWARN_COLLECTOR_FLEET_ENDPOINT_REGISTRY_H_
#define FOREWARN_COLLECTOR_FLEET_ENDPOINT_REGISTRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/fleet/cohort.h"
#include "forewarn/v1/fleet.pb.h"
#include "protos/base/mutex.h"

namespace forewarn::fleet {

// Where endpoints are kept; collector/store implements it.
class EndpointStore {
 public:
  virtual ~EndpointStore() = default;
  virtual absl::StatusOr<std::vector<v1::Endpoint>> LoadEndpoints() = 0;
  // Writes the rows, all or none; gives `number` to new ones (0).
  virtual absl::Status SaveEndpoints(
      absl::Span<v1::Endpoint* const> endpoints) = 0;
  absl::Status SaveEndpoint(v1::Endpoint& endpoint) {
    v1::Endpoint* const one = &endpoint;
    return SaveEndpoints({&one, 1});
  }
};

// Every enrolled endpoint, in memory and in the store. Thread-safe.
class EndpointRegistry {
 public:
  // `store` must outlive it.
  explicit EndpointRegistry(EndpointStore& store) : store_(store) {}

  absl::Status Load();

  // A new endpoint after its token was used; `id` is a fresh UUID.
  absl::StatusOr<v1::Endpoint> Enroll(const std::string& id,
                                      const v1::EndpointFacts& facts,
                                      const std::string& certificate_serial,
                                      absl::Time certificate_expires_at,
                                      absl::Time now);
  absl::Status Renewed(const std::string& id,
                       const std::string& certificate_serial,
                       absl::Time certificate_expires_at);
  absl::Status Revoke(const std::string& id, absl::Time now);

  // What follows is kept in memory until Flush: a crash loses nothing that the
  // next stream does not bring again.

  // A stream began: what the agent said of itself.
  absl::Status Connected(const std::string& id, const v1::EndpointFacts& facts,
                         const std::string& agent_version,
                         const std::string& boot_id, absl::Time now);
  void Seen(const std::string& id, absl::Time now, uint32_t series);
  absl::Status SetPresence(const std::string& id, v1::Presence presence,
                           absl::Time now);
  // Writes what changed, some hundred rows at a time; FlushAll also what was
  // only seen, which is nearly everybody at any time.
  absl::Status Flush();
  absl::Status FlushAll();

  // By UUID or, for people, unique host name or number.
  std::optional<v1::Endpoint> Find(const std::string& id_or_name) const;
  std::vector<v1::Endpoint> List() const;  // by number

  // Who is in which cohort. May be asked under any lock of the caller's.
  const Cohorts& cohorts() const { return cohorts_; }

 private:
  struct Entry {
    v1::Endpoint endpoint;
    bool dirty = false;
    bool seen = false;  // since it was written
  };
  absl::Status FlushIf(absl::FunctionRef<bool(const Entry&)> wanted);
  absl::Status SaveLocked(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  EndpointStore& store_;
  CohortIndex cohorts_;
  mutable base::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> endpoints_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::fleet

#endif  // FOREWARN_COLLECTOR_FLEET_ENDPOINT_REGISTRY_H_
