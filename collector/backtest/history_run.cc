#include "collector/backtest/history_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "collector/backtest/edge_book.h"
#include "collector/detect/endpoint_judge.h"
#include "protos/base/status.h"

namespace forewarn::backtest {
namespace {

constexpr absl::Duration kStretch = absl::Hours(12);

using Metrics = absl::flat_hash_set<std::string>;

void AddSignal(const v1::Signal& signal, Metrics& metrics) {
  if (!signal.metric().empty()) metrics.insert(signal.metric());
  if (signal.has_divided_by()) AddSignal(signal.divided_by(), metrics);
}

// Of every series that one of the rules looks at.
Metrics MetricsOf(const detect::RuleSet& rules) {
  Metrics metrics = {"system.uptime"};  // what a boot is told by
  for (const v1::Rule& rule : rules.rules()) {
    AddSignal(rule.signal(), metrics);
    for (const v1::Condition& one : rule.and_()) {
      AddSignal(one.signal(), metrics);
    }
    for (const v1::Level& level : rule.levels()) {
      for (const v1::Condition& one : level.and_()) {
        AddSignal(one.signal(), metrics);
      }
    }
    AddSignal(rule.forecast().limit_signal(), metrics);
  }
  return metrics;
}

// Anomalies are no rule's: they were judged when they came.
class RulesOnly final : public detect::SymptomSink {
 public:
  explicit RulesOnly(EdgeBook& book) : book_(book) {}
  void Accept(detect::SymptomEdge edge) override {
    if (edge.symptom.detector() == v1::DETECTOR_KIND_ANOMALY) return;
    book_.Accept(std::move(edge));
  }

 private:
  EdgeBook& book_;
};

// The samples of some series, tick by tick.
class Ticks {
 public:
  void Add(uint32_t series, std::vector<history::Sample> samples) {
    if (samples.empty()) return;
    series_.push_back({series, std::move(samples), 0});
  }
  // The next moment at which any has a sample; false at the end.
  bool Next(wire::Tick& tick) {
    tick.time = absl::InfiniteFuture();
    tick.samples.clear();
    for (const One& one : series_) {
      if (one.at < one.samples.size()) {
        tick.time = std::min(tick.time, one.samples[one.at].time);
      }
    }
    for (One& one : series_) {
      if (one.at < one.samples.size() &&
          one.samples[one.at].time == tick.time) {
        tick.samples.push_back({one.number, one.samples[one.at++].value});
      }
    }
    return !tick.samples.empty();
  }

 private:
  struct One {
    uint32_t number = 0;
    std::vector<history::Sample> samples;
    size_t at = 0;
  };
  std::vector<One> series_;  // ascending
};

}  // namespace

absl::StatusOr<HistoryRun> RunHistory(history::HistoryStore& history,
                                      uint32_t endpoint,
                                      const detect::EndpointProfile& profile,
                                      const detect::RuleSet& rules,
                                      absl::Time from, absl::Time to) {
  const Metrics metrics = MetricsOf(rules);
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<history::SeriesRecord> known,
                            history.LoadSeries(endpoint));
  EdgeBook book;
  RulesOnly sink(book);
  detect::EndpointJudge judge(profile, rules, sink);
  HistoryRun run;
  std::vector<uint32_t> wanted;
  for (const history::SeriesRecord& record : known) {
    if (!metrics.contains(record.definition.metric)) continue;
    judge.DefineSeries(record.series, record.definition);
    wanted.push_back(record.series);
  }
  // A stretch at a time, so that a month of many series fits into memory.
  for (absl::Time begin = from; begin < to; begin += kStretch) {
    Ticks ticks;
    for (const uint32_t series : wanted) {
      FOREWARN_ASSIGN_OR_RETURN(std::vector<history::Sample> samples,
                                history.Query(endpoint, series, begin,
                                              std::min(begin + kStretch, to)));
      run.samples += samples.size();
      ticks.Add(series, std::move(samples));
    }
    for (wire::Tick tick; ticks.Next(tick);) {
      judge.Observe(tick.time, tick.samples);
      book.Tick(tick.time);
    }
  }
  FOREWARN_RETURN_IF_ERROR(base::Annotate(book.status(), "correlate"));
  for (const auto& [number, record] : book.incidents().records()) {
    run.tickets.push_back(record);
  }
  return run;
}

}  // namespace forewarn::backtest
