#include "agent/batcher/batcher.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr size_t kMaxLogged = 200;
constexpr size_t kMaxEventText = 4096;  // chosen: a kernel line is 1 KiB
constexpr int kMaxEventAttributes = 32;

absl::Status NotAsInCatalogue(const wire::MetricInfo& info) {
  return absl::InvalidArgumentError(
      absl::StrCat("attributes must be exactly: ", info.attributes));
}

// Cuts text to `most` bytes, at the border of a UTF-8 character.
void Cut(std::string& text, size_t most) {
  if (text.size() <= most) return;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) {
    --most;
  }
  text.resize(most);
}

}  // namespace

Batcher::Batcher(Options options, BatchSink& sink)
    : options_(options),
      sink_(sink),
      dictionary_(std::make_unique<wire::SeriesDictionary>()) {}

void Batcher::BeginTick(absl::Time now) {
  now_ = now;
  tick_.time = now;
  tick_.samples.clear();
  tick_.samples.reserve(dictionary_->size());
  if (table_began_ == absl::InfinitePast()) table_began_ = now;
}

void Batcher::Accept(absl::string_view metric,
                     std::initializer_list<AttributeView> attributes,
                     double value) {
  Take(metric, attributes, value);
}

void Batcher::Accept(absl::string_view metric,
                     const wire::Attributes& attributes, double value) {
  Take(metric, attributes, value);
}

template <typename Range>
void Batcher::Take(absl::string_view metric, const Range& attributes,
                   double value) {
  if (!std::isfinite(value)) {
    Refuse(metric, absl::InvalidArgumentError("value is not finite"));
    return;
  }
  key_.assign(metric.data(), metric.size());
  for (const auto& [key, text] : attributes) {
    absl::StrAppend(&key_, absl::string_view("\0", 1), key,
                    absl::string_view("\0", 1), text);
  }
  const auto known = numbers_.find(key_);
  if (known != numbers_.end()) {
    tick_.samples.push_back({known->second, value});
    return;
  }
  const absl::StatusOr<uint32_t> number = Intern(metric, attributes);
  if (!number.ok()) {
    Refuse(metric, number.status());
    return;
  }
  numbers_.emplace(key_, *number);
  tick_.samples.push_back({*number, value});
}

template <typename Range>
absl::StatusOr<uint32_t> Batcher::Intern(absl::string_view metric,
                                         const Range& attributes) {
  const wire::MetricInfo* const info = wire::FindMetric(metric);
  if (info == nullptr) {
    return absl::InvalidArgumentError("the metric catalogue does not have it");
  }
  wire::SeriesDefinition definition{.metric = std::string(metric),
                                    .unit = info->unit,
                                    .kind = info->kind,
                                    .digits = info->digits,
                                    .attributes = {}};
  std::string keys;
  for (const auto& [key, text] : attributes) {
    absl::StrAppend(&keys, keys.empty() ? "" : ",", key);
    definition.attributes.emplace_back(key, text);
  }
  if (keys != info->attributes) return NotAsInCatalogue(*info);
  FOREWARN_RETURN_IF_ERROR(wire::CheckDefinition(definition));
  if (dictionary_->size() >= options_.max_series) {
    overflowed_ = true;
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", options_.max_series, " series"));
  }
  return dictionary_->Intern(definition);
}

void Batcher::Refuse(absl::string_view metric, const absl::Status& reason) {
  ++refused_;
  if (logged_.size() >= kMaxLogged || logged_.contains(metric)) return;
  logged_.emplace(metric);
  Log(LogLevel::kWarning, "reading refused; said once for this metric",
      {{"metric", metric}, {"reason", reason.message()}});
}

void Batcher::AcceptEvent(v1::Event event) {
  if (batch_.events.size() >= options_.max_events) {
    ++refused_;
    return;
  }
  Cut(*event.mutable_message(), kMaxEventText);
  if (event.attributes_size() > kMaxEventAttributes) {
    event.mutable_attributes()->DeleteSubrange(
        kMaxEventAttributes, event.attributes_size() - kMaxEventAttributes);
  }
  for (v1::Attribute& attribute : *event.mutable_attributes()) {
    Cut(*attribute.mutable_value(), kMaxEventText);
  }
  batch_.events.push_back(std::move(event));
}

void Batcher::AcceptProcesses(v1::ProcessSnapshot snapshot) {
  if (batch_.processes.size() >= options_.max_events) {
    ++refused_;
    return;
  }
  for (auto* list :
       {snapshot.mutable_top_cpu(), snapshot.mutable_top_memory()}) {
    for (v1::Process& process : *list) Cut(*process.mutable_command(), 1024);
  }
  batch_.processes.push_back(std::move(snapshot));
}

void Batcher::EndTick(absl::Duration tick) {
  std::stable_sort(tick_.samples.begin(), tick_.samples.end(),
                   [](const wire::Sample& a, const wire::Sample& b) {
                     return a.series < b.series;
                   });
  // A slow source may have delivered twice since the tick before: the later
  // reading counts.
  std::vector<wire::Sample>& samples = tick_.samples;
  size_t kept = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (kept > 0 && samples[kept - 1].series == samples[i].series) --kept;
    samples[kept++] = samples[i];
  }
  samples.resize(kept);
  if (!samples.empty()) {
    batch_samples_ += static_cast<uint32_t>(kept);
    batch_.ticks.push_back(std::move(tick_));
    tick_ = {};
  }
  if (batch_.ticks.empty()) {
    Flush();
    return;
  }
  const absl::Duration span =
      batch_.ticks.back().time - batch_.ticks.front().time;
  // A wall clock that was set back makes the span negative.
  if (span < absl::ZeroDuration() || span + tick > options_.max_age ||
      batch_samples_ >= options_.max_samples || !batch_.events.empty()) {
    Flush();
  }
}

void Batcher::Flush() {
  if (!batch_.ticks.empty() || !batch_.events.empty() ||
      !batch_.processes.empty()) {
    sink_.Accept(std::move(batch_), *dictionary_);
    batch_ = {};
    batch_samples_ = 0;
  }
  if (overflowed_) StartTableAnew();
}

void Batcher::StartTableAnew() {
  constexpr absl::Duration kAtMostEvery = absl::Hours(1);
  if (now_ - table_began_ < kAtMostEvery) return;
  table_began_ = now_;
  overflowed_ = false;
  numbers_.clear();
  dictionary_ = std::make_unique<wire::SeriesDictionary>();
}

}  // namespace forewarn::agent
