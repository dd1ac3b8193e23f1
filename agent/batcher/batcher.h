#ifndef FOREWARN_AGENT_BATCHER_BATCHER_H_
#define FOREWARN_AGENT_BATCHER_BATCHER_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/batcher/batch_sink.h"
#include "agent/sources/source.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::agent {

// Readings of one tick at a time, into batches by age and size:
//
//   batcher.BeginTick(now);
//   source.Sample(..., batcher);
//   batcher.EndTick();
//
// What breaks the sink's contract is dropped, counted, and logged once a
// metric. Thread-compatible: the sampler's thread.
class Batcher final : public ReadingSink {
 public:
  struct Options {
    // Series known at once. When more turn up, the table starts anew at the
    // next batch, at most once an hour, so that short-lived series do not
    // keep new ones out for good.
    uint32_t max_series = 5000;
    // A batch is closed once it spans this, or holds so many samples.
    absl::Duration max_age = absl::Seconds(5);
    uint32_t max_samples = 20000;
    // Events and process lists a batch.
    uint32_t max_events = 1000;
  };

  // `sink` must outlive it.
  Batcher(Options options, BatchSink& sink);

  void BeginTick(absl::Time now);

  using ReadingSink::Accept;
  void Accept(absl::string_view metric,
              std::initializer_list<AttributeView> attributes,
              double value) override;
  // The same for readings that were kept for a while.
  void Accept(absl::string_view metric, const wire::Attributes& attributes,
              double value);
  void AcceptEvent(v1::Event event) override;
  void AcceptProcesses(v1::ProcessSnapshot snapshot) override;

  // Hands the batch on when it is old or large enough; `tick` is how long
  // until the next one may come.
  void EndTick(absl::Duration tick);

  // Hands on what there is.
  void Flush();

  uint32_t series() const { return dictionary_->size(); }
  // Readings that broke the contract, and those beyond max_series.
  uint64_t refused() const { return refused_; }

 private:
  template <typename Range>
  void Take(absl::string_view metric, const Range& attributes, double value);
  template <typename Range>
  absl::StatusOr<uint32_t> Intern(absl::string_view metric,
                                  const Range& attributes);
  void Refuse(absl::string_view metric, const absl::Status& reason);
  void StartTableAnew();

  const Options options_;
  BatchSink& sink_;
  std::unique_ptr<wire::SeriesDictionary> dictionary_;
  // Name and attributes with separators that neither can contain.
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  std::string key_;  // kept for its memory
  absl::Time now_;
  wire::Tick tick_;
  wire::Batch batch_;
  uint32_t batch_samples_ = 0;
  bool overflowed_ = false;
  absl::Time table_began_ = absl::InfinitePast();
  uint64_t refused_ = 0;
  absl::flat_hash_set<std::string> logged_;  // metrics, at most a few
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_BATCHER_BATCHER_H_
