#ifndef FOREWARN_AGENT_SOURCES_SMART_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_SMART_SOURCE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/smart_report.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Health of drives as smartctl(8) reads it; hw.id is the drive's model and
// serial number. Drives that sleep are not woken. kNotFound without smartctl
// or drives, kUnimplemented without the right to ask them.
class SmartSource final : public Source {
 public:
  // Runs smartctl with these arguments and gives its standard output.
  using RunSmartctl = std::function<absl::StatusOr<std::string>(
      const std::vector<std::string>& arguments)>;

  SmartSource();  // with the smartctl that is installed
  explicit SmartSource(RunSmartctl run);

  absl::string_view name() const override { return "smart"; }
  absl::Duration interval() const override { return absl::Minutes(30); }
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const RunSmartctl run_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_SMART_SOURCE_H_
