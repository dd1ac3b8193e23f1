// Values of the history: blocks and records of the log.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collector/history/log_entry.h"
#include "collector/history/open_block.h"
#include "collector/history/sealed_block.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace history = forewarn::history;
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data + 1),
                                size - 1);
  const uint32_t digits = data[0] % 11 == 10 ? 255 : data[0] % 10;
  const std::vector<uint8_t> all(40, static_cast<uint8_t>(digits));
  std::vector<forewarn::wire::Tick> ticks;
  const auto block = history::SealedBlock::Open(bytes);
  if (block.ok()) {
    block->ReadAll(all, ticks).IgnoreError();
    std::vector<history::Sample> samples;
    block->Read(3, digits, samples).IgnoreError();
  }
  history::OpenBlock rows;
  rows.AppendRows(bytes, 1);
  rows.Read(all, ticks).IgnoreError();
  history::EntryReader reader(bytes);
  history::SeriesEntry series;
  history::BatchEntry batch;
  for (;;) {
    const auto kind = reader.Next(series, batch);
    if (!kind.ok() || *kind == history::EntryReader::Kind::kEnd) break;
  }
  return 0;
}
