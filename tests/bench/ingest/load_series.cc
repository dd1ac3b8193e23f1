#include "tests/bench/ingest/load_series.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "collector/history/sample_checksum.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::bench {
namespace {

// The rule of the bench speaks above 1000; walks stay within 0 and 100.
constexpr double kStepHeight = 5000;
// The step comes with this batch, so that a run of few ticks has it too.
constexpr uint64_t kStepAt = 6;

wire::SeriesDefinition Gauge(const char* metric, const char* unit,
                             uint32_t digits, uint32_t i) {
  return {.metric = metric,
          .unit = unit,
          .kind = wire::MetricKind::kGauge,
          .digits = digits,
          .attributes = {{"bench.index", absl::StrCat(i)}}};
}

}  // namespace

LoadEndpoint::LoadEndpoint(uint32_t index, uint32_t series,
                           const wire::RunId& run)
    : run_(run), random_(index * 7919 + 17), sums_(series) {
  BeginStream();
  for (uint32_t i = 0; i < series; ++i) {
    const uint32_t kind = i % 10;
    // One series in a hundred of the whole fleet.
    const bool is_step = (uint64_t{index} * series + i) % 100 == 0;
    if (is_step) {
      shapes_.push_back(Shape::kStep);
      ++steps_;
    } else if (kind < 4) {
      shapes_.push_back(Shape::kWalk);
    } else if (kind < 7) {
      shapes_.push_back(Shape::kCounter);
    } else if (kind == 7) {
      shapes_.push_back(Shape::kEntropy);
    } else {
      shapes_.push_back(kind == 8 ? Shape::kConstant : Shape::kPages);
    }
    switch (shapes_.back()) {
      case Shape::kStep:
      case Shape::kWalk:
        dictionary_.Intern(Gauge("hw.voltage", "V", 2, i));
        values_.push_back(static_cast<double>(random_() % 10000) / 100);
        break;
      case Shape::kCounter:
        dictionary_.Intern(
            {.metric = "system.network.io",
             .unit = "By",
             .kind = wire::MetricKind::kCounter,
             .digits = 0,
             .attributes = {{"network.interface.name", absl::StrCat("eth", i)},
                            {"network.io.direction",
                             i % 2 == 0 ? "receive" : "transmit"}}});
        values_.push_back(static_cast<double>(random_() % (1 << 30)));
        break;
      case Shape::kEntropy:
        dictionary_.Intern(Gauge("bench.entropy", "1", wire::kAllBits, i));
        values_.push_back(0);
        break;
      case Shape::kConstant:
        dictionary_.Intern(Gauge("bench.limit", "By", 0, i));
        values_.push_back(static_cast<double>(random_() % (1 << 30)));
        break;
      case Shape::kPages:
        dictionary_.Intern(Gauge("bench.memory", "By", 0, i));
        values_.push_back(4096.0 * static_cast<double>(random_() % (1 << 20)));
        break;
    }
  }
}

double LoadEndpoint::Next(uint32_t series) {
  double& value = values_[series];
  const uint64_t bits = random_();
  switch (shapes_[series]) {
    case Shape::kStep:
    case Shape::kWalk:
      value = std::fmod(value + 100 + static_cast<double>(bits % 201) / 100 - 1,
                        100);
      value = std::round(value * 100) / 100;
      break;
    case Shape::kCounter:
      value += static_cast<double>(bits % 20000);
      break;
    case Shape::kEntropy:
      value = static_cast<double>(bits >> 11) / static_cast<double>(1ull << 53);
      break;
    case Shape::kConstant:
      break;
    case Shape::kPages:
      value = std::max(0.0, value + 4096 * (static_cast<double>(bits % 9) - 4));
      break;
  }
  return shapes_[series] == Shape::kStep && sequence_ >= kStepAt
             ? value + kStepHeight
             : value;
}

std::vector<double> LoadEndpoint::NextValues() {
  ++sequence_;
  std::vector<double> values;
  values.reserve(shapes_.size());
  for (uint32_t i = 0; i < shapes_.size(); ++i) values.push_back(Next(i));
  return values;
}

void LoadEndpoint::BeginStream() { encoder_.emplace(&dictionary_); }

std::vector<std::string> LoadEndpoint::Encode(uint32_t ticks, absl::Time first,
                                              absl::Duration tick) {
  std::vector<std::string> messages;
  messages.reserve(ticks);
  v1::AgentMessage message;
  for (uint32_t t = 0; t < ticks; ++t) {
    wire::Batch batch;
    const std::vector<double> values = NextValues();
    batch.run_id = run_;
    batch.sequence = sequence_;
    wire::Tick& moment = batch.ticks.emplace_back();
    moment.time = first + tick * t;
    moment.samples.reserve(shapes_.size());
    for (uint32_t i = 0; i < shapes_.size(); ++i) {
      moment.samples.push_back({i, values[i]});
      ++sums_[i].count;
      sums_[i].checksum += history::SampleChecksum(moment.time, values[i]);
    }
    message.Clear();
    encoder_->Encode(batch, run_, *message.mutable_batch());
    messages.push_back(message.SerializeAsString());
  }
  return messages;
}

}  // namespace forewarn::bench
