#include "agent/sources/certificate_source.h"

#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/certificate_expiry.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxFiles = 200;
constexpr size_t kMaxPathBytes = 256;

bool IsCertificateName(absl::string_view name) {
  return absl::EndsWith(name, ".pem") || absl::EndsWith(name, ".crt") ||
         absl::EndsWith(name, ".cer");
}

}  // namespace

CertificateSource::CertificateSource(const HostFiles& files,
                                     std::vector<std::string> paths)
    : files_(files), paths_(std::move(paths)) {}

absl::Status CertificateSource::Sample(const SampleTime& now,
                                       ReadingSink& sink) {
  if (paths_.empty()) {
    return absl::NotFoundError("read certificates: none is configured");
  }
  // Whether the configuration names the file itself.
  absl::btree_map<std::string, bool> found;
  for (const std::string& path : paths_) {
    const auto names = files_.List(path);
    if (!names.ok() && found.size() < kMaxFiles) found[path] = true;
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      if (found.size() >= kMaxFiles) break;
      if (IsCertificateName(name)) {
        found.emplace(absl::StrCat(path, "/", name), false);
      }
    }
  }
  for (const auto& [path, is_configured] : found) {
    const auto text = files_.Read(path);
    // Folders also hold keys.
    if (!is_configured && text.ok() &&
        absl::StrContains(*text, "PRIVATE KEY-----") &&
        !absl::StrContains(*text, "CERTIFICATE-----")) {
      continue;
    }
    const auto expiry = text.ok()
                            ? EarliestExpiry(*text)
                            : absl::StatusOr<CertificateExpiry>(text.status());
    const std::string shown = CleanText(path, kMaxPathBytes);
    sink.Accept("forewarn.certificate.readable",
                {{"forewarn.certificate.path", shown}}, expiry.ok() ? 1 : 0);
    if (!expiry.ok()) continue;
    sink.Accept("forewarn.certificate.time_left",
                {{"forewarn.certificate.path", shown},
                 {"forewarn.certificate.subject", expiry->subject}},
                absl::ToDoubleSeconds(expiry->expires - now.wall));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
