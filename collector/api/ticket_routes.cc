#include "collector/api/ticket_routes.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "collector/api/endpoint_lookup.h"
#include "collector/api/json.h"
#include "collector/api/paging.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

using desk::TicketDesk;

constexpr char kTicket[] = "/api/v1/tickets/{id}";
constexpr v1::TicketState kOpenStates[] = {v1::NEW, v1::ACKNOWLEDGED,
                                           v1::IN_PROGRESS, v1::WAITING};

// "open", or states by name with commas between: "new,in_progress".
absl::Status ReadStates(absl::string_view text,
                        std::vector<v1::TicketState>& states) {
  if (text.empty()) return absl::OkStatus();
  for (absl::string_view name : absl::StrSplit(text, ',')) {
    if (name == "open") {
      states.insert(states.end(), std::begin(kOpenStates),
                    std::end(kOpenStates));
      continue;
    }
    v1::TicketState state = v1::TICKET_STATE_UNSPECIFIED;
    if (!v1::TicketState_Parse(absl::AsciiStrToUpper(name), &state) ||
        state == v1::TICKET_STATE_UNSPECIFIED) {
      return absl::InvalidArgumentError(
          "state must be open, or of new, acknowledged, in_progress, waiting, "
          "resolved and closed with commas between");
    }
    states.push_back(state);
  }
  return absl::OkStatus();
}

void Render(const ApiServices& services, v1::Ticket& ticket) {
  ticket.set_title_text(services.words.Render(ticket.title()));
}

absl::StatusOr<HttpResponse> ListTickets(const ApiServices& services,
                                         Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const Page page, PageOf(call, 't'));
  desk::TicketFilter filter;
  filter.before_id = page.cursor;
  filter.limit = page.limit + 1;  // one more tells whether a page follows
  filter.assignee = call.Query("assignee");
  FOREWARN_RETURN_IF_ERROR(ReadStates(call.Query("state"), filter.states));
  FOREWARN_ASSIGN_OR_RETURN(filter.endpoint_id, EndpointIdOf(services, call));
  FOREWARN_ASSIGN_OR_RETURN(
      filter.problem,
      call.QueryNumber("problem", 0, 1, std::numeric_limits<uint32_t>::max()));
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Ticket> tickets,
                            services.desk.List(filter));
  v1::TicketList list;
  for (v1::Ticket& ticket : tickets) {
    if (list.tickets_size() == static_cast<int>(page.limit)) {
      list.set_next_cursor(
          FormatCursor('t', list.tickets(list.tickets_size() - 1).id()));
      break;
    }
    Render(services, ticket);
    *list.add_tickets() = std::move(ticket);
  }
  return JsonResponse(list);
}

absl::StatusOr<HttpResponse> ShowTicket(const ApiServices& services,
                                        Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const uint32_t id, call.PathNumber("id"));
  FOREWARN_ASSIGN_OR_RETURN(v1::TicketDetail detail, services.desk.Find(id));
  Render(services, *detail.mutable_ticket());
  for (v1::TicketEvent& event : *detail.mutable_events()) {
    event.set_rendered(services.words.Render(event.text()));
  }
  detail.set_rendered(words::RenderTicket(detail, services.words));
  return JsonResponse(detail);
}

// A verb: reads the body, lets the desk do it, answers with the ticket.
template <typename Body>
RouteHandler Verb(const ApiServices& services,
                  absl::StatusOr<v1::Ticket> (TicketDesk::*verb)(
                      uint32_t, absl::string_view, absl::string_view),
                  absl::string_view (*text)(const Body&), bool text_first) {
  return [&services, verb, text,
          text_first](Call& call) -> absl::StatusOr<HttpResponse> {
    FOREWARN_ASSIGN_OR_RETURN(const uint32_t id, call.PathNumber("id"));
    Body body;
    FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, body));
    FOREWARN_ASSIGN_OR_RETURN(const v1::TicketDetail before,
                              services.desk.Find(id));
    const absl::string_view words = text(body);
    FOREWARN_ASSIGN_OR_RETURN(
        v1::Ticket ticket,
        text_first ? (services.desk.*verb)(id, words, call.actor())
                   : (services.desk.*verb)(id, call.actor(), words));
    Render(services, ticket);
    std::string detail =
        absl::StrCat("state ", v1::TicketState_Name(before.ticket().state()),
                     " -> ", v1::TicketState_Name(ticket.state()));
    if (before.ticket().assignee() != ticket.assignee()) {
      absl::StrAppend(&detail, ", assignee '", before.ticket().assignee(),
                      "' -> '", ticket.assignee(), "'");
    }
    call.Audit(absl::StrCat("ticket/", id), std::move(detail));
    return JsonResponse(ticket);
  };
}

template <typename Body>
absl::string_view CommentOf(const Body& body) {
  return body.comment();
}
absl::string_view AssigneeOf(const v1::AssignRequest& body) {
  return body.assignee();
}

}  // namespace

std::vector<Route> TicketRoutes(const ApiServices& services) {
  auto post = [](const char* verb, RouteHandler handler) {
    return Route{.method = "POST",
                 .pattern = absl::StrCat(kTicket, "/", verb),
                 .access = Access::kTechnician,
                 .audit = absl::StrCat("ticket.", verb),
                 .handler = std::move(handler)};
  };
  return {
      {.method = "GET",
       .pattern = "/api/v1/tickets",
       .access = Access::kViewer,
       .query = {"state", "endpoint", "assignee", "problem", "cursor",
                 "limit"},
       .handler = [&services](Call& c) { return ListTickets(services, c); }},
      {.method = "GET",
       .pattern = kTicket,
       .access = Access::kViewer,
       .handler = [&services](Call& c) { return ShowTicket(services, c); }},
      post("acknowledge",
           Verb(services, &TicketDesk::Acknowledge,
                CommentOf<v1::AcknowledgeRequest>, /*text_first=*/false)),
      post("assign", Verb(services, &TicketDesk::Assign, AssigneeOf,
                          /*text_first=*/true)),
      post("comment", Verb(services, &TicketDesk::Comment,
                           CommentOf<v1::CommentRequest>, true)),
      post("resolve", Verb(services, &TicketDesk::Resolve,
                           CommentOf<v1::ResolveRequest>, true)),
      post("reopen", Verb(services, &TicketDesk::Reopen,
                          CommentOf<v1::ReopenRequest>, true)),
  };
}

}  // namespace forewarn::api
