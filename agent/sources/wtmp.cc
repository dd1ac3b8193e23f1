#include "agent/sources/wtmp.h"

#include <utmp.h>

#include <cstddef>
#include <cstring>

namespace forewarn::agent {
namespace {

utmp RecordAt(absl::string_view wtmp, size_t index) {
  utmp record;
  std::memcpy(&record, wtmp.data() + index * sizeof(utmp), sizeof(utmp));
  return record;
}

bool IsShutdown(const utmp& record) {
  return record.ut_type == RUN_LVL &&
         std::strncmp(record.ut_user, "shutdown", UT_NAMESIZE) == 0;
}

}  // namespace

std::optional<NotedBoot> LastNotedBoot(absl::string_view wtmp) {
  size_t index = wtmp.size() / sizeof(utmp);
  while (index > 0 && RecordAt(wtmp, index - 1).ut_type != BOOT_TIME) --index;
  if (index < 2) return std::nullopt;
  --index;  // now at the boot itself
  NotedBoot boot;
  boot.time = absl::FromUnixSeconds(RecordAt(wtmp, index).ut_tv.tv_sec);
  while (index > 0) {
    const utmp record = RecordAt(wtmp, --index);
    // Sessions may still be noted as ended after the shutdown began.
    if (record.ut_type == DEAD_PROCESS) continue;
    boot.orderly = IsShutdown(record);
    return boot;
  }
  return std::nullopt;
}

}  // namespace forewarn::agent
