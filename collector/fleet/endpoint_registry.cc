#include "collector/fleet/endpoint_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::fleet {
namespace {

constexpr size_t kRowsAFlush = 200;

absl::Status NotEnrolled(const std::string& id) {
  return absl::NotFoundError(absl::StrCat("endpoint ", id, " is not enrolled"));
}

}  // namespace

absl::Status EndpointRegistry::Load() {
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<v1::Endpoint> rows,
                            store_.LoadEndpoints());
  base::MutexLock lock(&mutex_);
  endpoints_.clear();
  for (const v1::Endpoint& row : rows) {
    endpoints_[row.id()].endpoint = row;
    cohorts_.Put(row);
  }
  return absl::OkStatus();
}

absl::Status EndpointRegistry::SaveLocked(Entry& entry) {
  FOREWARN_RETURN_IF_ERROR(store_.SaveEndpoint(entry.endpoint));
  entry.dirty = entry.seen = false;
  return absl::OkStatus();
}

absl::StatusOr<v1::Endpoint> EndpointRegistry::Enroll(
    const std::string& id, const v1::EndpointFacts& facts,
    const std::string& certificate_serial, absl::Time certificate_expires_at,
    absl::Time now) {
  base::MutexLock lock(&mutex_);
  Entry entry;
  entry.endpoint.set_id(id);
  *entry.endpoint.mutable_facts() = facts;
  entry.endpoint.set_presence(v1::PRESENCE_NEVER_SEEN);
  entry.endpoint.set_certificate_serial(certificate_serial);
  *entry.endpoint.mutable_certificate_expires_at() =
      wire::ToStamp(certificate_expires_at);
  *entry.endpoint.mutable_enrolled_at() = wire::ToStamp(now);
  *entry.endpoint.mutable_presence_since() = wire::ToStamp(now);
  FOREWARN_RETURN_IF_ERROR(SaveLocked(entry));
  cohorts_.Put(entry.endpoint);
  return (endpoints_[id] = std::move(entry)).endpoint;
}

absl::Status EndpointRegistry::Renewed(const std::string& id,
                                       const std::string& certificate_serial,
                                       absl::Time certificate_expires_at) {
  base::MutexLock lock(&mutex_);
  const auto it = endpoints_.find(id);
  if (it == endpoints_.end()) return NotEnrolled(id);
  it->second.endpoint.set_certificate_serial(certificate_serial);
  *it->second.endpoint.mutable_certificate_expires_at() =
      wire::ToStamp(certificate_expires_at);
  return SaveLocked(it->second);
}

absl::Status EndpointRegistry::Revoke(const std::string& id, absl::Time now) {
  base::MutexLock lock(&mutex_);
  const auto it = endpoints_.find(id);
  if (it == endpoints_.end()) return NotEnrolled(id);
  *it->second.endpoint.mutable_revoked_at() = wire::ToStamp(now);
  cohorts_.Put(it->second.endpoint);
  return SaveLocked(it->second);
}

absl::Status EndpointRegistry::Connected(const std::string& id,
                                         const v1::EndpointFacts& facts,
                                         const std::string& agent_version,
                                         const std::string& boot_id,
                                         absl::Time now) {
  base::MutexLock lock(&mutex_);
  const auto it = endpoints_.find(id);
  if (it == endpoints_.end()) return NotEnrolled(id);
  v1::Endpoint& endpoint = it->second.endpoint;
  // Site, tags and owner that enrolment gave outrank what the agent claims.
  v1::EndpointFacts merged = facts;
  if (!endpoint.facts().site().empty()) {
    merged.set_site(endpoint.facts().site());
  }
  if (endpoint.facts().tags_size() > 0) {
    *merged.mutable_tags() = endpoint.facts().tags();
  }
  if (!endpoint.facts().owner().empty()) {
    merged.set_owner(endpoint.facts().owner());
  }
  *endpoint.mutable_facts() = std::move(merged);
  cohorts_.Put(endpoint);
  endpoint.set_agent_version(agent_version);
  endpoint.set_boot_id(boot_id);
  endpoint.set_presence(v1::PRESENCE_ONLINE);
  *endpoint.mutable_presence_since() = wire::ToStamp(now);
  *endpoint.mutable_last_seen_at() = wire::ToStamp(now);
  it->second.dirty = true;
  return absl::OkStatus();
}

