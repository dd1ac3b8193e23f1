#ifndef FOREWARN_COLLECTOR_API_ROUTER_H_
#define FOREWARN_COLLECTOR_API_ROUTER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/api/http.h"
#include "collector/identity/access_tokens.h"

namespace forewarn::api {

// Who may use a route. A route that says nothing cannot be built.
enum class Access {
  kUnspecified = 0,
  kPublic,         // anyone; the handler itself checks what it is given
  kLocalOrViewer,  // anyone on the collector's own machine, else a viewer
  kViewer,
  kTechnician,
  kAdmin,
};

// One request on its way through a handler.
class Call {
 public:
  Call(const HttpRequest& request,
       std::vector<std::pair<std::string, std::string>> path,
       std::vector<std::pair<std::string, std::string>> query,
       std::optional<identity::Principal> principal);

  const HttpRequest& request() const { return request_; }
  // Path parameter {name}; empty when the pattern has none of that name.
  const std::string& Path(absl::string_view name) const;
  // The same as a number; kNotFound when it is none, as no such thing exists.
  absl::StatusOr<uint32_t> PathNumber(absl::string_view name) const;
  // Query parameter, empty if not given.
  const std::string& Query(absl::string_view name) const;
  // kInvalidArgument when given and not a number of [least, most].
  absl::StatusOr<uint32_t> QueryNumber(absl::string_view name,
                                       uint32_t otherwise, uint32_t least,
                                       uint32_t most) const;
  // true or false; kInvalidArgument else.
  absl::StatusOr<bool> QueryFlag(absl::string_view name) const;

  // Name of the caller's token; empty on a public route.
  absl::string_view actor() const;

  // For the audit log: what was changed, and from what to what.
  void Audit(std::string object, std::string detail = "");
  const std::string& audit_object() const { return audit_object_; }
  const std::string& audit_detail() const { return audit_detail_; }

 private:
  const HttpRequest& request_;
  const std::vector<std::pair<std::string, std::string>> path_;
  const std::vector<std::pair<std::string, std::string>> query_;
  const std::optional<identity::Principal> principal_;
  std::string audit_object_;
  std::string audit_detail_;
};

using RouteHandler = std::function<absl::StatusOr<HttpResponse>(Call&)>;

// One line of the table.
struct Route {
  std::string method;   // GET, POST, DELETE; GET answers HEAD as well
  std::string pattern;  // /api/v1/tickets/{id}/assign
  Access access = Access::kUnspecified;
  // Verb for the audit log. Every route but GET has one, unless it changes
  // nothing or its service writes the entry, in the same transaction.
  std::string audit = {};
  bool read_only = false;
  bool audited_by_service = false;
  std::vector<std::string> query = {};  // keys it knows; others are refused
  RouteHandler handler = nullptr;
};

struct AuditEntry {
  std::string actor;
  std::string verb;
  std::string object;
  std::string detail;
};

// Finds the route of a request, checks who calls, runs the handler, writes
// the audit log, turns errors into problems. Immutable; thread-safe as far as
// handlers are.
class Router {
 public:
  using Authenticate =
      std::function<absl::StatusOr<identity::Principal>(absl::string_view)>;
  using AuditLog = std::function<absl::Status(const AuditEntry&)>;
  // Told of each answer; `pattern` is that of the route, empty when none fits.
  using Observer = std::function<void(absl::string_view pattern, int status,
                                      absl::Duration took)>;

  // Dies on a table that is wrong in itself: no access, two routes of one
  // method and pattern, a change without an audit verb.
  Router(std::vector<Route> routes, Authenticate authenticate,
         AuditLog audit_log, Observer observer = nullptr);

  HttpResponse Handle(const HttpRequest& request) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Pattern {
    std::vector<std::string> segments;
  };
  HttpResponse Find(const HttpRequest& request,
                    absl::string_view& pattern) const;
  HttpResponse Run(const Route& route, Call& call) const;
  absl::StatusOr<identity::Principal> Admit(const Route& route,
                                            const HttpRequest& request) const;

  const std::vector<Route> routes_;
  std::vector<Pattern> patterns_;
  const Authenticate authenticate_;
  const AuditLog audit_log_;
  const Observer observer_;
};

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_ROUTER_H_
