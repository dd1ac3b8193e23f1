#include "agent/spool/spool_folder.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

// A closed segment is at most 16 MiB and one record long; twice that is
// still read, anything longer is not ours.
constexpr uint64_t kMaxSegmentBytes = uint64_t{32} << 20;
constexpr size_t kDamagedKept = 4;  // chosen: enough to look into

bool ParseName(absl::string_view name, absl::string_view ending,
               uint64_t& number) {
  return name.size() == 16 + ending.size() && absl::EndsWith(name, ending) &&
         absl::SimpleHexAtoi(name.substr(0, 16), &number);
}

// Empty when there is no file of this ending and number.
std::vector<uint64_t> NumbersOf(const std::vector<std::string>& names,
                                absl::string_view ending) {
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    uint64_t number = 0;
    if (ParseName(name, ending, number)) numbers.push_back(number);
  }
  return numbers;
}

void LogProblem(absl::string_view what, const absl::Status& status) {
  if (status.ok()) return;
  Log(LogLevel::kWarning, what, {{"error", base::ToLine(status)}});
}

}  // namespace

void Segment::Add(const RecordSummary& summary) {
  ++records;
  for (auto& [run, last] : runs) {
    if (run == summary.run) {
      last = std::max(last, summary.sequence);
      return;
    }
  }
  runs.emplace_back(summary.run, summary.sequence);
}

