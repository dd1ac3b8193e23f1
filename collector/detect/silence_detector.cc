#include "collector/detect/silence_detector.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/detect/symptom_writer.h"

namespace forewarn::detect {
namespace {

constexpr char kLostServer[] = "agent_lost_server";
constexpr char kLostWorkstation[] = "agent_lost_workstation";
constexpr char kStopped[] = "agent_stopped";
constexpr absl::Duration kQuiet = absl::Minutes(15);

void AddSteps(absl::string_view rule, v1::Runbook& runbook) {
  if (rule == kStopped) {
    runbook.set_article("agent-stopped");
    runbook.add_causes("An administrator stopped the agent or the machine");
    runbook.add_causes("An update stopped it and did not start it again");
    runbook.add_steps("Ask who works on the machine");
    runbook.add_steps(
        "Run `systemctl status forewarn-agent` there and start it again");
    return;
  }
  runbook.set_article("agent-lost");
  runbook.add_causes("The machine is down, hangs or has lost power");
  runbook.add_causes("Its network, or the way to the collector, is down");
  runbook.add_causes("The agent was killed or hangs");
  runbook.add_steps("Ping the machine and open its console");
  runbook.add_steps("Look whether others of its site are lost as well");
  runbook.add_steps(
      "If it answers: `systemctl status forewarn-agent` and "
      "`forewarn-agent doctor`");
}

}  // namespace

SilenceDetector::SilenceDetector(EndpointProfile profile,
                                 SilenceOptions options, SymptomSink& sink)
    : profile_(std::move(profile)), options_(options), sink_(sink) {}

void SilenceDetector::SetProfile(EndpointProfile profile) {
  profile_ = std::move(profile);
}

bool SilenceDetector::MayRoam() const {
  return profile_.endpoint_class == v1::ENDPOINT_CLASS_WORKSTATION ||
         profile_.endpoint_class == v1::ENDPOINT_CLASS_LAPTOP;
}

SilenceDetector::Expectation SilenceDetector::Expect() const {
  switch (presence_) {
    case v1::PRESENCE_ONLINE:
    case v1::PRESENCE_LOST:
      if (profile_.endpoint_class == v1::ENDPOINT_CLASS_LAPTOP) {
        return {kLostWorkstation, v1::INFO, options_.stopped_after};
      }
      return MayRoam() ? Expectation{kLostWorkstation, v1::P4,
                                     options_.stopped_after}
                       : Expectation{kLostServer, v1::P2,
                                     options_.lost_after};
    case v1::PRESENCE_STOPPED:
      return {kStopped, v1::P3, options_.stopped_after};
    case v1::PRESENCE_OFF:
    case v1::PRESENCE_ASLEEP:
      if (MayRoam()) return {};
      return {kStopped, v1::P3, options_.stopped_after};
    default:
      return {};
  }
}

void SilenceDetector::Heard(absl::Time now) {
  presence_ = v1::PRESENCE_ONLINE;
  last_heard_ = counting_since_ = now;
  Clear(now);
}

void SilenceDetector::SaidGoodbye(v1::Goodbye::Reason reason,
                                  absl::Time now) {
  last_heard_ = counting_since_ = now;
  switch (reason) {
    case v1::Goodbye::REASON_STOP:
      presence_ = v1::PRESENCE_STOPPED;
      break;
    case v1::Goodbye::REASON_SHUTDOWN:
      presence_ = v1::PRESENCE_OFF;
      break;
    case v1::Goodbye::REASON_SUSPEND:
      presence_ = v1::PRESENCE_ASLEEP;
      break;
    default:
      // No reason is no goodbye.
      presence_ = v1::PRESENCE_ONLINE;
  }
  // It was there to say so: a loss is over.
  Clear(now);
}

void SilenceDetector::Resume(v1::Presence presence, absl::Time last_seen,
                             absl::Time now, bool symptom_open) {
  presence_ = presence;
  last_heard_ = last_seen;
  // Nobody listened while the collector was down.
  counting_since_ = now;
  const Expectation expectation = Expect();
  if (!symptom_open || expectation.rule == nullptr) return;
  symptom_ = MakeSymptom(expectation, now, last_seen + expectation.after);
}

void SilenceDetector::Check(absl::Time now) {
  const absl::Duration silent = now - counting_since_;
  if (presence_ == v1::PRESENCE_ONLINE && silent >= options_.lost_after) {
    presence_ = v1::PRESENCE_LOST;
  }
  const Expectation expectation = Expect();
  if (symptom_ && symptom_->priority() == v1::INFO &&
      now - last_heard_ >= options_.missed_after) {
    symptom_->set_priority(v1::P4);
    SetTime(now, *symptom_->mutable_updated_at());
    sink_.Accept({SymptomEdge::Kind::kUpdated, *symptom_});
    return;
  }
  if (expectation.rule == nullptr || symptom_ ||
      silent < expectation.after) {
    return;
  }
  symptom_ = MakeSymptom(expectation, now, now);
  sink_.Accept({SymptomEdge::Kind::kOpened, *symptom_});
}

v1::Symptom SilenceDetector::MakeSymptom(const Expectation& expectation,
                                         absl::Time now,
                                         absl::Time opened_at) const {
  v1::Symptom symptom;
  symptom.set_fingerprint(Fingerprint(profile_.id, expectation.rule, ""));
  symptom.set_endpoint_id(profile_.id);
  symptom.set_host_name(profile_.host_name);
  symptom.set_rule(expectation.rule);
  symptom.set_detector(v1::DETECTOR_KIND_SILENCE);
  symptom.set_subsystem("agent");
  symptom.set_priority(expectation.priority);
  SetTime(opened_at, *symptom.mutable_opened_at());
  SetTime(now, *symptom.mutable_updated_at());
  SetTime(last_heard_, *symptom.mutable_since());
  SetDuration(kQuiet, *symptom.mutable_quiet());

  const absl::Duration silent = now - last_heard_;
  const auto write = [&](const char* part, v1::Text& text) {
    text.set_key(absl::StrCat("rule.", expectation.rule, ".", part));
    v1::Parameter& host = *text.add_parameters();
    host.set_name("host");
    host.set_text(profile_.host_name.empty() ? profile_.id
                                             : profile_.host_name);
    v1::Parameter& duration = *text.add_parameters();
    duration.set_name("duration");
    SetDuration(silent, *duration.mutable_duration());
    v1::Parameter& since = *text.add_parameters();
    since.set_name("since");
    SetTime(last_heard_, *since.mutable_time());
    if (expectation.rule != absl::string_view(kStopped)) return;
    v1::Parameter& reason = *text.add_parameters();
    reason.set_name("reason");
    reason.set_text(presence_ == v1::PRESENCE_OFF      ? "shutdown"
                    : presence_ == v1::PRESENCE_ASLEEP ? "suspend"
                                                       : "stop");
  };
  write("title", *symptom.mutable_title());
  write("explanation", *symptom.mutable_explanation());

  v1::Evidence& evidence = *symptom.mutable_evidence();
  evidence.set_value(absl::ToDoubleSeconds(silent));
  evidence.set_unit("s");
  evidence.set_has_expected_high(true);
  evidence.set_expected_high(absl::ToDoubleSeconds(expectation.after));
  evidence.set_score(1);
  AddSteps(expectation.rule, *symptom.mutable_runbook());
  return symptom;
}

void SilenceDetector::Clear(absl::Time now) {
  if (!symptom_) return;
  SymptomWriter::Close(now, 0.0, *symptom_);
  sink_.Accept({SymptomEdge::Kind::kCleared, *std::move(symptom_)});
  symptom_.reset();
}

std::optional<v1::Symptom> SilenceDetector::Standing() const {
  return symptom_;
}

}  // namespace forewarn::detect
