#ifndef FOREWARN_AGENT_SOURCES_CERTIFICATE_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_CERTIFICATE_SOURCE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// forewarn.certificate.*: files, or the *.pem, *.crt, *.cer of folders, that
// the configuration names; at most 200 files.
class CertificateSource final : public Source {
 public:
  // `files` must outlive it.
  CertificateSource(const HostFiles& files, std::vector<std::string> paths);

  absl::string_view name() const override { return "certificate"; }
  absl::Duration interval() const override { return absl::Minutes(10); }
  // A path may lie on a network file system.
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const HostFiles& files_;
  const std::vector<std::string> paths_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_CERTIFICATE_SOURCE_H_
