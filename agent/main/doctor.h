#ifndef FOREWARN_AGENT_MAIN_DOCTOR_H_
#define FOREWARN_AGENT_MAIN_DOCTOR_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "agent/main/settings.h"
#include "agent/main/source_readings.h"
#include "agent/uplink/transport.h"

namespace forewarn::agent {

enum class Health { kUnspecified = 0, kGood, kWarning, kFailed };
const char* NameOf(Health health);

// One thing that was looked at, and what to do when it is not well.
struct Check {
  std::string name;
  Health health = Health::kUnspecified;
  std::string finding;
  std::string remedy;  // empty when good
};

Check CheckConfig(const Settings& settings);
Check CheckState(KeyStore& store);
Check CheckCertificate(const KeyStore& store, absl::Time now);
// One a collector.
std::vector<Check> CheckCollectors(const Settings& settings,
                                   const KeyStore& store, Transport& transport);
Check CheckRunning(const Settings& settings, absl::Time now);
// Whether the kernel's clock is synchronised (adjtimex).
Check CheckClock();
// One a source; nothing of its kind here is good.
Check CheckSource(const SourceReadings& readings);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_DOCTOR_H_
