#include <cmath>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "collector/words/english.h"
#include "collector/words/visible.h"
#include "collector/words/words.h"

namespace forewarn::words {
namespace {

// Two or three digits that count: 1.4, 85.3, 143, 0.043.
std::string ShowNumber(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 1e15 || size < 1e-6) return absl::StrFormat("%.2g", value);
  int decimals = size >= 99.95 ? 0 : 1;
  if (size < 0.95) {
    decimals = 1 - static_cast<int>(std::floor(std::log10(size)));
  }
  std::string shown = absl::StrFormat("%.*f", decimals, value);
  if (decimals > 0) {
    shown.erase(shown.find_last_not_of('0') + 1);
    if (shown.back() == '.') shown.pop_back();
  }
  return shown == "-0" ? "0" : shown;
}

// 12,345 from ten thousand on.
std::string ShowCount(double value) {
  std::string shown = ShowNumber(value);
  if (std::abs(value) < 10'000 || std::abs(value) >= 1e15) return shown;
  const size_t sign = shown[0] == '-' ? 1 : 0;
  for (size_t at = shown.size(); at > sign + 3;) {
    at -= 3;
    shown.insert(at, ",");
  }
  return shown;
}

std::string ShowScaled(double value, double step,
                       absl::Span<const char* const> units) {
  size_t unit = 0;
  // What would round up to a full step is one of the next unit.
  while (unit + 1 < units.size() && std::abs(value) >= step - 0.5) {
    value /= step;
    ++unit;
  }
  return absl::StrCat(ShowNumber(value), " ", units[unit]);
}

constexpr const char* kBytes[] = {"B",   "KiB", "MiB", "GiB",
                                  "TiB", "PiB", "EiB"};
constexpr const char* kBits[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s",
                                 "Tbit/s"};
constexpr const char* kHertz[] = {"Hz", "kHz", "MHz", "GHz", "THz"};

std::string ShowSeconds(double seconds) {
  const double size = std::abs(seconds);
  if (size >= 60) return ShowDuration(absl::Seconds(seconds));
  if (size >= 1 || size == 0) return absl::StrCat(ShowNumber(seconds), " s");
  if (size >= 1e-3) return absl::StrCat(ShowNumber(seconds * 1e3), " ms");
  if (size >= 1e-6) return absl::StrCat(ShowNumber(seconds * 1e6), " µs");
  return absl::StrCat(ShowNumber(seconds * 1e9), " ns");
}

std::string ShowRatio(double ratio) {
  if (std::abs(ratio) > 10) return ShowCount(ratio);
  const double percent = ratio * 100;
  // Nearly all is not all: a full disk and one with room left must differ.
  if (percent < 100 && percent >= 99.95) return "over 99.9 %";
  return absl::StrCat(ShowNumber(percent), " %");
}

// "{packet}" and "{packet}/s": counted things.
std::string ShowAnnotated(double value, absl::string_view unit) {
  const size_t close = unit.find('}');
  if (close == absl::string_view::npos) {
    return absl::StrCat(ShowCount(value), " ", Visible(unit, 32));
  }
  const absl::string_view noun = unit.substr(1, close - 1);
  return absl::StrCat(ShowCount(value), " ",
                      Visible(EnglishPlural(noun, value), 32),
                      Visible(unit.substr(close + 1), 32));
}

}  // namespace

std::string ShowQuantity(double value, absl::string_view unit) {
  if (std::isnan(value)) return "unknown";
  if (std::isinf(value)) return value > 0 ? "unlimited" : "unknown";
  if (unit == "1") return ShowRatio(value);
  if (unit == "By") return ShowScaled(value, 1024, kBytes);
  if (unit == "By/s")
    return absl::StrCat(ShowScaled(value, 1024, kBytes), "/s");
  if (unit == "bit/s") return ShowScaled(value, 1000, kBits);
  if (unit == "Hz") return ShowScaled(value, 1000, kHertz);
  if (unit == "s") return ShowSeconds(value);
  if (unit == "ms") return ShowSeconds(value / 1e3);
  if (unit == "us") return ShowSeconds(value / 1e6);
  if (unit == "min") return ShowSeconds(value * 60);
  if (unit == "h") return ShowSeconds(value * 3600);
  if (unit == "d") return ShowSeconds(value * 86400);
  if (unit == "Cel") return absl::StrCat(ShowNumber(value), " °C");
  if (unit == "1/s") return absl::StrCat(ShowCount(value), " /s");
  if (unit.empty()) return ShowCount(value);
  if (unit[0] == '{') return ShowAnnotated(value, unit);
  return absl::StrCat(ShowCount(value), " ", Visible(unit, 32));
}

std::string ShowDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "no end";
  if (duration == -absl::InfiniteDuration()) return "unknown";
  if (duration < absl::ZeroDuration()) {
    return absl::StrCat("-", ShowDuration(-duration));
  }
  if (duration < absl::Seconds(1)) {
    return absl::StrCat(absl::ToInt64Milliseconds(duration),
                        duration == absl::ZeroDuration() ? " s" : " ms");
  }
  const int64_t seconds =
      absl::ToInt64Seconds(duration + absl::Milliseconds(500));
  struct Part {
    int64_t seconds;
    const char* unit;
    int64_t alone_from;  // so many need no second part
  };
  constexpr Part kParts[] = {
      {86400, "d", 10}, {3600, "h", 24}, {60, "min", 10}, {1, "s", 0}};
  for (size_t i = 0; i < 3; ++i) {
    const Part& whole = kParts[i];
    if (seconds < whole.seconds) continue;
    const Part& rest = kParts[i + 1];
    const int64_t count = seconds / whole.seconds;
    const int64_t left = seconds % whole.seconds / rest.seconds;
    if (left == 0 || count >= whole.alone_from) {
      return absl::StrCat(count, " ", whole.unit);
    }
    return absl::StrCat(count, " ", whole.unit, " ", left, " ", rest.unit);
  }
  return absl::StrCat(seconds, " s");
}

std::string ShowTime(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return "unknown";
  }
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace forewarn::words
