#include "agent/identity/enrollment_token.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kPrefix = "fwe1.";
constexpr size_t kMaxToken = 4096;
constexpr size_t kMaxUrls = 16;

absl::Status NoToken(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "read enrolment token: ", why,
      "; copy the whole text that `forewarn token create` printed"));
}

}  // namespace

absl::StatusOr<EnrollmentToken> ParseEnrollmentToken(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kMaxToken) return NoToken("longer than 4096 bytes");
  if (!absl::ConsumePrefix(&text, kPrefix)) {
    return NoToken("it does not begin with fwe1.");
  }
  std::string plain;
  if (!absl::WebSafeBase64Unescape(text, &plain)) {
    return NoToken("not base64url behind fwe1.");
  }
  const std::vector<std::string> parts = absl::StrSplit(plain, '|');
  if (parts.size() != 3) return NoToken("it is not complete");
  EnrollmentToken token{.secret = parts[0], .ca_pin = parts[1], .urls = {}};
  if (token.secret.size() < 20) return NoToken("its secret is too short");
  if (token.ca_pin.size() != 64 ||
      !std::all_of(token.ca_pin.begin(), token.ca_pin.end(),
                   [](unsigned char c) { return absl::ascii_isxdigit(c); })) {
    return NoToken("its CA pin is no SHA-256");
  }
  absl::AsciiStrToLower(&token.ca_pin);
  token.urls = absl::StrSplit(parts[2], ',', absl::SkipEmpty());
  if (token.urls.empty() || token.urls.size() > kMaxUrls) {
    return NoToken("it must name 1 to 16 collectors");
  }
  for (const std::string& url : token.urls) {
    if (!absl::StartsWith(url, "https://")) {
      return NoToken("its collectors must be https:// URLs");
    }
  }
  return token;
}

}  // namespace forewarn::agent