void EndpointRegistry::Seen(const std::string& id, absl::Time now,
                            uint32_t series) {
  base::MutexLock lock(&mutex_);
  const auto it = endpoints_.find(id);
  if (it == endpoints_.end()) return;
  *it->second.endpoint.mutable_last_seen_at() = wire::ToStamp(now);
  it->second.endpoint.set_series_count(series);
  it->second.seen = true;
}

absl::Status EndpointRegistry::SetPresence(const std::string& id,
                                           v1::Presence presence,
                                           absl::Time now) {
  base::MutexLock lock(&mutex_);
  const auto it = endpoints_.find(id);
  if (it == endpoints_.end()) return NotEnrolled(id);
  if (it->second.endpoint.presence() == presence) return absl::OkStatus();
  it->second.endpoint.set_presence(presence);
  *it->second.endpoint.mutable_presence_since() = wire::ToStamp(now);
  it->second.dirty = true;
  return absl::OkStatus();
}

absl::Status EndpointRegistry::Flush() {
  return FlushIf([](const Entry& entry) { return entry.dirty; });
}

absl::Status EndpointRegistry::FlushAll() {
  return FlushIf([](const Entry& entry) { return entry.dirty || entry.seen; });
}

absl::Status EndpointRegistry::FlushIf(
    absl::FunctionRef<bool(const Entry&)> wanted) {
  std::vector<std::string> changed;
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [id, entry] : endpoints_) {
      if (wanted(entry)) changed.push_back(id);
    }
  }
  for (size_t begin = 0; begin < changed.size(); begin += kRowsAFlush) {
    // Under the lock, so that no newer row is written over by an older one;
    // in parts, so that nobody waits for long.
    base::MutexLock lock(&mutex_);
    std::vector<v1::Endpoint*> rows;
    const size_t end = std::min(begin + kRowsAFlush, changed.size());
    for (size_t i = begin; i < end; ++i) {
      rows.push_back(&endpoints_[changed[i]].endpoint);
    }
    FOREWARN_RETURN_IF_ERROR(store_.SaveEndpoints(rows));
    for (size_t i = begin; i < end; ++i) {
      Entry& entry = endpoints_[changed[i]];
      entry.dirty = entry.seen = false;
    }
  }
  return absl::OkStatus();
}

std::optional<v1::Endpoint> EndpointRegistry::Find(
    const std::string& id_or_name) const {
  base::MutexLock lock(&mutex_);
  if (const auto it = endpoints_.find(id_or_name); it != endpoints_.end()) {
    return it->second.endpoint;
  }
  uint32_t number = 0;
  const bool is_number = absl::SimpleAtoi(id_or_name, &number);
  const v1::Endpoint* found = nullptr;
  for (const auto& [id, entry] : endpoints_) {
    if (is_number && entry.endpoint.number() == number) return entry.endpoint;
    if (entry.endpoint.facts().host_name() == id_or_name) {
      if (found != nullptr) return std::nullopt;  // not unique: ask by number
      found = &entry.endpoint;
    }
  }
  if (found == nullptr) return std::nullopt;
  return *found;
}

std::vector<v1::Endpoint> EndpointRegistry::List() const {
  std::vector<v1::Endpoint> all;
  {
    base::MutexLock lock(&mutex_);
    all.reserve(endpoints_.size());
    for (const auto& [id, entry] : endpoints_) all.push_back(entry.endpoint);
  }
  std::sort(all.begin(), all.end(),
            [](const v1::Endpoint& a, const v1::Endpoint& b) {
              return a.number() < b.number();
            });
  return all;
}

}  // namespace forewarn::fleet
