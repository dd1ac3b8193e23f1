#include "tests/scenarios/shape.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "protos/base/status.h"

namespace forewarn::scenarios {
namespace {

// Even in -1..1 and the same for the same instant: splitmix64 of the time.
double NoiseAt(absl::Duration since) {
  uint64_t x = static_cast<uint64_t>(absl::ToInt64Milliseconds(since)) +
               0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  x ^= x >> 31;
  return static_cast<double>(x >> 11) / 4503599627370496.0 - 1;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  const size_t unit = text.find_first_not_of("0123456789.");
  double number = 0;
  if (unit == absl::string_view::npos || unit == 0 ||
      !absl::SimpleAtod(text.substr(0, unit), &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat("duration \"", text, "\": want 90s, 10min, 4h or 30d"));
  }
  const absl::string_view name = text.substr(unit);
  if (name == "s") return absl::Seconds(number);
  if (name == "min") return absl::Minutes(number);
  if (name == "h") return absl::Hours(number);
  if (name == "d") return absl::Hours(24 * number);
  return absl::InvalidArgumentError(
      absl::StrCat("duration \"", text, "\": want 90s, 10min, 4h or 30d"));
}

absl::StatusOr<Shape> Shape::Parse(absl::string_view text) {
  Shape shape;
  double value = 0;
  double noise = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    if (!shape.steps_.empty() &&
        shape.steps_.back().duration == absl::InfiniteDuration()) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape \"", text,
                       "\": only the last step may omit its duration"));
    }
    const absl::Status added =
        shape.Add(absl::StripAsciiWhitespace(part), value, noise);
    if (!added.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape \"", text, "\": ", added.message()));
    }
  }
  if (shape.steps_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape \"", text, "\" has no step"));
  }
  return shape;
}

absl::Status Shape::Add(absl::string_view text, double& value, double& noise) {
  std::vector<std::string> words =
      absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.empty()) return absl::InvalidArgumentError("an empty step");
  const std::string name = words[0];
  const auto wrong = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("step \"", text, "\" is not of the form in shape.h"));
  };
  const auto number = [&](size_t i, double& out) {
    return i < words.size() && absl::SimpleAtod(words[i], &out);
  };

  if (name == "reset" || name == "from" || name == "add" || name == "noise") {
    double argument = 0;
    const size_t wanted = name == "reset" ? 1 : 2;
    if (words.size() != wanted || (wanted == 2 && !number(1, argument))) {
      return wrong();
    }
    if (name == "noise") {
      noise = argument;
    } else {
      value = name == "add" ? value + argument : argument;
    }
    return absl::OkStatus();
  }

  Step step;
  step.from = step.to = value;
  step.noise = noise;
  step.start = length_;
  size_t arguments = 1;
  if (name == "hold") {
    if (!number(1, step.from)) return wrong();
    step.to = step.from;
  } else if (name == "ramp") {
    step.kind = Kind::kRamp;
    if (!number(1, step.to)) return wrong();
  } else if (name == "rate") {
    step.kind = Kind::kRate;
    if (!number(1, step.rate)) return wrong();
  } else if (name == "saw" || name == "wave") {
    step.kind = name == "saw" ? Kind::kSaw : Kind::kWave;
    arguments = 3;
    if (!number(1, step.from) || !number(2, step.to) || words.size() < 4) {
      return wrong();
    }
    FOREWARN_ASSIGN_OR_RETURN(step.period, ParseDuration(words[3]));
    if (step.period <= absl::ZeroDuration()) return wrong();
  } else if (name == "gap") {
    step.kind = Kind::kGap;
    arguments = 0;
  } else {
    return wrong();
  }
  if (words.size() == arguments + 1 && step.kind != Kind::kRamp) {
    step.duration = absl::InfiniteDuration();
  } else if (words.size() == arguments + 2) {
    FOREWARN_ASSIGN_OR_RETURN(step.duration,
                              ParseDuration(words[arguments + 1]));
    if (step.duration <= absl::ZeroDuration()) return wrong();
    length_ += step.duration;
    value = ValueAt(step, step.duration);
  } else {
    return wrong();
  }
  steps_.push_back(step);
  return absl::OkStatus();
}

double Shape::ValueAt(const Step& step, absl::Duration into) {
  const double seconds = absl::ToDoubleSeconds(into);
  const double period = absl::ToDoubleSeconds(step.period);
  switch (step.kind) {
    case Kind::kRamp:
      return step.from +
             (step.to - step.from) * absl::FDivDuration(into, step.duration);
    case Kind::kRate:
      return step.from + step.rate * seconds;
    case Kind::kSaw:
      return step.from +
             (step.to - step.from) * std::fmod(seconds, period) / period;
    case Kind::kWave:
      return step.from +
             step.to * std::sin(2 * std::numbers::pi * seconds / period);
    case Kind::kHold:
    case Kind::kGap:
      break;
  }
  return step.from;
}

std::optional<double> Shape::At(absl::Duration since) const {
  // The step under way; after the last one its end.
  auto next = std::upper_bound(
      steps_.begin(), steps_.end(), since,
      [](absl::Duration at, const Step& step) { return at < step.start; });
  const Step& step = next == steps_.begin() ? *next : *(next - 1);
  if (step.kind == Kind::kGap) return std::nullopt;
  const absl::Duration into = std::min(since - step.start, step.duration);
  return ValueAt(step, into) + step.noise * NoiseAt(since);
}

}  // namespace forewarn::scenarios
