#ifndef FOREWARN_COLLECTOR_MAIN_DOCTOR_H_
#define FOREWARN_COLLECTOR_MAIN_DOCTOR_H_

#include <vector>

#include "collector/desk/outbox.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/history/rocks_store.h"
#include "collector/main/settings.h"
#include "forewarn/v1/api.pb.h"
#include "protos/base/clock.h"

namespace forewarn::main {

// What `forewarn doctor` shows of the collector: each check with its result
// and, where it fails, exactly what to do.
v1::DoctorReport Examine(const Settings& settings,
                         const history::RocksStore& history,
                         desk::Outbox& outbox,
                         const fleet::EndpointRegistry& registry,
                         base::Clock& clock);

}  // namespace forewarn::main

#endif  // FOREWARN_COLLECTOR_MAIN_DOCTOR_H_
