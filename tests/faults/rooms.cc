#include "tests/faults/rooms.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/spool/spool.h"
#include "collector/history/rocks_store.h"
#include "protos/base/backoff.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"
#include "tests/faults/numbers.h"
#include "tests/support/fake_files.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::faults {
namespace {

using testing::FakeFiles;

constexpr int kSteps = 60;

// A compaction may take files away meanwhile: then once more.
void CopyAsItIs(const std::string& from, const std::string& to) {
  for (std::error_code error;; error.clear()) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive,
                          error);
    if (!error) return;
  }
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t most) { return random_() % most; }
  bool Once(uint64_t in) { return Below(in) == 0; }

 private:
  std::mt19937_64 random_;
};

// A record of one file at the end of another: a block that the disk gave back
// from long ago, or wrote to the wrong place.
void Misdirect(FakeFiles& files, const std::string& folder, Dice& dice) {
  std::vector<std::string> logs;
  for (const std::string& path : files.paths()) {
    if (absl::StartsWith(path, folder)) logs.push_back(path);
  }
  if (logs.size() < 2) return;
  const std::string from = logs[dice.Below(logs.size() - 1)];
  const std::string to = logs.back();
  constexpr size_t kHeader = 32;
  constexpr size_t kMost = 4096;
  const auto source = files.Read(from, 1 << 30);
  if (!source.ok() || source->size() <= kHeader) return;
  files.Extend(to, source->substr(kHeader, kMost));
}

class SpoolPlay {
 public:
  SpoolPlay(uint64_t seed, Verdict& verdict)
      : seed_(seed), verdict_(verdict), dice_(seed) {
    dictionary_.Intern(NumberSeries());
    Start();
  }

  void Play() {
    for (int i = 0; i < kSteps; ++i) Step();
    CutPower();
  }

 private:
  void Start() {
    spool_.reset();
    spool_ = std::make_unique<agent::Spool>(
        files_, agent::Spool::Options{.folder = "/spool", .memory_bytes = 4096},
        NextRun());
  }

  wire::RunId NextRun() {
    wire::RunId run{};
    run.fill(++runs_);
    return run;
  }

  void Step() {
    switch (dice_.Below(9)) {
      case 0:
      case 1:
      case 2:
        // Now and then what is new overtakes what waits.
        if (dice_.Once(4)) spool_->BeginRun(NextRun());
        for (uint64_t n = 1 + dice_.Below(40); n > 0; --n) {
          spool_->Append(BatchOf(++number_), dictionary_);
          open_.insert(number_);
        }
        break;
      case 3:
      case 4:
        Flush();
        break;
      case 5:
        SendSome();
        break;
      case 6:
        files_.FailAt(1 + static_cast<int>(dice_.Below(6)));
        Flush();
        files_.FailAt(0);
        break;
      default:
        CutPower();
        break;
    }
  }

  void Flush() {
    if (!spool_->Flush().ok()) return;
    kept_.insert(open_.begin(), open_.end());
    open_.clear();
  }

  // A collector takes some, and acknowledges some of them.
  void SendSome() {
    uint64_t position = 0;
    const uint64_t most = dice_.Below(100);
    std::optional<agent::Spool::Entry> last;
    for (uint64_t i = 0; i < most; ++i) {
      std::optional<agent::Spool::Entry> entry = spool_->Peek(position);
      if (!entry.has_value()) break;
      position = entry->position + 1;
      if (dice_.Once(2)) last = std::move(entry);
    }
    if (!last.has_value()) return;
    // Acks are by run: all of the run up to there.
    const wire::Batch& batch = last->whole.batch;
    for (uint64_t at = 0;;) {
      const std::optional<agent::Spool::Entry> entry = spool_->Peek(at);
      if (!entry.has_value() || entry->position > last->position) break;
      at = entry->position + 1;
      if (entry->whole.batch.run_id != batch.run_id) continue;
      kept_.erase(NumberOf(entry->whole.batch));
      open_.erase(NumberOf(entry->whole.batch));
    }
    spool_->AckThrough(batch.run_id, batch.sequence);
  }

