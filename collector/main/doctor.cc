#include "collector/main/doctor.h"

#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "collector/store/sqlite_database.h"
#include "nghttp2/nghttp2ver.h"

namespace forewarn::main {
namespace {

class Report {
 public:
  void Add(absl::string_view check, bool ok, absl::string_view detail,
           absl::string_view remedy) {
    v1::CheckResult& result = *report_.add_checks();
    result.set_check(std::string(check));
    result.set_ok(ok);
    result.set_detail(std::string(detail));
    if (!ok) result.set_remedy(std::string(remedy));
  }
  v1::DoctorReport Take() { return std::move(report_); }

 private:
  v1::DoctorReport report_;
};

void CheckSpace(const Settings& settings, Report& report) {
  struct statvfs space {};
  const std::string& path = settings.state_directory;
  if (statvfs(path.c_str(), &space) != 0) {
    report.Add("disk space", false,
               absl::StrCat(path, ": ", std::strerror(errno)),
               absl::StrCat("look at ", path));
    return;
  }
  const double free_gib = static_cast<double>(space.f_bavail) *
                          static_cast<double>(space.f_frsize) / (1 << 30);
  const double share =
      static_cast<double>(space.f_bavail) /
      static_cast<double>(std::max<fsblkcnt_t>(1, space.f_blocks));
  report.Add("disk space", free_gib > 1 && share > 0.05,
             absl::StrFormat("%.1f GiB (%.0f %%) free at %s", free_gib,
                             share * 100, path),
             absl::StrCat("free space on the file system of ", path,
                          ", or shorten history: raw_retention"));
}

void CheckClock(Report& report) {
  timex state{};
  const bool synchronised =
      adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  report.Add("clock", synchronised,
             synchronised ? "kept by a time service"
                          : "the kernel says it is not synchronised",
             "start a time service: apt install systemd-timesyncd, or chrony");
}

void CheckOutbox(desk::Outbox& outbox, base::Clock& clock, Report& report) {
  const absl::StatusOr<std::vector<v1::Notification>> due =
      outbox.Due(clock.Now() + absl::Hours(24 * 365), 100);
  if (!due.ok()) {
    report.Add("notifications", false, due.status().message(),
               "look at the desk database");
    return;
  }
  const v1::Notification* stuck = nullptr;
  for (const v1::Notification& notification : *due) {
    if (notification.attempts() >= 3) {
      stuck = &notification;
      break;
    }
  }
  if (stuck == nullptr) {
    report.Add("notifications", true,
               absl::StrCat(due->size(), " waiting to be sent"), "");
  } else {
    report.Add("notifications", false,
               absl::StrCat("channel ", stuck->channel(), " failed ",
                            stuck->attempts(), " times: ", stuck->last_error()),
               absl::StrCat("check notify in the configuration for channel ",
                            stuck->channel()));
  }
}

void CheckEndpoints(const fleet::EndpointRegistry& registry, Report& report) {
  int online = 0;
  int lost = 0;
  const std::vector<v1::Endpoint> endpoints = registry.List();
  for (const v1::Endpoint& endpoint : endpoints) {
    online += endpoint.presence() == v1::PRESENCE_ONLINE ? 1 : 0;
    lost += endpoint.presence() == v1::PRESENCE_LOST ? 1 : 0;
  }
  report.Add("endpoints", !endpoints.empty(),
             absl::StrCat(endpoints.size(), " enrolled, ", online, " online, ",
                          lost, " lost"),
             "enrol one: forewarn token create --kind enroll, then "
             "forewarn-agent enroll --token ... on the endpoint");
}

}  // namespace

v1::DoctorReport Examine(const Settings& settings,
                         const history::RocksStore& history,
                         desk::Outbox& outbox,
                         const fleet::EndpointRegistry& registry,
                         base::Clock& clock) {
  Report report;
  CheckSpace(settings, report);
  CheckClock(report);
  report.Add("history", history.set_aside().empty(),
             history.set_aside().empty()
                 ? absl::StrCat("open at ", settings.history_directory())
                 : absl::StrCat("a damaged one was set aside at ",
                                history.set_aside()),
             "keep the set-aside folder for repair, or delete it");
  report.Add(
      "desk database", true,
      absl::StrCat("open at ", settings.database_path(), ", SQLite ",
                   store::SqliteDatabase::LibraryVersion(), ", one connection"),
      "");
  report.Add("http2", true, absl::StrCat("nghttp2 ", NGHTTP2_VERSION), "");
  CheckOutbox(outbox, clock, report);
  CheckEndpoints(registry, report);
  return report.Take();
}

}  // namespace forewarn::main
