#include "agent/sources/pressure_source.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

struct Stall {
  double share_10s = -1;
  double share_5m = -1;
  uint64_t total_microseconds = 0;
  bool has_total = false;
};

// "avg10=0.52 avg60=0.94 avg300=0.31 total=6068343"; false unless all of what
// is wanted is there.
bool ParseStall(absl::string_view line, Stall& stall) {
  for (absl::string_view field = NextField(line); !field.empty();
       field = NextField(line)) {
    double percent = 0;
    if (absl::ConsumePrefix(&field, "avg10=")) {
      if (absl::SimpleAtod(field, &percent)) stall.share_10s = percent / 100;
    } else if (absl::ConsumePrefix(&field, "avg300=")) {
      if (absl::SimpleAtod(field, &percent)) stall.share_5m = percent / 100;
    } else if (absl::ConsumePrefix(&field, "total=")) {
      stall.has_total = ParseCount(field, stall.total_microseconds);
    }
  }
  return stall.share_10s >= 0 && stall.share_5m >= 0 && stall.has_total;
}

}  // namespace

absl::Status PressureSource::Sample(const SampleTime&, ReadingSink& sink) {
  absl::Status status;
  for (const char* resource : {"cpu", "memory", "io"}) {
    const std::string path = absl::StrCat("/proc/pressure/", resource);
    const auto text = files_.Read(path);
    if (!text.ok()) {
      status.Update(text.status());
      continue;
    }
    bool any = false;
    absl::string_view rest = *text;
    absl::string_view line;
    while (NextLine(rest, line)) {
      const absl::string_view kind = NextField(line);
      Stall stall;
      if ((kind != "some" && kind != "full") || !ParseStall(line, stall)) {
        continue;
      }
      any = true;
      const auto accept = [&](absl::string_view metric, double value) {
        sink.Accept(metric,
                    {{"forewarn.pressure.kind", kind},
                     {"forewarn.pressure.resource", resource}},
                    value);
      };
      accept("forewarn.pressure.share", std::min(1.0, stall.share_10s));
      accept("forewarn.pressure.share.5m", std::min(1.0, stall.share_5m));
      accept("forewarn.pressure.stalled",
             static_cast<double>(stall.total_microseconds) / 1e6);
    }
    if (!any) {
      status.Update(absl::DataLossError(
          absl::StrCat("read ", path, ": no readable line")));
    }
  }
  return status;
}

}  // namespace forewarn::agent
