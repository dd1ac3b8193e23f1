#include "protos/wire/batch_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::wire {
namespace {

// Times an agent can mean: 2000 to 2200. Anything else is no time.
constexpr int64_t kEarliestMs = 946'684'800'000;
constexpr int64_t kLatestMs = 7'258'118'400'000;

// Ids as pairs (gap to the end of the run before, length).
void AppendRuns(const std::vector<uint32_t>& ids,
                google::protobuf::RepeatedField<uint32_t>& runs) {
  uint32_t end = 0;
  for (size_t i = 0; i < ids.size();) {
    size_t j = i + 1;
    while (j < ids.size() && ids[j] == ids[j - 1] + 1) ++j;
    runs.Add(ids[i] - end);
    runs.Add(static_cast<uint32_t>(j - i));
    end = ids[j - 1] + 1;
    i = j;
  }
}

absl::Status ReadRuns(const google::protobuf::RepeatedField<uint32_t>& runs,
                      size_t known_series, std::vector<uint32_t>& ids) {
  if (runs.size() % 2 != 0) return absl::DataLossError("tick: odd runs");
  ids.clear();
  uint64_t next = 0;
  for (int i = 0; i < runs.size(); i += 2) {
    next += runs[i];
    const uint64_t length = runs[i + 1];
    if (length == 0 || next + length > known_series) {
      return absl::DataLossError("tick: a series that was never defined");
    }
    for (uint64_t k = 0; k < length; ++k) {
      ids.push_back(static_cast<uint32_t>(next++));
    }
  }
  return absl::OkStatus();
}

}  // namespace

SeriesDefinition FromProto(const v1::SeriesDefinition& proto) {
  SeriesDefinition definition;
  definition.metric = proto.metric();
  definition.unit = proto.unit();
  definition.kind = static_cast<MetricKind>(proto.kind());
  definition.digits = proto.digits();
  definition.attributes.reserve(proto.attributes_size());
  for (const v1::Attribute& attribute : proto.attributes()) {
    definition.attributes.emplace_back(attribute.key(), attribute.value());
  }
  return definition;
}

void ToProto(const SeriesDefinition& definition, v1::SeriesDefinition& proto) {
  proto.set_metric(definition.metric);
  proto.set_unit(definition.unit);
  proto.set_kind(static_cast<v1::MetricKind>(definition.kind));
  proto.set_digits(definition.digits);
  for (const auto& [key, value] : definition.attributes) {
    v1::Attribute* attribute = proto.add_attributes();
    attribute->set_key(key);
    attribute->set_value(value);
  }
}

void BatchEncoder::Encode(const Batch& batch, const RunId& hello_run,
                          v1::Batch& out) {
  out.Clear();
  out.set_sequence(batch.sequence);
  if (batch.run_id != hello_run) {
    out.set_run_id(batch.run_id.data(), batch.run_id.size());
  }
  std::vector<uint32_t> ids;
  for (const Tick& tick : batch.ticks) {
    if (columns_.size() < dictionary_->size()) {
      columns_.resize(dictionary_->size());
    }
    ordered_.clear();
    for (const Sample& sample : tick.samples) {
      Column& column = columns_[sample.series];
      if (!column.known) {
        column.known = true;
        column.id = next_id_++;
        v1::SeriesDefinition* definition = out.add_definitions();
        ToProto(dictionary_->definition(sample.series), *definition);
        definition->set_id(column.id);
      }
      ordered_.emplace_back(sample.series, sample.value);
    }
    std::sort(ordered_.begin(), ordered_.end(),
              [this](const auto& a, const auto& b) {
                return columns_[a.first].id < columns_[b.first].id;
              });
    ids.clear();
    v1::Tick* coded = out.add_ticks();
    std::string& values = *coded->mutable_values();
    for (const auto& [series, value] : ordered_) {
      Column& column = columns_[series];
      if (!ids.empty() && ids.back() == column.id) continue;  // twice in a tick
      ids.push_back(column.id);
      EncodeValue(value, dictionary_->definition(series).digits, column.state,
                  values);
    }
    const int64_t time_ms = absl::ToUnixMillis(tick.time);
    coded->set_time_ms(time_ms - last_time_ms_);
    last_time_ms_ = time_ms;
    if (ids != previous_) {
      AppendRuns(ids, *coded->mutable_runs());
      previous_ = ids;
    }
  }
  for (const v1::Event& event : batch.events) *out.add_events() = event;
  for (const v1::ProcessSnapshot& snapshot : batch.processes) {
    *out.add_processes() = snapshot;
  }
  for (const v1::Gap& gap : batch.gaps) *out.add_gaps() = gap;
}

