#include "protos/wire/series.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace forewarn::wire {
namespace {

constexpr size_t kMaxName = 128;
constexpr size_t kMaxAttributes = 16;
constexpr size_t kMaxValue = 256;
constexpr uint32_t kMaxDigits = 9;

bool IsName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '_' || c == '-';
  });
}

// Valid UTF-8 without control bytes (RFC 3629: no overlong forms, no
// surrogates, at most U+10FFFF).
bool IsCleanText(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      if (lead < 0x20 || lead == 0x7f) return false;
      ++i;
      continue;
    }
    const size_t extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || i + extra >= text.size()) return false;
    uint32_t point = lead & (0x3f >> extra);
    for (size_t k = 1; k <= extra; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    const bool overlong = (extra == 2 && point < 0x800) ||
                          (extra == 3 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ||
        (point >= 0x80 && point < 0xa0)) {
      return false;
    }
    i += extra + 1;
  }
  return true;
}

}  // namespace

std::string SeriesName(absl::string_view metric,
                       const Attributes& attributes) {
  std::string name(metric);
  if (attributes.empty()) return name;
  char separator = '{';
  for (const auto& [key, value] : attributes) {
    name += separator;
    absl::StrAppend(&name, key, "=", value);
    separator = ',';
  }
  name += '}';
  return name;
}

absl::string_view AttributeValue(const Attributes& attributes,
                                 absl::string_view key) {
  for (const auto& [k, value] : attributes) {
    if (k == key) return value;
  }
  return "";
}

absl::Status CheckDefinition(const SeriesDefinition& definition) {
  const auto bad = [](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("series definition: ", what));
  };
  if (!IsName(definition.metric)) {
    return bad("metric name must be 1 to 128 bytes of [a-zA-Z0-9._-]");
  }
  if (definition.unit.size() > 32 || !IsCleanText(definition.unit)) {
    return bad("unit must be at most 32 printable bytes");
  }
  if (definition.kind != MetricKind::kGauge &&
      definition.kind != MetricKind::kCounter &&
      definition.kind != MetricKind::kState) {
    return bad("kind must be gauge, counter or state");
  }
  if (definition.digits > kMaxDigits && definition.digits != kAllBits) {
    return bad("digits must be 0 to 9, or 255");
  }
  if (definition.attributes.size() > kMaxAttributes) {
    return bad("more than 16 attributes");
  }
  for (size_t i = 0; i < definition.attributes.size(); ++i) {
    const auto& [key, value] = definition.attributes[i];
    if (!IsName(key)) return bad("attribute key is no name");
    if (i > 0 && definition.attributes[i - 1].first >= key) {
      return bad("attribute keys must be sorted and unique");
    }
    if (value.size() > kMaxValue || !IsCleanText(value)) {
      return bad(absl::StrCat("value of attribute ", key,
                              " must be at most 256 bytes of UTF-8 without "
                              "control characters"));
    }
  }
  return absl::OkStatus();
}

uint32_t SeriesDictionary::Intern(const SeriesDefinition& definition) {
  const auto [it, is_new] = index_.try_emplace(
      SeriesName(definition.metric, definition.attributes), size());
  if (is_new) definitions_.push_back(definition);
  return it->second;
}

}  // namespace forewarn::wire