  void CutPower() {
    ++verdict_.faults["simulated_power_cut"];
    files_.CutPower();
    if (dice_.Once(2)) Misdirect(files_, "/spool/", dice_);
    Start();
    open_.clear();
    std::set<std::pair<wire::RunId, uint64_t>> seen;
    std::set<uint64_t> found;
    for (uint64_t at = 0;;) {
      const std::optional<agent::Spool::Entry> entry = spool_->Peek(at);
      if (!entry.has_value()) break;
      at = entry->position + 1;
      const wire::Batch& batch = entry->whole.batch;
      if (batch.ticks.empty()) continue;  // tells of a gap
      found.insert(NumberOf(batch));
      if (!seen.insert({batch.run_id, batch.sequence}).second) {
        ++verdict_.duplicated;
        verdict_.Complain("spool, seed ", seed_, ": ", NumberOf(batch),
                          " is there twice");
      }
    }
    for (const uint64_t number : kept_) {
      if (found.contains(number)) continue;
      ++verdict_.lost;
      verdict_.Complain("spool, seed ", seed_, ": ", number,
                        " was synced and is lost");
    }
    kept_ = found;  // what was written without a promise may stay or go
  }

  const uint64_t seed_;
  Verdict& verdict_;
  Dice dice_;
  FakeFiles files_;
  wire::SeriesDictionary dictionary_;
  std::unique_ptr<agent::Spool> spool_;
  uint8_t runs_ = 0;
  uint64_t number_ = 0;
  std::set<uint64_t> open_;  // in memory, perhaps
  std::set<uint64_t> kept_;  // promised
};

class HistoryPlay {
 public:
  HistoryPlay(uint64_t seed, Verdict& verdict)
      : seed_(seed), verdict_(verdict), dice_(seed) {
    run_.fill(7);
    Start(folder_ / "0");
  }

  void Play() {
    for (int i = 0; i < kSteps && store_ != nullptr; ++i) Step();
    if (store_ != nullptr) CutPower();
  }

 private:
  void Start(const std::string& directory) {
    directory_ = directory;
    // The log has one place: only RocksDB's files are moved at a crash.
    auto opened = history::RocksStore::Open({.directory = directory,
                                             .log_directory = "/log",
                                             .cache_bytes = 1 << 20,
                                             .block_ticks = 16,
                                             .segment_bytes = 2000},
                                            files_);
    if (!opened.ok()) {
      verdict_.Complain("history, seed ", seed_, ": ",
                        base::ToLine(opened.status()));
      store_ = nullptr;
      return;
    }
    store_ = *std::move(opened);
  }

  void Step() {
    switch (dice_.Below(8)) {
      case 0:
        files_.FailAt(1 + static_cast<int>(dice_.Below(4)),
                      absl::UnavailableError("i/o error"));
        Append();
        files_.FailAt(0);
        break;
      case 1:
        if (dice_.Once(3)) store_->Flush().IgnoreError();
        break;
      case 2:
        CutPower();
        break;
      case 3:
        Kill();
        break;
      default:
        Append();
        break;
    }
  }

  // Some batches; what is refused is sent again until it is taken, as an
  // agent would, unless the collector says that it has it.
  void Append() {
    std::vector<history::EndpointBatch> batches;
    for (uint64_t n = 1 + dice_.Below(8); n > 0; --n) {
      history::EndpointBatch item{1, BatchOf(++sequence_)};
      item.batch.run_id = run_;
      item.batch.sequence = sequence_;
      batches.push_back(std::move(item));
    }
    for (int tries = 0; tries < 3; ++tries) {
      std::vector<history::EndpointBatch> wanted;
      const auto mark = store_->HighWater(1, run_);
      for (const history::EndpointBatch& item : batches) {
        if (!mark.ok() || item.batch.sequence > *mark) wanted.push_back(item);
      }
      std::vector<std::pair<uint32_t, history::SeriesRecord>> series;
      if (!defined_) series.push_back({1, {0, NumberSeries()}});
      if (store_->Append(series, wanted).ok()) {
        defined_ = true;
        for (const auto& item : batches) kept_.insert(item.batch.sequence);
        return;
      }
      files_.FailAt(0);
      // Or it is killed before the batch comes again.
      if (dice_.Once(3)) Kill();
      if (store_ == nullptr) return;
    }
    sequence_ -= batches.size();
  }

