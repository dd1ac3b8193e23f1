#include "collector/desk/person_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace forewarn::desk {
namespace {

// RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF. A
// message with anything else in a string could not be read back.
bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x80) continue;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - i < size_t(more)) {
      return false;
    }
    uint32_t code = lead & (0x3f >> more);
    for (int k = 0; k < more; ++k) {
      const auto byte = static_cast<uint8_t>(text[i++]);
      if ((byte & 0xc0) != 0x80) return false;
      code = code << 6 | (byte & 0x3f);
    }
    constexpr uint32_t kLowest[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLowest[more] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::Status CheckText(absl::string_view text, absl::string_view what,
                       size_t most_bytes, Emptiness emptiness) {
  if (text.empty()) {
    return emptiness == Emptiness::kAllowed
               ? absl::OkStatus()
               : absl::InvalidArgumentError(absl::StrCat(what, " is empty"));
  }
  if (text.size() > most_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " has ", text.size(), " bytes, more than ", most_bytes));
  }
  if (!IsUtf8(text)) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is not UTF-8"));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::desk
