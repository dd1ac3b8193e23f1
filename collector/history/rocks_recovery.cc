// What is in the log at the start.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "collector/history/history_keys.h"
#include "collector/history/rocks_store_impl.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::history {

absl::Status RocksStore::Impl::OpenLog(base::Files& files) {
  base::MutexLock appending(&append_mutex_);
  FOREWARN_ASSIGN_OR_RETURN(
      log_, AppendLog::Open(files,
                            options_.log_directory.empty()
                                ? options_.directory + "/log"
                                : options_.log_directory,
                            [this](absl::string_view record, uint64_t segment) {
                              base::MutexLock lock(&mutex_);
                              Recover(record, segment);
                            }));
  return absl::OkStatus();
}

void RocksStore::Impl::Recover(absl::string_view record, uint64_t segment) {
  EntryReader reader(record);
  rocksdb::WriteBatch writes;
  SeriesEntry series;
  BatchEntry batch;
  for (;;) {
    const auto kind = reader.Next(series, batch);
    if (!kind.ok()) LogIfBad(kind.status());
    if (!kind.ok() || *kind == EntryReader::Kind::kEnd) break;
    if (*kind == EntryReader::Kind::kSeries) {
      v1::SeriesDefinition proto;
      const auto endpoint = Find(series.endpoint);
      if (!endpoint.ok() ||
          !proto.ParseFromArray(series.definition.data(),
                                static_cast<int>(series.definition.size()))) {
        continue;
      }
      Know({series.series, wire::FromProto(proto)}, **endpoint);
      writes.Put(
          SeriesKey(series.endpoint, series.series),
          rocksdb::Slice(series.definition.data(), series.definition.size()));
    } else {
      PutEvents(batch, writes);
      LogIfBad(RecoverBatch(batch, segment));
    }
  }
  LogIfBad(sealed_.Write(writes));
}

absl::Status RocksStore::Impl::RecoverBatch(const BatchEntry& batch,
                                            uint64_t segment) {
  FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(batch.endpoint));
  FOREWARN_ASSIGN_OR_RETURN(uint64_t * mark,
                            Mark(batch.endpoint, *endpoint, batch.run));
  if (batch.order <= endpoint->order) return absl::OkStatus();  // sealed
  const bool follows = batch.order == endpoint->order + 1 &&
                       !endpoint->open.empty() && !endpoint->link_lost;
  endpoint->order = batch.order;
  // The same batch twice: once refused, yet in the log, and sent again.
  // Its rows stay, as what follows may refer to them; a query sees one.
  *mark = std::max(*mark, batch.sequence);
  if (batch.rows.empty()) return absl::OkStatus();
  endpoint->link_lost = !follows && !OpenBlock::IsReset(batch.rows);
  if (endpoint->link_lost) {
    return absl::DataLossError(absl::StrCat("a batch of endpoint ",
                                            batch.endpoint,
                                            " follows on one that is lost"));
  }
  endpoint->open.AppendRows(batch.rows, batch.ticks);
  endpoint->first_segment = std::min(endpoint->first_segment, segment);
  return absl::OkStatus();
}

}  // namespace forewarn::history