  // What was written and not synced is still there, and may go later.
  void Kill() {
    ++verdict_.faults["simulated_kill"];
    Restart([] {});
  }

  void CutPower() {
    ++verdict_.faults["simulated_power_cut"];
    Restart([this] {
      files_.CutPower();
      if (dice_.Once(2)) Misdirect(files_, "/log/", dice_);
    });
  }

  template <typename Meanwhile>
  void Restart(Meanwhile meanwhile) {
    // What RocksDB has in memory is gone; what it wrote may be there.
    const std::string after = folder_ / absl::StrCat(++crashes_);
    CopyAsItIs(directory_, after);
    store_.reset();
    std::filesystem::remove_all(directory_);
    meanwhile();
    Start(after);
    if (store_ == nullptr) return;
    Check();
    const auto mark = store_->HighWater(1, run_);
    if (mark.ok()) sequence_ = std::max(sequence_, *mark);
  }

  void Check() {
    const auto complain = [this](const auto&... words) {
      verdict_.Complain("history, seed ", seed_, ": ", words...);
    };
    if (!defined_) return;
    const auto samples = store_->Query(1, 0, TimeOf(0), absl::InfiniteFuture());
    const auto events =
        store_->Events(1, TimeOf(0), absl::InfiniteFuture(), 1000000);
    if (!samples.ok() || !events.ok()) {
      return complain(base::ToLine(samples.status()), " ",
                      base::ToLine(events.status()));
    }
    std::set<uint64_t> stored;
    for (const history::Sample& sample : *samples) {
      stored.insert(static_cast<uint64_t>(sample.value));
    }
    std::map<std::string, int> counts;
    for (const v1::Event& event : *events) ++counts[event.message()];
    for (const uint64_t number : kept_) {
      if (!stored.contains(number) || !counts.contains(absl::StrCat(number))) {
        ++verdict_.lost;
        complain(number, " was acknowledged and is lost");
      }
    }
    for (const auto& [number, count] : counts) {
      if (count == 1) continue;
      ++verdict_.duplicated;
      complain("the event of ", number, " is there ", count, " times");
    }
    for (const uint64_t number : stored) {
      if (number > sequence_ + 8) complain(number, " was never sent");
    }
  }

  const uint64_t seed_;
  Verdict& verdict_;
  Dice dice_;
  FakeFiles files_;
  testing::TemporaryFolder folder_;
  std::string directory_;
  std::unique_ptr<history::RocksStore> store_;
  wire::RunId run_{};
  int crashes_ = 0;
  bool defined_ = false;
  uint64_t sequence_ = 0;
  std::set<uint64_t> kept_;  // acknowledged
};

}  // namespace

void PlaySpool(uint64_t seed, Verdict& verdict) {
  SpoolPlay(seed, verdict).Play();
}

void PlayHistory(uint64_t seed, Verdict& verdict) {
  HistoryPlay(seed, verdict).Play();
}

void PlayReconnects(uint64_t seed, Verdict& verdict) {
  constexpr int kAgents = 1000;
  constexpr int kTries = 6;
  std::map<int64_t, int> arrivals;  // by 100 ms, of the last try
  for (int agent = 0; agent < kAgents; ++agent) {
    base::Backoff backoff(absl::Seconds(1), absl::Seconds(60),
                          seed * kAgents + static_cast<uint64_t>(agent));
    absl::Duration at;
    for (int i = 0; i < kTries; ++i) at += backoff.Next();
    ++arrivals[at / absl::Milliseconds(100)];
  }
  for (const auto& [at, count] : arrivals) {
    if (count <= kAgents / 20) continue;
    verdict.Complain("reconnects, seed ", seed, ": ", count, " of ", kAgents,
                     " agents come in one tenth of a second");
  }
}

}  // namespace forewarn::faults
