#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/spool/spool.h"
#include "collector/history/rocks_store.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_desk_store.h"
#include "protos/base/record_log.h"
#include "protos/base/status.h"
#include "tests/faults/numbers.h"
#include "tests/faults/rooms.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::faults {
namespace {

constexpr uint64_t kNumbers = 600;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Takes no compression: its blocks go to blob files, as a fleet's do.
wire::SeriesDefinition NoiseSeries() {
  wire::SeriesDefinition definition;
  definition.metric = "hw.voltage";
  definition.digits = 10;
  return definition;
}
double NoiseOf(uint64_t number) {
  return static_cast<double>(std::mt19937_64(number)()) / 3;
}

// Some bits of one file of the folder flipped, or its end cut off. Returns
// what was done, and how many places it touched.
struct Damage {
  std::string what;
  int places = 0;
  bool cut = false;  // or both copies of a log's header hit
};

Damage DamageOne(const std::string& folder, std::mt19937_64& random) {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.file_size() > 0) {
      paths.push_back(entry.path());
    }
  }
  if (paths.empty()) return {};
  std::sort(paths.begin(), paths.end());
  const std::string& path = paths[random() % paths.size()];
  std::string bytes = ReadAll(path);
  Damage damage;
  const std::string name = std::filesystem::path(path).filename();
  if (random() % 4 == 0) {
    damage.cut = true;
    bytes.resize(random() % bytes.size());
    damage.what = absl::StrCat(name, " cut to ", bytes.size());
  } else {
    damage.places = 1 + static_cast<int>(random() % 8);
    damage.what = absl::StrCat(name, " with ", damage.places, " bits flipped");
    int in_header = 0;
    for (int i = 0; i < damage.places; ++i) {
      const size_t at = random() % bytes.size();
      bytes[at] ^= static_cast<char>(1 << (random() % 8));
      in_header += at < base::kRecordLogHeaderBytes;
    }
    damage.cut = in_header > 1;
  }
  WriteAll(path, bytes);
  return damage;
}

void DamageSpool(uint64_t seed, Verdict& verdict) {
  std::mt19937_64 random(seed);
  const testing::TemporaryFolder folder;
  const agent::Spool::Options options{.folder = folder / "spool",
                                      .limit_bytes = 4 << 20};
  wire::RunId run{};
  {
    agent::Spool spool(base::Files::Posix(), options, run);
    wire::SeriesDictionary dictionary;
    dictionary.Intern(NumberSeries());
    for (uint64_t number = 1; number <= kNumbers; ++number) {
      spool.Append(BatchOf(number), dictionary);
    }
    if (!spool.Flush().ok()) return verdict.Complain("spool: not written");
  }
  const Damage damage = DamageOne(folder / "spool", random);
  const auto complain = [&](const auto&... words) {
    verdict.Complain("damaged spool, seed ", seed, ", ", damage.what, ": ",
                     words...);
  };
  ++verdict.faults["damaged_spool"];
  run.fill(9);
  agent::Spool spool(base::Files::Posix(), options, run);
  std::set<uint64_t> found;
  for (uint64_t at = 0;;) {
    const std::optional<agent::Spool::Entry> entry = spool.Peek(at);
    if (!entry.has_value()) break;
    at = entry->position + 1;
    const wire::Batch& batch = entry->whole.batch;
    if (batch.ticks.empty()) continue;  // tells of a gap
    const uint64_t number = NumberOf(batch);
    if (number < 1 || number > kNumbers ||
        batch.ticks[0].time != TimeOf(number)) {
      complain("gave back ", number, ", which was never put in");
    }
    if (!found.insert(number).second) complain(number, " is there twice");
  }
  // A batch a flipped bit; what hid behind a cut cannot be known.
  const size_t lost = kNumbers - found.size();
  if (!damage.cut && lost > static_cast<size_t>(damage.places)) {
    complain(lost, " batches are gone");
  }
}

