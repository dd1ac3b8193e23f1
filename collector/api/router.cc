#include "collector/api/router.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "collector/api/problem.h"
#include "collector/api/request_path.h"
#include "collector/api/status_mapping.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

const std::string& ValueOf(const Parameters& parameters,
                           absl::string_view name) {
  static const std::string& none = *new std::string;
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return none;
}

bool IsParameter(absl::string_view segment) {
  return absl::StartsWith(segment, "{") && absl::EndsWith(segment, "}");
}

// The parameters when `segments` fit the pattern.
std::optional<Parameters> Match(const std::vector<std::string>& pattern,
                                const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  Parameters parameters;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsParameter(pattern[i])) {
      parameters.emplace_back(pattern[i].substr(1, pattern[i].size() - 2),
                              segments[i]);
    } else if (pattern[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

int Rank(absl::string_view role) {
  if (role == "viewer") return 1;
  if (role == "technician") return 2;
  if (role == "admin") return 3;
  return 0;
}

int RankNeeded(Access access) {
  switch (access) {
    case Access::kPublic:
      return 0;
    case Access::kLocalOrViewer:
    case Access::kViewer:
      return 1;
    case Access::kTechnician:
      return 2;
    case Access::kAdmin:
    case Access::kUnspecified:
      break;
  }
  return 3;
}

bool IsLoopback(absl::string_view peer) {
  return peer == "::1" || absl::StartsWith(peer, "127.");
}

[[noreturn]] void Die(const Route& route, absl::string_view why) {
  base::Log(
      base::LogLevel::kError, "route table is wrong",
      {{"method", route.method}, {"pattern", route.pattern}, {"reason", why}});
  std::abort();
}

}  // namespace

Call::Call(const HttpRequest& request, Parameters path, Parameters query,
           std::optional<identity::Principal> principal)
    : request_(request),
      path_(std::move(path)),
      query_(std::move(query)),
      principal_(std::move(principal)) {}

const std::string& Call::Path(absl::string_view name) const {
  return ValueOf(path_, name);
}

absl::StatusOr<uint32_t> Call::PathNumber(absl::string_view name) const {
  uint32_t number = 0;
  if (!absl::SimpleAtoi(Path(name), &number) || number == 0) {
    return absl::NotFoundError(
        absl::StrCat(name, " ", Path(name), " is not a number"));
  }
  return number;
}

const std::string& Call::Query(absl::string_view name) const {
  return ValueOf(query_, name);
}

absl::StatusOr<uint32_t> Call::QueryNumber(absl::string_view name,
                                           uint32_t otherwise, uint32_t least,
                                           uint32_t most) const {
  const std::string& text = Query(name);
  if (text.empty()) return otherwise;
  uint32_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < least || number > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " must be a number from ", least, " to ", most));
  }
  return number;
}

absl::StatusOr<bool> Call::QueryFlag(absl::string_view name) const {
  const std::string& text = Query(name);
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be true or false"));
}

absl::string_view Call::actor() const {
  if (!principal_.has_value()) return {};
  return principal_->name;
}

void Call::Audit(std::string object, std::string detail) {
  audit_object_ = std::move(object);
  audit_detail_ = std::move(detail);
}

Router::Router(std::vector<Route> routes, Authenticate authenticate,
               AuditLog audit_log, Observer observer)
    : routes_(std::move(routes)),
      authenticate_(std::move(authenticate)),
      audit_log_(std::move(audit_log)),
      observer_(std::move(observer)) {
  absl::flat_hash_set<std::string> known;
  for (const Route& route : routes_) {
    if (route.access == Access::kUnspecified) Die(route, "access");
    if (route.handler == nullptr) Die(route, "no handler");
    if (!absl::StartsWith(route.pattern, "/")) Die(route, "pattern");
    if (!known.insert(absl::StrCat(route.method, " ", route.pattern)).second) {
      Die(route, "twice");
    }
    if (route.method != "GET" && route.audit.empty() && !route.read_only &&
        !route.audited_by_service) {
      Die(route, "a change without an audit verb");
    }
    patterns_.push_back(
        {absl::StrSplit(route.pattern.substr(1), '/', absl::SkipEmpty())});
  }
}

HttpResponse Router::Handle(const HttpRequest& request) const {
  const auto began = std::chrono::steady_clock::now();
  absl::string_view pattern;
  HttpResponse response = Find(request, pattern);
  if (observer_ != nullptr) {
    observer_(pattern, response.status,
              absl::FromChrono(std::chrono::steady_clock::now() - began));
  }
  return response;
}

