#include "collector/metrics/self_metrics.h"

#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "prometheus/family.h"
#include "prometheus/labels.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "protos/base/logging.h"
#include "protos/base/mutex.h"

namespace forewarn::metrics {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

constexpr size_t kLabelSets = 200;  // chosen: routes x statuses fit well

// 0.1 ms to 10 s: a disk sync is about 1 ms, a deadline 10 s.
Histogram::BucketBoundaries Seconds() {
  return {1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2,
          5e-2, 0.1,    0.25, 0.5,  1,      2.5,  5,    10};
}

Counter& Member(Family<Counter>& family, const Labels& labels) {
  return family.Add(labels);
}
Gauge& Member(Family<Gauge>& family, const Labels& labels) {
  return family.Add(labels);
}
Histogram& Member(Family<Histogram>& family, const Labels& labels) {
  return family.Add(labels, Seconds());
}

// The members of one family by label values, with a bound.
template <typename T>
class Members {
 public:
  explicit Members(Family<T>& family) : family_(family) {}

  T& At(const Labels& labels) {
    base::MutexLock lock(&mutex_);
    if (auto found = members_.find(labels); found != members_.end()) {
      return *found->second;
    }
    if (members_.size() < kLabelSets) {
      try {
        T& member = Member(family_, labels);
        members_.emplace(labels, &member);
        return member;
      } catch (const std::exception& error) {
        base::Log(base::LogLevel::kError, "cannot add a metric",
                  {{"reason", error.what()}});
      }
    }
    Labels other;
    for (const auto& [key, value] : labels) other[key] = "other";
    return Member(family_, other);
  }

 private:
  Family<T>& family_;
  base::Mutex mutex_;
  std::map<Labels, T*> members_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

struct SelfMetrics::Impl {
  Registry registry;

  Family<Counter>& CounterFamily(const char* name, const char* help) {
    return BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& GaugeFamily(const char* name, const char* help) {
    return BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& HistogramFamily(const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Register(registry);
  }
  Counter& OneCounter(const char* name, const char* help) {
    return Member(CounterFamily(name, help), {});
  }
  Gauge& OneGauge(const char* name, const char* help) {
    return Member(GaugeFamily(name, help), {});
  }
  Histogram& OneHistogram(const char* name, const char* help) {
    return Member(HistogramFamily(name, help), {});
  }

  Members<Counter> rejected{CounterFamily(
      "forewarn_ingest_samples_rejected_total", "Samples dropped, by reason.")};
  Members<Counter> refused{
      CounterFamily("forewarn_ingest_streams_refused_total",
                    "Agent streams ended by the collector, by status.")};
  Members<Gauge> mailbox{GaugeFamily("forewarn_shard_mailbox_batches",
                                     "Batches waiting for a shard.")};
  Members<Counter> edges{
      CounterFamily("forewarn_detect_edges_total", "Symptom edges, by kind.")};
  Members<Counter> notifications{
      CounterFamily("forewarn_notify_notifications_total",
                    "Attempts to notify, by channel and result.")};
  Members<Counter> requests{CounterFamily(
      "forewarn_http_requests_total", "HTTP requests, by route and status.")};
  Members<Histogram> request_seconds{HistogramFamily(
      "forewarn_http_request_seconds", "Time to answer, by route.")};
};

SelfMetrics::SelfMetrics(absl::string_view version)
    : impl_(std::make_unique<Impl>()),
      batches(impl_->OneCounter("forewarn_ingest_batches_total",
                                "Batches made durable.")),
      batches_repeated(impl_->OneCounter(
          "forewarn_ingest_batches_repeated_total",
          "Batches that were durable already and only acknowledged again.")),
      samples(impl_->OneCounter("forewarn_ingest_samples_total",
                                "Samples made durable.")),
      batch_bytes(impl_->OneCounter("forewarn_ingest_batch_bytes_total",
                                    "Serialized size of all batches.")),
      quota_pauses(impl_->OneCounter(
          "forewarn_ingest_quota_pauses_total",
          "Times a stream was not read for a while, as its endpoint sent more "
          "samples a second than its quota.")),
      connections_turned_away(impl_->OneCounter(
          "forewarn_ingest_connections_turned_away_total",
          "Connections closed unheard, as their source had offended too "
          "often.")),
      streams_open(impl_->OneGauge("forewarn_ingest_streams_open",
                                   "Agent streams open now.")),
      ack_seconds(impl_->OneHistogram("forewarn_ingest_ack_seconds",
                                      "From a batch's arrival to its ack.")),
      history_write_seconds(
          impl_->OneHistogram("forewarn_history_write_seconds",
                              "Time of one synced group of writes.")),
      symptoms_open(impl_->OneGauge("forewarn_detect_symptoms_open",
                                    "Symptoms that stand now.")),
      tickets_opened(impl_->OneCounter("forewarn_desk_tickets_opened_total",
                                       "Tickets opened.")),
      tickets_reopened(impl_->OneCounter("forewarn_desk_tickets_reopened_total",
                                         "Tickets opened again.")),
      tickets_resolved_by_themselves(impl_->OneCounter(
          "forewarn_desk_tickets_resolved_by_themselves_total",
          "Tickets resolved because all symptoms cleared.")) {
  BuildGauge()
      .Name("forewarn_build_info")
      .Help("Always 1; the version is a label.")
      .Register(impl_->registry)
      .Add({{"version", std::string(version)}})
      .Set(1);
}

SelfMetrics::~SelfMetrics() = default;

Counter& SelfMetrics::Rejected(absl::string_view reason) {
  return impl_->rejected.At({{"reason", std::string(reason)}});
}

Counter& SelfMetrics::StreamsRefused(absl::string_view status) {
  return impl_->refused.At({{"status", std::string(status)}});
}

Gauge& SelfMetrics::MailboxDepth(int shard) {
  return impl_->mailbox.At({{"shard", absl::StrCat(shard)}});
}

Counter& SelfMetrics::DetectorEdges(absl::string_view kind) {
  return impl_->edges.At({{"kind", std::string(kind)}});
}

Counter& SelfMetrics::Notifications(absl::string_view channel,
                                    absl::string_view result) {
  return impl_->notifications.At(
      {{"channel", std::string(channel)}, {"result", std::string(result)}});
}

Counter& SelfMetrics::HttpRequests(absl::string_view route, int status) {
  return impl_->requests.At(
      {{"route", std::string(route)}, {"status", absl::StrCat(status)}});
}

Histogram& SelfMetrics::HttpSeconds(absl::string_view route) {
  return impl_->request_seconds.At({{"route", std::string(route)}});
}

std::string SelfMetrics::Exposition() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace forewarn::metrics
