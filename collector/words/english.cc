#include "collector/words/english.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace forewarn::words {
namespace {

// {name|words} shows the words where the text has no such parameter.
constexpr Pattern kEnglish[] = {
    {"desk.event.opened", "Opened as {priority|a ticket}: {symptom|a symptom}"},
    {"desk.event.symptom_joined", "Further symptom: {symptom|unnamed}"},
    {"desk.event.symptom_cleared", "Symptom cleared: {symptom|unnamed}"},
    {"desk.event.all_clear",
     "All symptoms are clear. The ticket resolves by itself if they stay so "
     "for {duration|a while} and nobody has begun work"},
    {"desk.event.priority_raised",
     "Priority raised from {from|a lower one} to {priority|a higher one}"},
    {"desk.event.priority_lowered",
     "Priority lowered from {from|a higher one} to {priority|a lower one}"},
    {"desk.event.acknowledged", "Acknowledged"},
    {"desk.event.assigned", "Assigned to {assignee|nobody}"},
    {"desk.event.commented", "Commented"},
    {"desk.event.resolved", "Resolved"},
    {"desk.event.resolved_by_itself",
     "Resolved by itself: all symptoms stayed clear for "
     "{duration|long enough}"},
    {"desk.event.recovered_noted",
     "Recovered: all symptoms stayed clear for {duration|long enough}. The "
     "ticket stays open because somebody has begun work on it"},
    {"desk.event.reopened", "Opened again"},
    {"desk.event.reopened_by_itself",
     "Opened again by itself: {symptom|a symptom} came back"},
    {"desk.event.joined_problem",
     "Belongs to problem #{problem|unknown}, which is told in its place"},
    {"desk.event.problem_opened",
     "Opened for {count|many endpoints} with one symptom"},
    {"desk.event.problem_goes_on",
     "Opened again by itself: further endpoints have it, {count|many} by now"},
    {"desk.event.problem_resolved_by_itself",
     "Resolved by itself: the last of its incidents is over, "
     "{duration|some time} after it began"},
    {"desk.event.problem_recovered_noted",
     "Recovered: the last of its incidents is over. The ticket stays open "
     "because somebody has begun work on it"},
    {"symptom.note.poor_forecast",
     "Evidence only: of the last {scored|forecasts} by this rule whose time "
     "has come, {came|few} came true"},
    {"desk.problem.title", "{count|Many endpoints} at once: {symptom|trouble}"},
    {"desk.problem.title_with_factor",
     "{count|Many endpoints} at once ({factor}): {symptom|trouble}"},

    {"rule.anomaly.title", "Unusual {subsystem|behaviour} on {host|endpoint}"},
    {"rule.anomaly.explanation",
     "{metric|A measurement} is at {value|a value} that this endpoint does not "
     "normally show at this time. No limit is broken; look at what changed and "
     "at the processes below."},
    {"rule.anomaly.jump.explanation",
     "{metric|A measurement} jumped to {value|a value}; from where it stood, "
     "{low|less} to {high|more} would have been no news for this endpoint."},
    {"rule.anomaly.level.explanation",
     "{metric|A measurement} is at {value|a value}; this endpoint is used to "
     "{low|less} to {high|more}."},
    {"rule.anomaly.hour.explanation",
     "{metric|A measurement} is at {value|a value}; at this hour of the day "
     "this endpoint is used to {low|less} to {high|more}."},
    {"rule.anomaly.shift.explanation",
     "{metric|A measurement} has moved to {value|a value} within the last "
     "minutes and stays there; the hour before it kept to {low|less} to "
     "{high|more}."},
    {"rule.anomaly.unrest.explanation",
     "{metric|A measurement}, now at {value|a value}, moves up and down in "
     "another way than this endpoint is used to: more restless, or frozen. "
     "Usual is {low|less} to {high|more}."},
    {"rule.peer.title",
     "{host|An endpoint} has parted from its peers: {subsystem|behaviour}"},
    {"rule.peer.explanation",
     "{metric|A measurement} is at {value|a value}, while {count|others} like "
     "it are at {peers|another} in the middle. It changed on this one and not "
     "on the others; up to {high|less} would have been no news."},
    {"rule.agent_lost_server.title", "{host|An endpoint} is not heard from"},
    {"rule.agent_lost_server.explanation",
     "{host|The endpoint} has been silent for {duration|too long} and did not "
     "say goodbye. The machine may be down, frozen or cut off from the "
     "network; nothing else about it is known from then on."},
    {"rule.agent_lost_workstation.title",
     "{host|A workstation} is not heard from"},
    {"rule.agent_lost_workstation.explanation",
     "{host|The workstation} has been silent for {duration|long} and did not "
     "say goodbye. It may have lost its network or been switched off hard."},
    {"rule.agent_stopped.title", "Monitoring of {host|an endpoint} is stopped"},
    {"rule.agent_stopped.explanation",
     "The agent on {host|the endpoint} said goodbye {duration|some time} ago "
     "({reason|stopped}) and has not come back. Faults there go unseen until "
     "it is started again."},
};

}  // namespace

absl::Span<const Pattern> EnglishPatterns() { return kEnglish; }

std::string EnglishPlural(absl::string_view noun, double count) {
  if (count == 1 || noun.empty() || noun == "rpm" || noun == "series") {
    return std::string(noun);
  }
  if (absl::EndsWith(noun, "y") && noun.size() > 1 &&
      !absl::StrContains("aeiou", noun.substr(noun.size() - 2, 1))) {
    return absl::StrCat(noun.substr(0, noun.size() - 1), "ies");
  }
  for (const char* ending : {"ss", "x", "ch", "sh"}) {
    if (absl::EndsWith(noun, ending)) return absl::StrCat(noun, "es");
  }
  return absl::EndsWith(noun, "s") ? std::string(noun)
                                   : absl::StrCat(noun, "s");
}

}  // namespace forewarn::words