HttpResponse Router::Find(const HttpRequest& request,
                          absl::string_view& pattern) const {
  auto target = ParseTarget(request.target);
  if (!target.ok()) return ErrorResponse(target.status(), request.id);
  const absl::string_view method =
      request.method == "HEAD" ? absl::string_view("GET") : request.method;
  std::vector<std::string> allowed;
  for (size_t i = 0; i < routes_.size(); ++i) {
    auto path = Match(patterns_[i].segments, target->segments);
    if (!path.has_value()) continue;
    const Route& route = routes_[i];
    if (route.method != method) {
      allowed.push_back(route.method);
      if (route.method == "GET") allowed.push_back("HEAD");
      continue;
    }
    pattern = route.pattern;
    auto principal = Admit(route, request);
    if (!principal.ok()) return ErrorResponse(principal.status(), request.id);
    for (const auto& [key, unused] : target->query) {
      if (std::find(route.query.begin(), route.query.end(), key) ==
          route.query.end()) {
        return ErrorResponse(
            absl::InvalidArgumentError(absl::StrCat(
                "unknown query key; known here: ",
                route.query.empty() ? "none"
                                    : absl::StrJoin(route.query, ", "))),
            request.id);
      }
    }
    Call call(request, *std::move(path), std::move(target->query),
              principal->name.empty() ? std::nullopt
                                      : std::make_optional(*principal));
    return Run(route, call);
  }
  if (allowed.empty()) {
    return ProblemResponse(404, "no such path", request.id);
  }
  const std::string list = absl::StrJoin(allowed, ", ");
  HttpResponse response =
      ProblemResponse(405, absl::StrCat("this path knows ", list), request.id);
  response.headers.emplace_back("Allow", list);
  return response;
}

absl::StatusOr<identity::Principal> Router::Admit(
    const Route& route, const HttpRequest& request) const {
  const int needed = RankNeeded(route.access);
  if (needed == 0 ||
      (route.access == Access::kLocalOrViewer && IsLoopback(request.peer))) {
    return identity::Principal{};
  }
  absl::string_view header = request.Header("authorization");
  if (header.empty()) {
    return absl::UnauthenticatedError("an API token is needed");
  }
  const size_t space = header.find(' ');
  if (space == absl::string_view::npos ||
      !absl::EqualsIgnoreCase(header.substr(0, space), "Bearer")) {
    return absl::UnauthenticatedError(
        "Authorization must be \"Bearer\" and an API token");
  }
  FOREWARN_ASSIGN_OR_RETURN(
      identity::Principal principal,
      authenticate_(absl::StripAsciiWhitespace(header.substr(space + 1))));
  if (Rank(principal.role) < needed) {
    base::Log(base::LogLevel::kWarning, "request refused",
              {{"request", request.id},
               {"actor", principal.name},
               {"role", principal.role},
               {"method", route.method},
               {"path", route.pattern}});
    return absl::PermissionDeniedError(absl::StrCat("this needs the role ",
                                                    needed == 3   ? "admin"
                                                    : needed == 2 ? "technician"
                                                                  : "viewer",
                                                    "; the token has the role ",
                                                    principal.role));
  }
  return principal;
}

HttpResponse Router::Run(const Route& route, Call& call) const {
  const HttpRequest& request = call.request();
  const absl::string_view type = request.Header("content-type");
  const absl::string_view media = absl::StripAsciiWhitespace(
      type.substr(0, std::min(type.size(), type.find(';'))));
  if (!request.body.empty()) {
    if (route.method != "POST") {
      return ProblemResponse(400, "this request takes no body", request.id);
    }
    if (!absl::EqualsIgnoreCase(media, "application/json")) {
      return ProblemResponse(415, "Content-Type must be application/json",
                             request.id);
    }
  }
  auto response = route.handler(call);
  if (!response.ok()) return ErrorResponse(response.status(), request.id);
  if (!route.audit.empty() && response->status < 400) {
    AuditEntry entry{.actor = std::string(call.actor()),
                     .verb = route.audit,
                     .object = call.audit_object(),
                     .detail = call.audit_detail()};
    if (entry.actor.empty()) entry.actor = absl::StrCat("peer ", request.peer);
    // The change is made; a gap in the log must not make it look undone.
    if (absl::Status status = audit_log_(entry); !status.ok()) {
      base::Log(base::LogLevel::kError, "audit entry lost",
                {{"request", request.id},
                 {"actor", entry.actor},
                 {"verb", entry.verb},
                 {"object", entry.object},
                 {"error", base::ToLine(status)}});
    }
  }
  return *std::move(response);
}

}  // namespace forewarn::api