SpoolFolder::SpoolFolder(base::Files& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

std::string SpoolFolder::PathOf(uint64_t number,
                                absl::string_view ending) const {
  return absl::StrCat(folder_, "/", absl::Hex(number, absl::kZeroPad16),
                      ending);
}

absl::StatusOr<SpoolFolder::Recovered> SpoolFolder::Recover() {
  FOREWARN_RETURN_IF_ERROR(files_.MakeFolder(folder_));
  FOREWARN_ASSIGN_OR_RETURN(std::vector<std::string> names,
                            files_.List(folder_));
  RepairSalvages(names);
  FOREWARN_ASSIGN_OR_RETURN(names, files_.List(folder_));
  Recovered recovered;
  for (const absl::string_view ending : {".log", ".damaged", ".salvage"}) {
    for (const uint64_t number : NumbersOf(names, ending)) {
      recovered.next_number = std::max(recovered.next_number, number + 1);
    }
  }
  for (const uint64_t number : NumbersOf(names, ".log")) {
    absl::StatusOr<Segment> segment =
        RecoverSegment(number, recovered.damaged_bytes);
    if (!segment.ok()) {
      LogProblem("spool segment left out", segment.status());
    } else if (segment->records > 0) {
      recovered.segments.push_back(*std::move(segment));
    }
  }
  KeepFewDamaged();
  return recovered;
}

void SpoolFolder::RepairSalvages(const std::vector<std::string>& names) {
  for (const uint64_t number : NumbersOf(names, ".salvage")) {
    const std::string copy = PathOf(number, ".salvage");
    const bool beside = std::binary_search(
        names.begin(), names.end(),
        absl::StrCat(absl::Hex(number, absl::kZeroPad16), ".log"));
    LogProblem("spool salvage",
               beside ? files_.Remove(copy)
                      : files_.Rename(copy, PathOf(number, ".log")));
  }
}

absl::StatusOr<Segment> SpoolFolder::RecoverSegment(uint64_t number,
                                                    uint64_t& damaged_bytes) {
  const std::string path = PathOf(number, ".log");
  absl::StatusOr<std::string> contents = files_.Read(path, kMaxSegmentBytes);
  if (absl::IsResourceExhausted(contents.status())) SetAside(number);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<base::RecordReader> reader =
      base::RecordReader::Open(*contents);
  if (!reader.ok()) {
    if (contents->size() <= base::kRecordLogHeaderBytes) {
      // A crash while it was made: nothing was in it.
      FOREWARN_RETURN_IF_ERROR(files_.Remove(path));
      return Segment{};
    }
    damaged_bytes += contents->size();
    SetAside(number);
    return base::Annotate(reader.status(), path);
  }
  Segment segment{.number = number};
  std::vector<absl::string_view> good;
  absl::string_view record;
  bool foreign = false;
  while (reader->Next(record)) {
    const absl::StatusOr<RecordSummary> summary = ReadSummary(record);
    if (!summary.ok()) {
      foreign = true;
      damaged_bytes += record.size();
      continue;
    }
    good.push_back(record);
    segment.Add(*summary);
  }
  segment.bytes = reader->good_end();
  damaged_bytes += reader->damaged_bytes();
  if (reader->damaged_bytes() > 0 || foreign) {
    Log(LogLevel::kWarning, "spool segment damaged; keeping its good records",
        {{"file", path},
         {"good_records", good.size()},
         {"damaged_bytes", reader->damaged_bytes()}});
    const absl::Status salvaged = Salvage(number, good);
    if (salvaged.ok()) {
      segment.bytes = base::kRecordLogHeaderBytes;
      for (const absl::string_view kept : good) {
        segment.bytes += base::kRecordHeadBytes + kept.size();
      }
    }
    LogProblem("spool salvage failed; reading past the damage", salvaged);
  } else if (good.empty()) {
    FOREWARN_RETURN_IF_ERROR(files_.Remove(path));
  } else if (reader->torn_bytes() > 0) {
    LogProblem("spool tail not cut", files_.Truncate(path, reader->good_end()));
  }
  return segment;
}

void SpoolFolder::SetAside(uint64_t number) {
  LogProblem("spool segment not set aside",
             files_.Rename(PathOf(number, ".log"), PathOf(number, ".damaged")));
}

absl::Status SpoolFolder::Salvage(
    uint64_t number, const std::vector<absl::string_view>& records) {
  if (records.empty()) {
    return files_.Rename(PathOf(number, ".log"), PathOf(number, ".damaged"));
  }
  const std::string copy = PathOf(number, ".salvage");
  {
    FOREWARN_ASSIGN_OR_RETURN(std::unique_ptr<base::RecordWriter> writer,
                              base::RecordWriter::Create(files_, copy));
    for (const absl::string_view record : records) {
      FOREWARN_RETURN_IF_ERROR(writer->Append(record));
    }
    FOREWARN_RETURN_IF_ERROR(writer->Sync());
  }
  FOREWARN_RETURN_IF_ERROR(files_.SyncFolder(folder_));
  FOREWARN_RETURN_IF_ERROR(
      files_.Rename(PathOf(number, ".log"), PathOf(number, ".damaged")));
  FOREWARN_RETURN_IF_ERROR(files_.Rename(copy, PathOf(number, ".log")));
  return files_.SyncFolder(folder_);
}

void SpoolFolder::KeepFewDamaged() {
  const absl::StatusOr<std::vector<std::string>> names = files_.List(folder_);
  if (!names.ok()) return;
  std::vector<uint64_t> damaged = NumbersOf(*names, ".damaged");
  std::sort(damaged.begin(), damaged.end());
  for (size_t i = 0; i + kDamagedKept < damaged.size(); ++i) {
    LogProblem("spool clean-up", files_.Remove(PathOf(damaged[i], ".damaged")));
  }
}

absl::StatusOr<std::unique_ptr<base::RecordWriter>> SpoolFolder::Create(
    uint64_t number) {
  return base::RecordWriter::Create(files_, PathOf(number, ".log"));
}

absl::StatusOr<std::unique_ptr<LoadedSegment>> SpoolFolder::Load(
    const Segment& segment) {
  auto loaded = std::make_unique<LoadedSegment>();
  loaded->number = segment.number;
  FOREWARN_ASSIGN_OR_RETURN(
      loaded->contents,
      files_.Read(PathOf(segment.number, ".log"), kMaxSegmentBytes));
  FOREWARN_ASSIGN_OR_RETURN(base::RecordReader reader,
                            base::RecordReader::Open(loaded->contents));
  absl::string_view record;
  while (loaded->records.size() < segment.records && reader.Next(record)) {
    absl::StatusOr<RecordSummary> summary = ReadSummary(record);
    if (!summary.ok()) continue;
    loaded->records.push_back(record);
    loaded->summaries.push_back(*summary);
  }
  return loaded;
}

absl::Status SpoolFolder::Remove(uint64_t number) {
  return files_.Remove(PathOf(number, ".log"));
}

}  // namespace forewarn::agent
