#include "agent/spool/spool_record.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/gzip_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::agent {
namespace {

namespace io = google::protobuf::io;

constexpr char kVersion = 1;
constexpr size_t kSummaryBytes = 1 + 16 + 8 + 4 + 8 + 8;
// Of an unpacked batch. A batch of the batcher is far below.
constexpr int kMaxUnpackedBytes = 32 << 20;
constexpr wire::DecodeLimits kLimits{
    .series = 100000, .samples = 1000000, .ticks = 100000};

void AppendLittleEndian(uint64_t number, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>(number >> (8 * i) & 0xff);
  }
}

uint64_t ReadLittleEndian(absl::string_view& in, int bytes) {
  uint64_t number = 0;
  for (int i = 0; i < bytes; ++i) {
    number |= uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
  }
  in.remove_prefix(bytes);
  return number;
}

}  // namespace

RecordSummary Summarise(const wire::Batch& batch) {
  RecordSummary summary{.run = batch.run_id,
                        .sequence = batch.sequence,
                        .from = absl::UnixEpoch(),
                        .to = absl::UnixEpoch()};
  for (const wire::Tick& tick : batch.ticks) {
    summary.samples += static_cast<uint32_t>(tick.samples.size());
    if (&tick == &batch.ticks.front()) summary.from = summary.to = tick.time;
    summary.from = std::min(summary.from, tick.time);
    summary.to = std::max(summary.to, tick.time);
  }
  return summary;
}

std::string EncodeRecord(const wire::Batch& batch,
                         const wire::SeriesDictionary& dictionary) {
  const RecordSummary summary = Summarise(batch);
  std::string record(1, kVersion);
  record.append(reinterpret_cast<const char*>(summary.run.data()),
                summary.run.size());
  AppendLittleEndian(summary.sequence, 8, record);
  AppendLittleEndian(summary.samples, 4, record);
  AppendLittleEndian(static_cast<uint64_t>(absl::ToUnixMillis(summary.from)), 8,
                     record);
  AppendLittleEndian(static_cast<uint64_t>(absl::ToUnixMillis(summary.to)), 8,
                     record);
  v1::Batch proto;
  wire::BatchEncoder(&dictionary).Encode(batch, batch.run_id, proto);
  io::StringOutputStream bytes(&record);
  io::GzipOutputStream::Options options;
  // Definitions repeat themselves: the quickest level already gets most.
  options.compression_level = 1;
  io::GzipOutputStream gzip(&bytes, options);
  proto.SerializeToZeroCopyStream(&gzip);
  gzip.Close();
  return record;
}

absl::StatusOr<RecordSummary> ReadSummary(absl::string_view record) {
  if (record.size() < kSummaryBytes || record[0] != kVersion) {
    return absl::DataLossError("read spooled batch: not a record of version 1");
  }
  RecordSummary summary;
  record.remove_prefix(1);
  for (uint8_t& byte : summary.run) {
    byte = static_cast<uint8_t>(ReadLittleEndian(record, 1));
  }
  summary.sequence = ReadLittleEndian(record, 8);
  summary.samples = static_cast<uint32_t>(ReadLittleEndian(record, 4));
  summary.from =
      absl::FromUnixMillis(static_cast<int64_t>(ReadLittleEndian(record, 8)));
  summary.to =
      absl::FromUnixMillis(static_cast<int64_t>(ReadLittleEndian(record, 8)));
  return summary;
}

absl::StatusOr<WholeBatch> DecodeRecord(absl::string_view record) {
  FOREWARN_ASSIGN_OR_RETURN(const RecordSummary summary, ReadSummary(record));
  record.remove_prefix(kSummaryBytes);
  io::ArrayInputStream bytes(record.data(), static_cast<int>(record.size()));
  io::GzipInputStream gzip(&bytes);
  io::CodedInputStream coded(&gzip);
  coded.SetTotalBytesLimit(kMaxUnpackedBytes);
  v1::Batch proto;
  // A cut stream may end where a message could: its end must be there too.
  if (!proto.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage() ||
      gzip.ZlibErrorCode() != Z_STREAM_END) {
    return absl::DataLossError("read spooled batch: it does not unpack");
  }
  WholeBatch whole;
  wire::BatchDecoder decoder(kLimits);
  std::vector<wire::DroppedSample> dropped;
  const absl::Status decoded =
      decoder.Decode(proto, summary.run, whole.batch, dropped);
  if (!decoded.ok()) {
    return absl::DataLossError(
        absl::StrCat("read spooled batch: ", decoded.message()));
  }
  if (!dropped.empty()) {
    v1::Gap& gap = whole.batch.gaps.emplace_back();
    gap.set_samples(dropped.size());
    gap.set_reason(absl::StrCat("not sent: ", dropped.front().reason));
  }
  whole.definitions = decoder.definitions();
  return whole;
}

}  // namespace forewarn::agent
