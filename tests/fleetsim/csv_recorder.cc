#include "tests/fleetsim/csv_recorder.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "protos/base/status.h"
#include "protos/wire/series.h"
#include "tests/fleetsim/endpoint_model.h"
#include "tests/fleetsim/live_fleet.h"
#include "tests/fleetsim/signals.h"

namespace forewarn::fleetsim {
namespace {

absl::Status CannotWrite(const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::Status RecordOne(const Machine& machine, EndpointModel& model,
                       absl::Time start, Minute length,
                       const std::string& directory) {
  std::string folder = absl::StrCat(
      directory, "/",
      absl::AsciiStrToLower(v1::EndpointClass_Name(machine.kind)
                                .substr(sizeof("ENDPOINT_CLASS_") - 1)));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = absl::StrCat(folder, "/", machine.host, ".csv");
  std::ofstream file(path, std::ios::binary);
  file << "timestamp";
  for (const wire::SeriesDefinition& definition : SignalDefinitions()) {
    file << ",\"" << wire::SeriesName(definition.metric, definition.attributes)
         << '"';
  }
  file << '\n';
  Values values{};
  std::string line;
  for (Minute now = 0; now < length; ++now) {
    if (model.Step(now, values) != Power::kOn) continue;
    line = absl::StrCat(absl::ToUnixSeconds(start + absl::Minutes(now)));
    for (int s = 0; s < kSignals; ++s) {
      line += ',';
      if (std::isnan(values[s])) continue;
      absl::StrAppendFormat(&line, "%.*f",
                            static_cast<int>(SignalDefinitions()[s].digits),
                            values[s]);
    }
    file << line << '\n';
  }
  return file.flush() ? absl::OkStatus() : CannotWrite(path);
}

std::string Stamp(absl::Time start, Minute minute) {
  return minute == kNever
             ? ""
             : absl::StrCat(absl::ToUnixSeconds(start + absl::Minutes(minute)));
}

}  // namespace

absl::Status RecordFleet(absl::Span<const Machine> fleet,
                         std::vector<Mishap>& mishaps, absl::Time start,
                         Minute length, const std::string& directory,
                         const std::function<void(Minute)>& progress) {
  std::vector<EndpointModel> models = MakeModels(fleet, mishaps);
  for (const Machine& machine : fleet) {
    FOREWARN_RETURN_IF_ERROR(
        RecordOne(machine, models[machine.number], start, length, directory));
  }
  progress(length);
  const std::string path = directory + "/truth.csv";
  std::ofstream truth(path, std::ios::binary);
  truth << "mishap,cause,fault,endpoint,site,started,noticed,ended\n";
  for (size_t i = 0; i < mishaps.size(); ++i) {
    const Mishap& mishap = mishaps[i];
    for (const Mishap::Member& member : mishap.members) {
      truth << absl::StrFormat(
          "%d,%s,%d,%s,%s,%s,%s,%s\n", i, Name(mishap.cause),
          IsFault(mishap.cause) ? 1 : 0, fleet[member.machine].host,
          fleet[member.machine].site, Stamp(start, member.start),
          Stamp(start, member.noticed), Stamp(start, member.ended));
    }
  }
  return truth.flush() ? absl::OkStatus() : CannotWrite(path);
}

}  // namespace forewarn::fleetsim
