#ifndef FOREWARN_COLLECTOR_METRICS_SELF_METRICS_H_
#define FOREWARN_COLLECTOR_METRICS_SELF_METRICS_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

namespace forewarn::metrics {

// Forewarn's own counters, gauges and histograms, for /metrics. One object,
// made by main and lent to the rooms; name and help stand in self_metrics.cc.
//
//   metrics.batches.Increment();
//   metrics.Rejected("nan").Increment(3);
//
// What takes a label is a function; of each label set at most 200 values are
// kept apart, further ones count as "other", so that no caller can grow the
// page without bound. References stay valid as long as this object.
//
// Threads  thread-safe.
// Errors   none: prometheus-cpp's exceptions end here.
class SelfMetrics {
 private:
  struct Impl;  // before the references, which are taken from it
  std::unique_ptr<Impl> impl_;

 public:
  explicit SelfMetrics(absl::string_view version);
  ~SelfMetrics();
  SelfMetrics(const SelfMetrics&) = delete;
  SelfMetrics& operator=(const SelfMetrics&) = delete;

  // Ingest.
  prometheus::Counter& batches;
  prometheus::Counter& batches_repeated;
  prometheus::Counter& samples;
  prometheus::Counter& batch_bytes;
  prometheus::Counter& quota_pauses;
  prometheus::Counter& connections_turned_away;
  prometheus::Gauge& streams_open;
  prometheus::Histogram& ack_seconds;  // batch read to ack written

  // History.
  prometheus::Histogram& history_write_seconds;

  // Detection and desk.
  prometheus::Gauge& symptoms_open;
  prometheus::Counter& tickets_opened;
  prometheus::Counter& tickets_reopened;
  prometheus::Counter& tickets_resolved_by_themselves;

  // Samples dropped, by reason: nan, time, limit.
  prometheus::Counter& Rejected(absl::string_view reason);
  // Streams ended by us, by status: INVALID_ARGUMENT, RESOURCE_EXHAUSTED.
  prometheus::Counter& StreamsRefused(absl::string_view status);
  // Batches waiting in the mailbox of a shard.
  prometheus::Gauge& MailboxDepth(int shard);
  // Symptom edges, by kind: opened, updated, cleared.
  prometheus::Counter& DetectorEdges(absl::string_view kind);
  // Attempts to notify, by result: delivered, failed, given_up.
  prometheus::Counter& Notifications(absl::string_view channel,
                                     absl::string_view result);
  // `route` is the pattern ("/api/v1/tickets/{id}"), never the path.
  prometheus::Counter& HttpRequests(absl::string_view route, int status);
  prometheus::Histogram& HttpSeconds(absl::string_view route);

  // All of it in Prometheus's text format 0.0.4.
  std::string Exposition() const;
};

// Content type of Exposition().
inline constexpr char kExpositionType[] =
    "text/plain; version=0.0.4; charset=utf-8";

}  // namespace forewarn::metrics

#endif  // FOREWARN_COLLECTOR_METRICS_SELF_METRICS_H_
