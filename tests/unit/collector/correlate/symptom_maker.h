#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_CORRELATE_SYMPTOM_MAKER_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_CORRELATE_SYMPTOM_MAKER_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collector/detect/symptom.h"
#include "forewarn/v1/desk.pb.h"
#include "protos/wire/proto_time.h"

namespace forewarn::testing {

inline const absl::Time kNoon = absl::FromUnixSeconds(1'800'000'000);

struct SymptomMaker {
  std::string endpoint = "endpoint-a";
  std::string rule = "disk_used";
  std::string subsystem = "filesystem";
  v1::Priority priority = v1::P3;
  v1::DetectorKind detector = v1::DETECTOR_KIND_RULE;
  absl::Time opened = kNoon;
  absl::Duration quiet = absl::Minutes(15);
  std::string instance = {};  // of the same rule, say another mount point

  v1::Symptom Make() const {
    v1::Symptom symptom;
    symptom.set_fingerprint(absl::StrCat(endpoint, "/", rule, instance));
    symptom.set_endpoint_id(endpoint);
    symptom.set_host_name(absl::StrCat("host-of-", endpoint));
    symptom.set_rule(rule);
    symptom.set_subsystem(subsystem);
    symptom.set_detector(detector);
    symptom.set_priority(priority);
    if (!instance.empty()) {
      v1::Attribute& attribute = *symptom.add_attributes();
      attribute.set_key("system.filesystem.mountpoint");
      attribute.set_value(instance);
    }
    *symptom.mutable_opened_at() = wire::ToStamp(opened);
    *symptom.mutable_updated_at() = wire::ToStamp(opened);
    *symptom.mutable_since() = wire::ToStamp(opened);
    symptom.mutable_title()->set_key(absl::StrCat("rule.", rule, ".title"));
    symptom.mutable_quiet()->set_seconds(absl::ToInt64Seconds(quiet));
    return symptom;
  }
};

using EdgeKind = detect::SymptomEdge::Kind;

inline detect::SymptomEdge Opened(const v1::Symptom& symptom) {
  return {EdgeKind::kOpened, symptom};
}
inline detect::SymptomEdge Standing(const v1::Symptom& symptom) {
  return {EdgeKind::kStanding, symptom};
}
inline detect::SymptomEdge Updated(v1::Symptom symptom, absl::Time at,
                                   v1::Priority priority) {
  *symptom.mutable_updated_at() = wire::ToStamp(at);
  symptom.set_priority(priority);
  return {EdgeKind::kUpdated, symptom};
}
inline detect::SymptomEdge Cleared(v1::Symptom symptom, absl::Time at) {
  *symptom.mutable_updated_at() = wire::ToStamp(at);
  *symptom.mutable_cleared_at() = wire::ToStamp(at);
  return {EdgeKind::kCleared, symptom};
}
inline detect::SymptomEdge Reconciled(const std::string& endpoint,
                                      absl::Time at) {
  detect::SymptomEdge edge{EdgeKind::kReconciled, {}};
  edge.symptom.set_endpoint_id(endpoint);
  *edge.symptom.mutable_updated_at() = wire::ToStamp(at);
  return edge;
}

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_CORRELATE_SYMPTOM_MAKER_H_
