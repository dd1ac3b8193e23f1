#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "collector/cli/commands.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

constexpr size_t kLongestComment = 64 * 1024;

std::string TicketPath(uint32_t id) {
  return absl::StrCat("/api/v1/tickets/", id);
}

// What a verb answered, in one line.
absl::Status ShowChange(Session& session, const JsonValue& answer) {
  if (!session.output().table()) {
    session.output().Show(answer);
    return absl::OkStatus();
  }
  v1::Ticket ticket;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(answer, ticket));
  session.output().ShowText(absl::StrCat(
      "ticket ", ticket.id(), " is ",
      ShowEnum(v1::TicketState_Name(ticket.state())),
      ticket.assignee().empty() ? "" : ", assigned to ", ticket.assignee()));
  return absl::OkStatus();
}

template <typename Request>
absl::Status PostComment(Session& session, const std::string& verb, uint32_t id,
                         const std::string& comment) {
  Request request;
  request.set_comment(comment);
  auto answer = session.Post(absl::StrCat(TicketPath(id), "/", verb), request);
  if (!answer.ok()) {
    return base::Annotate(answer.status(), absl::StrCat(verb, " ticket ", id));
  }
  return ShowChange(session, *answer);
}

}  // namespace

absl::Status ListTickets(Session& session, const TicketListOptions& options) {
  std::string path = "/api/v1/tickets?state=";
  if (!options.all) absl::StrAppend(&path, EscapeForUrl(options.state));
  if (!options.endpoint.empty()) {
    absl::StrAppend(&path, "&endpoint=", EscapeForUrl(options.endpoint));
  }
  if (!options.assignee.empty()) {
    absl::StrAppend(&path, "&assignee=", EscapeForUrl(options.assignee));
  }
  auto answer = session.GetList(path, "tickets", options.limit);
  if (!answer.ok()) return base::Annotate(answer.status(), "list tickets");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::TicketList list;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, list));
  TextTable table(
      {"ID", "PRIO", "STATE", "ENDPOINT", "OPENED", "ASSIGNEE", "TITLE"});
  for (const v1::Ticket& ticket : list.tickets()) {
    table.Add({absl::StrCat(ticket.id()), PriorityCell(ticket.priority()),
               ShowEnum(v1::TicketState_Name(ticket.state())),
               ticket.host_name(),
               ShowTime(ticket.opened_at(), ticket.has_opened_at()),
               ticket.assignee().empty() ? "-" : ticket.assignee(),
               ticket.title_text()});
  }
  if (table.empty()) {
    session.output().Say(options.all ? "There are no tickets."
                                     : "No such tickets are there; --all "
                                       "shows resolved ones too.");
    return absl::OkStatus();
  }
  session.output().Show(table);
  return absl::OkStatus();
}

absl::Status ShowTicket(Session& session, uint32_t id) {
  auto answer = session.Get(TicketPath(id));
  if (!answer.ok()) {
    return base::Annotate(answer.status(), absl::StrCat("show ticket ", id));
  }
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::TicketDetail detail;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, detail));
  session.output().ShowText(detail.rendered());
  return absl::OkStatus();
}

absl::Status AssignTicket(Session& session, uint32_t id,
                          const std::string& assignee) {
  v1::AssignRequest request;
  request.set_assignee(assignee);
  auto answer = session.Post(absl::StrCat(TicketPath(id), "/assign"), request);
  if (!answer.ok()) {
    return base::Annotate(answer.status(), absl::StrCat("assign ticket ", id));
  }
  return ShowChange(session, *answer);
}

absl::Status ChangeTicket(Session& session, const std::string& verb,
                          uint32_t id, const std::string& comment) {
  std::string text = comment;
  if (comment == "-") {
    text.assign(std::istreambuf_iterator<char>(session.in()), {});
    if (text.size() > kLongestComment) {
      return absl::InvalidArgumentError("a comment has at most 64 KiB");
    }
  }
  if (verb == "acknowledge") {
    return PostComment<v1::AcknowledgeRequest>(session, verb, id, text);
  }
  if (verb == "comment") {
    return PostComment<v1::CommentRequest>(session, verb, id, text);
  }
  if (verb == "resolve") {
    return PostComment<v1::ResolveRequest>(session, verb, id, text);
  }
  return PostComment<v1::ReopenRequest>(session, verb, id, text);
}

}  // namespace forewarn::cli