absl::Status BatchDecoder::Decode(const v1::Batch& in, const RunId& hello_run,
                                  Batch& out,
                                  std::vector<DroppedSample>& dropped) {
  dropped.clear();
  out.sequence = in.sequence();
  if (in.run_id().empty()) {
    out.run_id = hello_run;
  } else if (in.run_id().size() == out.run_id.size()) {
    std::memcpy(out.run_id.data(), in.run_id().data(), out.run_id.size());
  } else {
    return absl::InvalidArgumentError("batch: run_id must be 16 bytes");
  }
  if (in.sequence() == 0) {
    return absl::InvalidArgumentError("batch: sequence must be 1 or more");
  }
  for (const v1::SeriesDefinition& proto : in.definitions()) {
    if (proto.id() != digits_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "batch: series id ", proto.id(), ", expected ", digits_.size()));
    }
    if (digits_.size() >= limits_.series) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "batch: more than ", limits_.series, " series on one stream"));
    }
    SeriesDefinition definition = FromProto(proto);
    FOREWARN_RETURN_IF_ERROR(CheckDefinition(definition));
    digits_.push_back(static_cast<uint8_t>(definition.digits));
    definitions_.push_back(std::move(definition));
  }
  states_.resize(digits_.size());
  if (in.ticks_size() > static_cast<int>(limits_.ticks)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("batch: ", in.ticks_size(), " ticks, at most ",
                     limits_.ticks, "; send smaller batches"));
  }

  out.ticks.clear();
  out.ticks.reserve(in.ticks_size());
  uint64_t samples = 0;
  for (const v1::Tick& coded : in.ticks()) {
    if (coded.runs_size() > 0) {
      FOREWARN_RETURN_IF_ERROR(
          ReadRuns(coded.runs(), digits_.size(), previous_));
    } else if (coded.values().empty()) {
      previous_.clear();  // a tick without samples
    }
    samples += previous_.size();
    if (samples > limits_.samples) {
      return absl::ResourceExhaustedError(
          absl::StrCat("batch: more than ", limits_.samples,
                       " samples; send smaller batches"));
    }
    last_time_ms_ =
        static_cast<int64_t>(static_cast<uint64_t>(last_time_ms_) +
                             static_cast<uint64_t>(coded.time_ms()));
    const bool sane_time =
        last_time_ms_ >= kEarliestMs && last_time_ms_ <= kLatestMs;
    Tick tick;
    tick.samples.reserve(previous_.size());
    absl::string_view values = coded.values();
    for (const uint32_t id : previous_) {
      double value = 0;
      FOREWARN_RETURN_IF_ERROR(
          DecodeValue(values, digits_[id], states_[id], value));
      if (!std::isfinite(value)) {
        dropped.push_back({id, "value is not finite"});
      } else if (!sane_time) {
        dropped.push_back({id, "time is before 2000 or after 2200"});
      } else {
        tick.samples.push_back({id, value});
      }
    }
    if (!values.empty()) {
      return absl::DataLossError("tick: bytes left after the last value");
    }
    if (!sane_time) continue;
    tick.time = absl::FromUnixMillis(last_time_ms_);
    out.ticks.push_back(std::move(tick));
  }
  out.events.assign(in.events().begin(), in.events().end());
  out.processes.assign(in.processes().begin(), in.processes().end());
  out.gaps.assign(in.gaps().begin(), in.gaps().end());
  return absl::OkStatus();
}

}  // namespace forewarn::wire
