#include "collector/api/endpoint_routes.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collector/api/endpoint_lookup.h"
#include "collector/api/json.h"
#include "collector/api/paging.h"
#include "collector/history/sample_checksum.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::api {
namespace {

using wire::ToStamp;

// What Prometheus gives at most too: finer than any screen, small enough to
// send.
constexpr size_t kMostSamples = 11000;
constexpr absl::Duration kLongestRollups = absl::Hours(24 * 1830);
constexpr absl::Duration kLongestRange = absl::Hours(24 * 366);
// Samples are read piece by piece so that no range can fill the memory.
constexpr absl::Duration kPiece = absl::Hours(6);
// How far back a series list looks for the last value.
constexpr absl::Duration kRecent = absl::Minutes(15);

absl::Status CountTickets(const ApiServices& services,
                          std::vector<v1::Endpoint>& endpoints) {
  FOREWARN_ASSIGN_OR_RETURN(const auto counts, services.desk.OpenCounts());
  const absl::flat_hash_map<std::string, uint32_t> by_endpoint(counts.begin(),
                                                               counts.end());
  for (v1::Endpoint& endpoint : endpoints) {
    const auto count = by_endpoint.find(endpoint.id());
    endpoint.set_open_tickets(count == by_endpoint.end() ? 0 : count->second);
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpResponse> ListEndpoints(const ApiServices& services,
                                           Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const Page page, PageOf(call, 'e'));
  std::vector<v1::Endpoint> chosen;
  bool more = false;
  for (v1::Endpoint& endpoint : services.endpoints.List()) {
    if (endpoint.number() <= page.cursor) continue;
    if (!call.Query("site").empty() &&
        endpoint.facts().site() != call.Query("site")) {
      continue;
    }
    if (chosen.size() == page.limit) {
      more = true;
      break;
    }
    chosen.push_back(std::move(endpoint));
  }
  FOREWARN_RETURN_IF_ERROR(CountTickets(services, chosen));
  v1::EndpointList list;
  if (more) list.set_next_cursor(FormatCursor('e', chosen.back().number()));
  for (v1::Endpoint& endpoint : chosen) {
    *list.add_endpoints() = std::move(endpoint);
  }
  return JsonResponse(list);
}

absl::StatusOr<HttpResponse> ShowEndpoint(const ApiServices& services,
                                          Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(v1::Endpoint endpoint, EndpointOf(services, call));
  std::vector<v1::Endpoint> one = {std::move(endpoint)};
  FOREWARN_RETURN_IF_ERROR(CountTickets(services, one));
  v1::EndpointDetail detail;
  *detail.mutable_endpoint() = std::move(one.front());
  const std::string& id = detail.endpoint().id();

  desk::SymptomFilter open;
  open.open_only = true;
  open.endpoint_id = id;
  open.limit = 200;
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Symptom> symptoms,
                            services.desk.Symptoms(open));
  for (v1::Symptom& symptom : symptoms) {
    *detail.add_open_symptoms() = std::move(symptom);
  }
  desk::TicketFilter newest;
  newest.endpoint_id = id;
  newest.limit = 20;
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Ticket> tickets,
                            services.desk.List(newest));
  for (v1::Ticket& ticket : tickets) {
    ticket.set_title_text(services.words.Render(ticket.title()));
    *detail.add_tickets() = std::move(ticket);
  }
  return JsonResponse(detail);
}

v1::SeriesInfo InfoOf(const history::SeriesRecord& record) {
  v1::SeriesInfo info;
  info.set_id(record.series);
  info.set_metric(record.definition.metric);
  info.set_unit(record.definition.unit);
  info.set_kind(static_cast<v1::MetricKind>(record.definition.kind));
  for (const auto& [key, value] : record.definition.attributes) {
    v1::Attribute* attribute = info.add_attributes();
    attribute->set_key(key);
    attribute->set_value(value);
  }
  return info;
}

void Summarize(const std::vector<history::Sample>& samples,
               v1::SeriesInfo& info) {
  if (samples.empty()) return;
  *info.mutable_first_at() = ToStamp(samples.front().time);
  *info.mutable_last_at() = ToStamp(samples.back().time);
  info.set_last_value(samples.back().value);
}

