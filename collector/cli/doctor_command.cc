#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "collector/cli/commands.h"
#include "collector/cli/exit_code.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

// One line of the report; the remedy only when it went wrong.
void Note(v1::DoctorReport& report, const char* check,
          const absl::Status& status, const std::string& good) {
  v1::CheckResult* result = report.add_checks();
  result->set_check(check);
  result->set_ok(status.ok());
  result->set_detail(status.ok() ? good : std::string(status.message()));
  if (!status.ok()) {
    result->set_remedy(std::string(NextStep(ExitCodeOf(status))));
  }
}

// Fills the report until something keeps it from going on; that error.
absl::Status Examine(Session& session, v1::DoctorReport& report) {
  const auto config = session.Config();
  Note(report, "configuration", config.status(),
       config.ok() ? config->path : "");
  if (!config.ok()) return config.status();

  const absl::Status alive = session.GetText("/healthz").status();
  Note(report, "connection", alive, config->url);
  if (!alive.ok()) return alive;

  v1::VersionInfo version;
  const auto said = session.Get("/api/v1/version");
  absl::Status known = said.status();
  if (known.ok()) known = ReadMessage(*said, version);
  Note(report, "sign-in", known, absl::StrCat("collector ", version.version()));
  if (!known.ok()) return known;

  v1::DoctorReport own;
  const auto answer = session.Get("/api/v1/doctor");
  absl::Status asked = answer.status();
  if (asked.ok()) asked = ReadMessage(*answer, own);
  if (!asked.ok()) {
    Note(report, "collector", asked, "");
    return asked;
  }
  report.MergeFrom(own);
  return absl::OkStatus();
}

}  // namespace

absl::Status Doctor(Session& session) {
  v1::DoctorReport report;
  const absl::Status examined = Examine(session, report);
  if (!session.output().table()) {
    session.output().Show(report);
  } else {
    TextTable table({"CHECK", "RESULT", "DETAIL"});
    for (const v1::CheckResult& check : report.checks()) {
      table.Add({check.check(),
                 check.ok() ? TextTable::Cell("ok", Mark::kGood)
                            : TextTable::Cell("failed", Mark::kBad),
                 check.detail()});
      if (!check.ok() && !check.remedy().empty()) {
        table.Add({"", "", absl::StrCat("-> ", check.remedy())});
      }
    }
    session.output().Show(table);
  }
  if (!examined.ok()) return base::Annotate(examined, "doctor");
  const auto failed =
      std::count_if(report.checks().begin(), report.checks().end(),
                    [](const v1::CheckResult& check) { return !check.ok(); });
  if (failed == 0) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(failed, " of ", report.checks_size(), " checks failed"));
}

}  // namespace forewarn::cli
