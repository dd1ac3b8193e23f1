#include "collector/history/log_entry.h"

#include <algorithm>

#include "protos/base/status.h"
#include "protos/wire/column_codec.h"

namespace forewarn::history {
namespace {

using wire::AppendVarint;
using wire::ReadVarint;

constexpr uint64_t kSeries = 1;
constexpr uint64_t kBatch = 2;

void AppendBytes(absl::string_view bytes, std::string& out) {
  AppendVarint(bytes.size(), out);
  out.append(bytes.data(), bytes.size());
}

absl::Status Take(absl::string_view& in, uint64_t size,
                  absl::string_view& out) {
  if (size > in.size()) return absl::DataLossError("log entry is truncated");
  out = in.substr(0, size);
  in.remove_prefix(size);
  return absl::OkStatus();
}

absl::Status ReadBytes(absl::string_view& in, absl::string_view& out) {
  uint64_t size = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(in, size));
  return Take(in, size, out);
}

absl::Status ReadNumber(absl::string_view& in, uint32_t& out) {
  uint64_t number = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(in, number));
  if (number > UINT32_MAX) return absl::DataLossError("log entry");
  out = static_cast<uint32_t>(number);
  return absl::OkStatus();
}

}  // namespace

void AppendEntry(const SeriesEntry& entry, std::string& record) {
  AppendVarint(kSeries, record);
  AppendVarint(entry.endpoint, record);
  AppendVarint(entry.series, record);
  AppendBytes(entry.definition, record);
}

void AppendEntry(const BatchEntry& entry, std::string& record) {
  AppendVarint(kBatch, record);
  AppendVarint(entry.endpoint, record);
  AppendVarint(entry.order, record);
  record.append(reinterpret_cast<const char*>(entry.run.data()),
                entry.run.size());
  AppendVarint(entry.sequence, record);
  AppendVarint(entry.ticks, record);
  AppendBytes(entry.rows, record);
  AppendVarint(entry.events.size(), record);
  for (const absl::string_view event : entry.events) {
    AppendBytes(event, record);
  }
}

absl::StatusOr<EntryReader::Kind> EntryReader::Next(SeriesEntry& series,
                                                    BatchEntry& batch) {
  if (rest_.empty()) return Kind::kEnd;
  uint64_t kind = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(rest_, kind));
  if (kind == kSeries) {
    FOREWARN_RETURN_IF_ERROR(ReadNumber(rest_, series.endpoint));
    FOREWARN_RETURN_IF_ERROR(ReadNumber(rest_, series.series));
    FOREWARN_RETURN_IF_ERROR(ReadBytes(rest_, series.definition));
    return Kind::kSeries;
  }
  if (kind != kBatch) return absl::DataLossError("log entry of another kind");
  absl::string_view run;
  FOREWARN_RETURN_IF_ERROR(ReadNumber(rest_, batch.endpoint));
  FOREWARN_RETURN_IF_ERROR(ReadVarint(rest_, batch.order));
  FOREWARN_RETURN_IF_ERROR(Take(rest_, batch.run.size(), run));
  std::copy(run.begin(), run.end(), batch.run.begin());
  FOREWARN_RETURN_IF_ERROR(ReadVarint(rest_, batch.sequence));
  FOREWARN_RETURN_IF_ERROR(ReadNumber(rest_, batch.ticks));
  FOREWARN_RETURN_IF_ERROR(ReadBytes(rest_, batch.rows));
  uint64_t events = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(rest_, events));
  if (events > rest_.size()) return absl::DataLossError("log entry");
  batch.events.resize(events);
  for (absl::string_view& event : batch.events) {
    FOREWARN_RETURN_IF_ERROR(ReadBytes(rest_, event));
  }
  return Kind::kBatch;
}

}  // namespace forewarn::history