absl::StatusOr<HttpResponse> ListSeries(const ApiServices& services,
                                        Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const v1::Endpoint endpoint,
                            EndpointOf(services, call));
  FOREWARN_ASSIGN_OR_RETURN(const auto records,
                            services.history.LoadSeries(endpoint.number()));
  const absl::Time now = services.clock.Now();
  v1::SeriesList list;
  for (const history::SeriesRecord& record : records) {
    if (!absl::StartsWith(record.definition.metric, call.Query("metric"))) {
      continue;
    }
    FOREWARN_ASSIGN_OR_RETURN(
        const auto samples,
        services.history.Query(endpoint.number(), record.series, now - kRecent,
                               now + absl::Minutes(1)));
    v1::SeriesInfo* info = list.add_series();
    *info = InfoOf(record);
    Summarize(samples, *info);
    info->clear_first_at();  // the list looks at the last minutes only
  }
  return JsonResponse(list);
}

// RFC 3339 or Unix seconds; kInvalidArgument.
absl::StatusOr<absl::Time> ReadTime(const Call& call, absl::string_view name,
                                    absl::Time otherwise) {
  const std::string& text = call.Query(name);
  if (text.empty()) return otherwise;
  absl::Time time;
  int64_t seconds = 0;
  if (absl::SimpleAtoi(text, &seconds)) {
    time = absl::FromUnixSeconds(seconds);
  } else if (std::string error;
             !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " must be a time as 2026-11-22T04:27:09Z or Unix seconds"));
  }
  if (time < absl::UnixEpoch() || time > absl::FromUnixSeconds(253402300799)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " must lie in the years 1970 to 9999"));
  }
  return time;
}

absl::Status TooMany(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the range holds more than ", kMostSamples, " ", what,
                   "; ask for a shorter one, or a longer step"));
}

absl::StatusOr<HttpResponse> RollupsOf(const ApiServices& services,
                                       uint32_t endpoint,
                                       const history::SeriesRecord& record,
                                       history::RollupLevel level,
                                       absl::Time from, absl::Time to) {
  v1::SampleList list;
  *list.mutable_series() = InfoOf(record);
  const absl::Duration piece = absl::Hours(24 * 7);
  for (absl::Time begin = from; begin < to; begin += piece) {
    FOREWARN_ASSIGN_OR_RETURN(
        const std::vector<history::Rollup> rollups,
        services.history.QueryRollups(endpoint, record.series, level, begin,
                                      std::min(to, begin + piece)));
    for (const history::Rollup& rollup : rollups) {
      v1::RollupPoint* const point = list.add_rollups();
      *point->mutable_time() = ToStamp(rollup.time);
      point->set_min(rollup.min);
      point->set_max(rollup.max);
      point->set_mean(rollup.mean);
      point->set_count(rollup.count);
    }
    if (static_cast<size_t>(list.rollups_size()) > kMostSamples) {
      return TooMany("rollups");
    }
  }
  return JsonResponse(list);
}

