#include "collector/detect/symptom.h"

#include <openssl/evp.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace forewarn::detect {
namespace {

constexpr size_t kFingerprintBytes = 8;

}  // namespace

std::string Fingerprint(absl::string_view endpoint_id, absl::string_view rule,
                        absl::string_view series_name) {
  // A zero byte, which none of the three can hold, keeps them apart.
  const std::string text =
      absl::StrCat(endpoint_id, absl::string_view("\0", 1), rule,
                   absl::string_view("\0", 1), series_name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(),
             nullptr);
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), kFingerprintBytes));
}

}  // namespace forewarn::detect