void DamageHistory(uint64_t seed, Verdict& verdict) {
  std::mt19937_64 random(seed);
  const testing::TemporaryFolder folder;
  const history::RocksOptions options{.directory = folder / "history",
                                      .cache_bytes = 1 << 20,
                                      .block_ticks = 64,
                                      .segment_bytes = 4000};
  const auto append = [](history::RocksStore& store, uint64_t from, uint64_t to,
                         bool define) -> absl::Status {
    std::vector<std::pair<uint32_t, history::SeriesRecord>> series;
    if (define) {
      series.push_back({1, {0, NumberSeries()}});
      series.push_back({1, {1, NoiseSeries()}});
    }
    for (uint64_t number = from; number <= to; ++number) {
      history::EndpointBatch item{1, BatchOf(number)};
      item.batch.ticks[0].samples.push_back({1, NoiseOf(number)});
      item.batch.run_id.fill(7);
      item.batch.sequence = number;
      FOREWARN_RETURN_IF_ERROR(store.Append(series, {item}));
      series.clear();
    }
    return absl::OkStatus();
  };
  {
    auto store = history::RocksStore::Open(options);
    if (!store.ok() || !append(**store, 1, kNumbers / 2, true).ok() ||
        !(*store)->Flush().ok() ||
        !append(**store, kNumbers / 2 + 1, kNumbers, false).ok()) {
      return verdict.Complain("history: not written");
    }
    // As a kill leaves it: a part is in the log alone.
    std::filesystem::copy(folder / "history", folder / "left",
                          std::filesystem::copy_options::recursive);
  }
  std::filesystem::remove_all(folder / "history");
  std::filesystem::rename(folder / "left", folder / "history");
  const Damage damage = DamageOne(folder / "history", random);
  const auto complain = [&](const auto&... words) {
    verdict.Complain("damaged history, seed ", seed, ", ", damage.what, ": ",
                     words...);
  };
  ++verdict.faults["damaged_history"];
  auto store = history::RocksStore::Open(options);
  if (!store.ok()) return complain(base::ToLine(store.status()));
  std::set<uint64_t> found;
  const auto samples = (*store)->Query(1, 0, TimeOf(0), absl::InfiniteFuture());
  if (samples.ok()) {
    for (const history::Sample& sample : *samples) {
      const auto number = static_cast<uint64_t>(sample.value);
      if (number < 1 || number > kNumbers || sample.time != TimeOf(number)) {
        complain("gave back ", sample.value, ", which was never put in");
      }
      if (!found.insert(number).second) complain(number, " is there twice");
    }
  } else if (!absl::IsDataLoss(samples.status()) &&
             !absl::IsNotFound(samples.status())) {
    complain(base::ToLine(samples.status()));
  }
  // It goes on with what comes; where it only found the damage on its way,
  // after the next start.
  for (int start = 1;; ++start) {
    const auto known = (*store)->LoadSeries(1);
    const bool define = !known.ok() || known->empty();
    const absl::Status kept =
        append(**store, kNumbers + 1, kNumbers + 40, define);
    if (kept.ok()) break;
    if (start == 2) {
      return complain("takes nothing any more: ", base::ToLine(kept));
    }
    store->reset();
    store = history::RocksStore::Open(options);
    if (!store.ok()) return complain(base::ToLine(store.status()));
  }
  const auto noise = (*store)->LoadSeries(1);
  for (const history::SeriesRecord& record : *noise) {
    if (record.definition.metric == "forewarn.history.lost") continue;
    if ((record.series == 0) ==
        (record.definition.metric == NoiseSeries().metric)) {
      complain("series ", record.series, " is now ", record.definition.metric);
    }
  }
}

void DamageDesk(uint64_t seed, Verdict& verdict) {
  std::mt19937_64 random(seed);
  const testing::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "desk");
  const std::string path = folder / "desk/desk.db";
  constexpr uint32_t kTickets = 200;
  {
    auto database = store::SqliteDatabase::Open(path);
    if (!database.ok()) return verdict.Complain("desk: not written");
    store::SqliteDeskStore store(**database);
    absl::Status kept;
    const auto insert = [](desk::DeskTransaction& rows) -> absl::Status {
      v1::Incident incident;
      FOREWARN_RETURN_IF_ERROR(rows.incidents().InsertIncident(incident));
      v1::Ticket ticket;
      ticket.set_incident(incident.id());
      ticket.set_host_name("host");
      return rows.tickets().InsertTicket(ticket);
    };
    kept.Update(store.Together([&] {
      for (uint32_t i = 1; i <= kTickets; ++i) {
        kept.Update(store.Transaction(insert));
      }
    }));
    if (!kept.ok()) return verdict.Complain("desk: ", base::ToLine(kept));
  }
  const Damage damage = DamageOne(folder / "desk", random);
  const auto complain = [&](const auto&... words) {
    verdict.Complain("damaged desk, seed ", seed, ", ", damage.what, ": ",
                     words...);
  };
  ++verdict.faults["damaged_desk"];
  const std::string before = ReadAll(path);
  auto database = store::SqliteDatabase::Open(path);
  if (!database.ok()) {
    ++verdict.faults["damaged_desk_refused"];
    if (ReadAll(path) != before) complain("was refused, and changed");
    return;
  }
  // SQLite has no checksums, the rows have: what is read is what was written.
  store::SqliteDeskStore store(**database);
  const absl::Status read =
      store.Read([&](desk::DeskTransaction& rows) -> absl::Status {
        desk::TicketFilter all;
        all.limit = 2 * kTickets;
        FOREWARN_ASSIGN_OR_RETURN(const auto tickets,
                                  rows.tickets().ListTickets(all));
        std::set<uint32_t> seen;
        for (const v1::Ticket& ticket : tickets) {
          if (!seen.insert(ticket.id()).second || ticket.id() < 1 ||
              ticket.id() > kTickets || ticket.host_name() != "host") {
            complain("ticket ", ticket.id(), " of ", ticket.host_name(),
                     " was never put in");
          }
        }
        return absl::OkStatus();
      });
  // kInternal: the damage is in the words of the schema.
  if (!read.ok() && !absl::IsDataLoss(read) && !absl::IsInternal(read)) {
    complain(base::ToLine(read));
  }
}

}  // namespace

void PlayDamage(uint64_t seed, Verdict& verdict) {
  for (uint64_t round = 0; round < 4; ++round) {
    DamageSpool(seed * 4 + round, verdict);
    DamageHistory(seed * 4 + round, verdict);
    DamageDesk(seed * 4 + round, verdict);
  }
}

}  // namespace forewarn::faults