absl::StatusOr<HttpResponse> ListSamples(const ApiServices& services,
                                         Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const v1::Endpoint endpoint,
                            EndpointOf(services, call));
  const absl::Time now = services.clock.Now();
  FOREWARN_ASSIGN_OR_RETURN(const absl::Time to, ReadTime(call, "to", now));
  FOREWARN_ASSIGN_OR_RETURN(const absl::Time from,
                            ReadTime(call, "from", to - absl::Hours(1)));
  const std::string& step = call.Query("step");
  if (!step.empty() && step != "5m" && step != "1h") {
    return absl::InvalidArgumentError("step must be 5m or 1h");
  }
  const absl::Duration longest = step.empty() ? kLongestRange : kLongestRollups;
  if (from >= to || to - from > longest) {
    return absl::InvalidArgumentError(
        absl::StrCat("from must lie before to, by at most ",
                     longest / absl::Hours(24), " days"));
  }
  FOREWARN_ASSIGN_OR_RETURN(const auto records,
                            services.history.LoadSeries(endpoint.number()));
  uint32_t id = 0;
  const bool number = absl::SimpleAtoi(call.Path("series"), &id);
  const auto record = std::find_if(
      records.begin(), records.end(),
      [&](const auto& candidate) { return number && candidate.series == id; });
  if (record == records.end()) {
    return absl::NotFoundError(
        absl::StrCat("the endpoint has no series ", call.Path("series")));
  }
  if (!step.empty()) {
    return RollupsOf(services, endpoint.number(), *record,
                     step == "1h" ? history::RollupLevel::kHour
                                  : history::RollupLevel::kFiveMinutes,
                     from, to);
  }
  std::vector<history::Sample> samples;
  for (absl::Time piece = from; piece < to; piece += kPiece) {
    FOREWARN_ASSIGN_OR_RETURN(
        const auto some, services.history.Query(endpoint.number(), id, piece,
                                                std::min(to, piece + kPiece)));
    samples.insert(samples.end(), some.begin(), some.end());
    if (samples.size() > kMostSamples) {
      return TooMany("samples");
    }
  }
  v1::SampleList list;
  *list.mutable_series() = InfoOf(*record);
  Summarize(samples, *list.mutable_series());
  for (const history::Sample& sample : samples) {
    v1::SamplePoint* point = list.add_samples();
    *point->mutable_time() = ToStamp(sample.time);
    point->set_value(sample.value);
  }
  return JsonResponse(list);
}

absl::StatusOr<HttpResponse> ListHoldings(const ApiServices& services,
                                          Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const v1::Endpoint endpoint,
                            EndpointOf(services, call));
  FOREWARN_ASSIGN_OR_RETURN(const absl::Time from,
                            ReadTime(call, "from", absl::UnixEpoch()));
  struct Sum {
    uint32_t count = 0;
    uint64_t checksum = 0;
    absl::Time first;
    absl::Time last;
  };
  std::vector<Sum> sums;
  FOREWARN_RETURN_IF_ERROR(services.history.Replay(
      endpoint.number(), from, [&sums](const wire::Tick& tick) {
        for (const wire::Sample& sample : tick.samples) {
          if (sums.size() <= sample.series) sums.resize(sample.series + 1);
          Sum& sum = sums[sample.series];
          if (sum.count++ == 0) sum.first = tick.time;
          sum.last = tick.time;
          sum.checksum += history::SampleChecksum(tick.time, sample.value);
        }
      }));
  v1::HoldingList list;
  for (uint32_t series = 0; series < sums.size(); ++series) {
    const Sum& sum = sums[series];
    if (sum.count == 0) continue;
    v1::Holding* holding = list.add_holdings();
    holding->set_series(series);
    holding->set_count(sum.count);
    *holding->mutable_first_at() = ToStamp(sum.first);
    *holding->mutable_last_at() = ToStamp(sum.last);
    holding->set_checksum(
        absl::StrCat(absl::Hex(sum.checksum, absl::kZeroPad16)));
  }
  return JsonResponse(list);
}

}  // namespace

std::vector<Route> EndpointRoutes(const ApiServices& services) {
  constexpr char kEndpoint[] = "/api/v1/endpoints/{endpoint}";
  return {
      {.method = "GET",
       .pattern = "/api/v1/endpoints",
       .access = Access::kViewer,
       .query = {"site", "cursor", "limit"},
       .handler = [&services](Call& c) { return ListEndpoints(services, c); }},
      {.method = "GET",
       .pattern = kEndpoint,
       .access = Access::kViewer,
       .handler = [&services](Call& c) { return ShowEndpoint(services, c); }},
      {.method = "GET",
       .pattern = absl::StrCat(kEndpoint, "/series"),
       .access = Access::kViewer,
       .query = {"metric"},
       .handler = [&services](Call& c) { return ListSeries(services, c); }},
      {.method = "GET",
       .pattern = absl::StrCat(kEndpoint, "/series/{series}/samples"),
       .access = Access::kViewer,
       .query = {"from", "to", "step"},
       .handler = [&services](Call& c) { return ListSamples(services, c); }},
      {.method = "GET",
       .pattern = absl::StrCat(kEndpoint, "/holdings"),
       .access = Access::kViewer,
       .query = {"from"},
       .handler = [&services](Call& c) { return ListHoldings(services, c); }},
  };
}

}  // namespace forewarn::api
