#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "collector/words/text_page.h"
#include "collector/words/visible.h"
#include "collector/words/words.h"
#include "protos/wire/proto_time.h"

namespace forewarn::words {
namespace {

// A ticket is a page, not a book; the rest is in the API.
constexpr int kMostSymptoms = 20;
constexpr int kMostProcesses = 5;
constexpr int kMostEvents = 40;
constexpr size_t kLongestComment = 4096;

const char* ShowState(v1::TicketState state) {
  switch (state) {
    case v1::NEW:
      return "new";
    case v1::ACKNOWLEDGED:
      return "acknowledged";
    case v1::IN_PROGRESS:
      return "in progress";
    case v1::WAITING:
      return "waiting";
    case v1::RESOLVED:
      return "resolved";
    case v1::CLOSED:
      return "closed";
    default:
      return "state unknown";
  }
}

std::string ShowPriority(v1::Priority priority) {
  return priority == v1::PRIORITY_UNSPECIFIED ? "P?"
                                              : v1::Priority_Name(priority);
}

const char* ShowDetector(v1::DetectorKind kind) {
  switch (kind) {
    case v1::DETECTOR_KIND_FORECAST:
      return "forecast";
    case v1::DETECTOR_KIND_ANOMALY:
      return "anomaly";
    case v1::DETECTOR_KIND_PEER:
      return "comparison with its peers";
    case v1::DETECTOR_KIND_SILENCE:
      return "silence";
    default:
      return "rule";
  }
}

// Where and when a ticket stands.
void WriteHead(const v1::Ticket& ticket, const Words& words, TextPage& page) {
  const std::string title = ticket.title_text().empty()
                                ? words.Render(ticket.title())
                                : Visible(ticket.title_text());
  page.Paragraph(absl::StrCat("T-", ticket.id(), "  ", title), 0);
  std::string endpoint = Visible(
      ticket.host_name().empty() ? ticket.endpoint_id() : ticket.host_name());
  if (!ticket.site().empty()) {
    absl::StrAppend(&endpoint, " (", Visible(ticket.site()), ")");
  }
  std::vector<std::string> parts = {
      absl::StrCat("[", ShowPriority(ticket.priority()), "] ",
                   ShowState(ticket.state())),
      ticket.assignee().empty()
          ? "unassigned"
          : absl::StrCat("assigned to ", Visible(ticket.assignee())),
      endpoint,
      absl::StrCat("opened ", ShowTime(wire::ToTime(ticket.opened_at())))};
  if (ticket.reopened() > 0) {
    parts.push_back(absl::StrCat("opened again ", ticket.reopened(),
                                 ticket.reopened() == 1 ? " time" : " times"));
  }
  if (ticket.has_resolved_at()) {
    parts.push_back(absl::StrCat("resolved ",
                                 ShowTime(wire::ToTime(ticket.resolved_at()))));
  }
  page.Paragraph(absl::StrJoin(parts, " · "), 0);
}

std::string ShowExpected(const v1::Evidence& evidence) {
  const std::string low =
      ShowQuantity(evidence.expected_low(), evidence.unit());
  const std::string high =
      ShowQuantity(evidence.expected_high(), evidence.unit());
  if (evidence.has_expected_low() && evidence.has_expected_high()) {
    return absl::StrCat(" (expected ", low, " to ", high, ")");
  }
  if (evidence.has_expected_high()) {
    return absl::StrCat(" (expected at most ", high, ")");
  }
  if (evidence.has_expected_low()) {
    return absl::StrCat(" (expected at least ", low, ")");
  }
  return "";
}

std::string ShowSeries(const v1::Symptom& symptom) {
  std::vector<std::string> attributes;
  for (const v1::Attribute& attribute : symptom.attributes()) {
    attributes.push_back(absl::StrCat(Visible(attribute.key()), "=",
                                      Visible(attribute.value())));
  }
  if (attributes.empty()) return Visible(symptom.metric());
  return absl::StrCat(Visible(symptom.metric()), " {",
                      absl::StrJoin(attributes, ", "), "}");
}

void WriteTimeLeft(const v1::Evidence& evidence, TextPage& page) {
  if (!evidence.has_time_left()) return;
  const v1::TimeLeft& left = evidence.time_left();
  std::string interval =
      absl::StrCat("at least ", ShowDuration(wire::ToDuration(left.low())));
  if (left.has_high()) {
    interval = absl::StrCat(ShowDuration(wire::ToDuration(left.low())), " to ",
                            ShowDuration(wire::ToDuration(left.high())));
  }
  page.Field("Time left",
             absl::StrCat(ShowDuration(wire::ToDuration(left.middle())), " (",
                          interval, ")"));
  if (left.has_limit_at()) {
    page.Field("Limit",
               absl::StrCat(ShowQuantity(left.limit(), evidence.unit()),
                            ", reached about ",
                            ShowTime(wire::ToTime(left.limit_at()))));
  }
}

void WriteChart(const v1::Evidence& evidence, TextPage& page) {
  const auto& window = evidence.window();
  if (window.size() < 2) return;
  const auto [low, high] = std::minmax_element(
      window.begin(), window.end(),
      [](const auto& a, const auto& b) { return a.value() < b.value(); });
  const absl::Time first = wire::ToTime(window.begin()->time());
  const absl::Time last = wire::ToTime(window.rbegin()->time());
  page.Line(absl::StrCat("  Chart       ", Sparkline(window, 60)));
  page.Field(
      "", absl::StrCat("lowest ", ShowQuantity(low->value(), evidence.unit()),
                       ", highest ",
                       ShowQuantity(high->value(), evidence.unit()), ", over ",
                       ShowDuration(last - first), " to ", ShowTime(last)));
}

void WriteWhy(const v1::Symptom& lead, const Words& words, TextPage& page) {
  page.Heading("Why");
  if (!lead.explanation().key().empty()) {
    page.Paragraph(words.Render(lead.explanation()));
  }
  if (lead.has_note()) page.Paragraph(words.Render(lead.note()));
  const v1::Evidence& evidence = lead.evidence();
  const absl::Time since =
      wire::ToTime(lead.has_since() ? lead.since() : lead.opened_at());
  const absl::Time until = wire::ToTime(
      lead.has_cleared_at() ? lead.cleared_at() : lead.updated_at());
  if (!evidence.unit().empty()) {
    page.Field("Value",
               absl::StrCat(ShowQuantity(evidence.value(), evidence.unit()),
                            ShowExpected(evidence)));
  }
  page.Field("Since", until > since
                          ? absl::StrCat(ShowTime(since), " (for ",
                                         ShowDuration(until - since), ")")
                          : ShowTime(since));
  if (lead.has_cleared_at()) {
    page.Field("Cleared", ShowTime(until));
  } else {
    WriteTimeLeft(evidence, page);
    if (lead.has_updated_at()) page.Field("As of", ShowTime(until));
  }
  WriteChart(evidence, page);
  if (!lead.metric().empty()) page.Field("Measured", ShowSeries(lead));
  std::string found_by =
      absl::StrCat(ShowDetector(lead.detector()), " ", Visible(lead.rule()));
  if (evidence.score() > 0 && evidence.score() < 1) {
    absl::StrAppend(&found_by, ", sure to ",
                    ShowQuantity(evidence.score(), "1"));
  }
  page.Field("Found by", found_by);
}

// Of a problem: what explains it, and who has it.
void WriteMembers(const v1::TicketDetail& detail, TextPage& page) {
  if (!detail.has_problem()) return;
  const v1::Problem& problem = detail.problem();
  page.Heading(absl::StrCat("Endpoints: ", problem.members()));
  if (!problem.factor().empty()) {
    page.Item("common  ",
              absl::StrFormat("%.0f %% are of %s %s, %.1f times as many as in "
                              "the fleet",
                              100 * problem.factor_share(),
                              Visible(problem.factor_kind()),
                              Visible(problem.factor()), problem.lift()));
  }
  for (int i = 0; i < std::min(detail.member_tickets_size(), kMostSymptoms);
       ++i) {
    const v1::Ticket& member = detail.member_tickets(i);
    page.Item(FitTo(absl::StrCat("#", member.id()), 8),
              absl::StrCat(Visible(member.host_name()), ", ",
                           ShowState(member.state())));
  }
  if (detail.member_tickets_size() > kMostSymptoms) {
    page.Item("        ",
              absl::StrCat("and ", detail.member_tickets_size() - kMostSymptoms,
                           " more"));
  }
}

void WriteFurther(const v1::TicketDetail& detail, const Words& words,
                  TextPage& page) {
  if (detail.symptoms_size() < 2) return;
  page.Heading("Also");
  for (int i = 1; i < std::min(detail.symptoms_size(), kMostSymptoms); ++i) {
    const v1::Symptom& symptom = detail.symptoms(i);
    std::string text = words.Render(symptom.title());
    if (!symptom.evidence().unit().empty()) {
      absl::StrAppend(
          &text, ": ",
          ShowQuantity(symptom.evidence().value(), symptom.evidence().unit()),
          ShowExpected(symptom.evidence()));
    }
    absl::StrAppend(
        &text, ", since ",
        ShowTime(wire::ToTime(symptom.has_since() ? symptom.since()
                                                  : symptom.opened_at())));
    if (symptom.has_cleared_at()) {
      absl::StrAppend(&text, ", cleared ",
                      ShowTime(wire::ToTime(symptom.cleared_at())));
    }
    if (symptom.has_note()) {
      absl::StrAppend(&text, ". ", words.Render(symptom.note()));
    }
    page.Item(FitTo(ShowPriority(symptom.priority()), 4), text);
  }
  if (detail.symptoms_size() > kMostSymptoms) {
    page.Item(
        "    ",
        absl::StrCat("and ", detail.symptoms_size() - kMostSymptoms, " more"));
  }
}

void WriteProcessTable(
    absl::string_view heading,
    const google::protobuf::RepeatedPtrField<v1::Process>& processes,
    TextPage& page) {
  if (processes.empty()) return;
  page.Line(absl::StrFormat("  %7s  %s  %6s  %10s  %s", "PID",
                            FitTo("USER", 10), "CPU", "MEMORY", heading));
  for (int i = 0; i < std::min(processes.size(), kMostProcesses); ++i) {
    const v1::Process& process = processes[i];
    const std::string command =
        Visible(process.command().empty() ? process.name() : process.command());
    page.Line(absl::StrFormat(
        "  %7u  %s  %6s  %10s  %s", process.pid(),
        FitTo(Visible(process.user()), 10),
        absl::StrFormat("%.0f %%", process.cpu_ratio() * 100),
        ShowQuantity(static_cast<double>(process.memory_bytes()), "By"),
        FitTo(command, TextPage::kWidth - 43)));
  }
}

void WriteProcesses(const v1::TicketDetail& detail, TextPage& page) {
  for (const v1::Symptom& symptom : detail.symptoms()) {
    const v1::ProcessSnapshot& snapshot = symptom.evidence().processes();
    if (snapshot.top_cpu().empty() && snapshot.top_memory().empty()) continue;
    page.Heading("Top processes");
    page.Paragraph(
        absl::StrCat("At ", ShowTime(wire::ToTime(snapshot.time())), ":"));
    WriteProcessTable("BY CPU", snapshot.top_cpu(), page);
    WriteProcessTable("BY MEMORY", snapshot.top_memory(), page);
    return;
  }
}

void WriteChanges(const v1::TicketDetail& detail, TextPage& page) {
  for (const v1::Symptom& symptom : detail.symptoms()) {
    if (symptom.evidence().recent_events().empty()) continue;
    page.Heading("What changed lately");
    for (const v1::Event& event : symptom.evidence().recent_events()) {
      std::string text = Visible(
          event.message().empty() ? event.name() : event.message(), 300);
      std::vector<std::string> attributes;
      for (const v1::Attribute& attribute : event.attributes()) {
        attributes.push_back(absl::StrCat(Visible(attribute.key(), 64), "=",
                                          Visible(attribute.value(), 128)));
      }
      if (!attributes.empty()) {
        absl::StrAppend(&text, " (", absl::StrJoin(attributes, ", "), ")");
      }
      page.Item(ShowTime(wire::ToTime(event.time())), text);
    }
    return;
  }
}

// Rule files are ours or the administrator's: line breaks in them are layout.
std::string RuleText(absl::string_view text) {
  std::string joined(text);
  std::replace(joined.begin(), joined.end(), '\n', ' ');
  return Visible(joined, 1000);
}

void WriteRunbook(const v1::Runbook& runbook, TextPage& page) {
  if (runbook.causes_size() > 0) {
    page.Heading("Likely causes");
    for (const std::string& cause : runbook.causes()) {
      page.Item("-", RuleText(cause));
    }
  }
  if (runbook.steps_size() == 0 && runbook.article().empty()) return;
  page.Heading("What to do");
  int number = 0;
  for (const std::string& step : runbook.steps()) {
    page.Item(absl::StrCat(++number, "."), RuleText(step));
  }
  if (!runbook.article().empty()) {
    page.Paragraph(absl::StrCat("Article: ", Visible(runbook.article(), 128)));
  }
}

void WriteHistory(const v1::TicketDetail& detail, const Words& words,
                  TextPage& page) {
  if (detail.events().empty()) return;
  page.Heading("History");
  const int skipped = std::max(0, detail.events_size() - kMostEvents);
  if (skipped > 0) {
    page.Paragraph(absl::StrCat("(", skipped, " earlier entries left out)"));
  }
  for (int i = skipped; i < detail.events_size(); ++i) {
    const v1::TicketEvent& event = detail.events(i);
    std::string text = event.text().key().empty() ? Visible(event.verb(), 64)
                                                  : words.Render(event.text());
    if (!event.comment().empty()) {
      absl::StrAppend(&text, ": ", Visible(event.comment(), kLongestComment));
    }
    page.Item(absl::StrCat(ShowTime(wire::ToTime(event.time())), "  ",
                           Visible(event.actor(), 64), ":"),
              text);
  }
}

void WriteUndelivered(const v1::TicketDetail& detail, TextPage& page) {
  bool first = true;
  for (const v1::Notification& notification : detail.notifications()) {
    if (!notification.has_given_up_at()) continue;
    if (first) page.Heading("Not delivered");
    first = false;
    page.Item(absl::StrCat(Visible(notification.channel(), 64), ":"),
              absl::StrCat(Visible(notification.event(), 64), ", given up ",
                           ShowTime(wire::ToTime(notification.given_up_at())),
                           " after ", notification.attempts(), " attempts: ",
                           Visible(notification.last_error(), 300)));
  }
}

}  // namespace

std::string RenderTicket(const v1::TicketDetail& detail, const Words& words) {
  TextPage page;
  WriteHead(detail.ticket(), words, page);
  if (detail.symptoms_size() > 0) WriteWhy(detail.symptoms(0), words, page);
  WriteMembers(detail, page);
  WriteFurther(detail, words, page);
  WriteProcesses(detail, page);
  WriteChanges(detail, page);
  if (detail.symptoms_size() > 0) {
    WriteRunbook(detail.symptoms(0).runbook(), page);
  }
  WriteHistory(detail, words, page);
  WriteUndelivered(detail, page);
  return page.Take();
}

}  // namespace forewarn::words
