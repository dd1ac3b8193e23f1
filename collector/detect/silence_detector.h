#ifndef FOREWARN_COLLECTOR_DETECT_SILENCE_DETECTOR_H_
#define FOREWARN_COLLECTOR_DETECT_SILENCE_DETECTOR_H_

#include <optional>

#include "absl/time/time.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/symptom.h"
#include "forewarn/v1/fleet.pb.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::detect {

struct SilenceOptions {
  absl::Duration lost_after = absl::Minutes(5);      // killed, frozen: P2
  absl::Duration stopped_after = absl::Minutes(30);  // said "stop": P3
  // A laptop not heard from for so long is missed.
  absl::Duration missed_after = absl::Hours(24 * 7);
};

// Tells sleep from loss for one endpoint.
//
// An agent that goes without a word, or whose stream says nothing though it is
// open, is lost after `lost_after`: P2 for a server or device, rule
// agent_lost_server. A workstation may just have been switched off at the wall:
// P4 after `stopped_after`, rule agent_lost_workstation. A laptop out of reach
// of its network is daily life: INFO then, P4 after `missed_after`. After "stop":
// P3 after `stopped_after`, rule agent_stopped. After suspend or shutdown of a
// workstation or laptop: none; of a server or device: as after a stop.
//
// Time is the caller's: any clock that only grows, with the collector's own
// downtime taken out by calling Resume at start. Thread-compatible.
class SilenceDetector {
 public:
  SilenceDetector(EndpointProfile profile, SilenceOptions options,
                  SymptomSink& sink);

  void SetProfile(EndpointProfile profile);
  // Anything was heard from the endpoint.
  void Heard(absl::Time now);
  void SaidGoodbye(v1::Goodbye::Reason reason, absl::Time now);
  // At the collector's start: what was known when it went down.
  void Resume(v1::Presence presence, absl::Time last_seen, absl::Time now,
              bool symptom_open);
  // Call every few seconds.
  void Check(absl::Time now);

  v1::Presence presence() const { return presence_; }
  absl::Time last_heard() const { return last_heard_; }
  std::optional<v1::Symptom> Standing() const;

 private:
  struct Expectation {
    const char* rule = nullptr;  // nullptr: silence is in order
    v1::Priority priority = v1::PRIORITY_UNSPECIFIED;
    absl::Duration after;
  };
  Expectation Expect() const;
  bool MayRoam() const;
  v1::Symptom MakeSymptom(const Expectation& expectation, absl::Time now,
                          absl::Time opened_at) const;
  void Clear(absl::Time now);

  EndpointProfile profile_;
  SilenceOptions options_;
  SymptomSink& sink_;
  v1::Presence presence_ = v1::PRESENCE_NEVER_SEEN;
  absl::Time last_heard_ = absl::InfinitePast();
  absl::Time counting_since_ = absl::InfinitePast();
  std::optional<v1::Symptom> symptom_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SILENCE_DETECTOR_H_
