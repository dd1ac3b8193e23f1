// bench-codec: what a sample costs to code and decode, on the wire and in the
// history. Items are samples.

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "collector/history/open_block.h"
#include "collector/history/sealed_block.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/grpc_frames.h"

namespace forewarn::bench {
namespace {

constexpr uint32_t kSeries = 100;
constexpr int kTicks = 120;

struct Load {
  Load() {
    std::mt19937 random(9);
    std::vector<int> hundredths(kSeries, 5000);
    for (uint32_t i = 0; i < kSeries; ++i) {
      dictionary.Intern({.metric = "bench",
                         .unit = "1",
                         .digits = 2,
                         .attributes = {{"i", absl::StrCat(i)}}});
    }
    for (int t = 0; t < kTicks; ++t) {
      wire::Tick& tick = ticks.emplace_back();
      tick.time = absl::FromUnixSeconds(1'800'000'000 + 10 * t);
      for (uint32_t i = 0; i < kSeries; ++i) {
        hundredths[i] += static_cast<int>(random() % 201) - 100;
        tick.samples.push_back({i, hundredths[i] / 100.0});
      }
    }
    wire::BatchEncoder encoder(&dictionary);
    for (int t = 0; t < kTicks; ++t) {
      wire::Batch batch;
      batch.sequence = static_cast<uint64_t>(t) + 1;
      batch.ticks = {ticks[t]};
      encoder.Encode(batch, {}, coded.emplace_back());
    }
  }
  wire::SeriesDictionary dictionary;
  std::vector<wire::Tick> ticks;
  std::vector<v1::Batch> coded;
  std::vector<uint8_t> digits = std::vector<uint8_t>(kSeries, 2);
};

const Load& TheLoad() {
  static const auto* const load = new Load;
  return *load;
}

void CountSamples(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kSeries * kTicks);
}

void EncodeBatches(benchmark::State& state) {
  const Load& load = TheLoad();
  for (auto _ : state) {
    wire::BatchEncoder encoder(&load.dictionary);
    v1::Batch out;
    for (int t = 0; t < kTicks; ++t) {
      wire::Batch batch;
      batch.sequence = static_cast<uint64_t>(t) + 1;
      batch.ticks = {load.ticks[t]};
      out.Clear();
      encoder.Encode(batch, {}, out);
    }
    benchmark::DoNotOptimize(out);
  }
  CountSamples(state);
}
BENCHMARK(EncodeBatches);

void DecodeBatches(benchmark::State& state) {
  const Load& load = TheLoad();
  for (auto _ : state) {
    wire::BatchDecoder decoder({});
    wire::Batch out;
    std::vector<wire::DroppedSample> dropped;
    for (const v1::Batch& batch : load.coded) {
      decoder.Decode(batch, {}, out, dropped).IgnoreError();
    }
    benchmark::DoNotOptimize(out);
  }
  CountSamples(state);
}
BENCHMARK(DecodeBatches);

void AppendRows(benchmark::State& state) {
  const Load& load = TheLoad();
  for (auto _ : state) {
    history::OpenBlock block;
    for (const wire::Tick& tick : load.ticks) {
      block.Append({&tick, 1}, load.digits, false);
    }
    benchmark::DoNotOptimize(block);
  }
  CountSamples(state);
}
BENCHMARK(AppendRows);

void Seal(benchmark::State& state) {
  const Load& load = TheLoad();
  size_t bytes = 0;
  for (auto _ : state) {
    bytes = history::SealBlock(load.ticks, load.digits).size();
  }
  CountSamples(state);
  state.counters["bytes_per_sample"] =
      static_cast<double>(bytes) / (kSeries * kTicks);
}
BENCHMARK(Seal);

void ReadOneColumn(benchmark::State& state) {
  const Load& load = TheLoad();
  const std::string bytes = history::SealBlock(load.ticks, load.digits);
  std::vector<history::Sample> samples;
  for (auto _ : state) {
    samples.clear();
    const auto block = history::SealedBlock::Open(bytes);
    block->Read(50, 2, samples).IgnoreError();
    benchmark::DoNotOptimize(samples);
  }
  state.SetItemsProcessed(state.iterations() * kTicks);
}
BENCHMARK(ReadOneColumn);

}  // namespace
}  // namespace forewarn::bench

BENCHMARK_MAIN();
