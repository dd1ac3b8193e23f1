// bench-detection: labelled sets through the judge that a shard has, with the
// shipped defaults; reads no labels. docs/detection.md has the layout.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/bench/detection/csv_table.h"
#include "tests/bench/detection/score_series.h"
#include "tests/bench/detection/score_traces.h"

namespace forewarn::bench {
namespace {

namespace fs = std::filesystem;

using Work = std::vector<std::function<absl::Status()>>;

// The file's name without .csv or .csv.gz; empty for other files.
std::string Stem(const std::string& name) {
  for (const char* end : {".csv.gz", ".csv"}) {
    if (absl::EndsWith(name, end)) {
      return name.substr(0, name.size() - std::string(end).size());
    }
  }
  return "";
}

// The packed or plain file of that stem.
std::string Find(const fs::path& folder, const std::string& stem) {
  const fs::path packed = folder / (stem + ".csv.gz");
  return fs::exists(packed) ? packed.string()
                            : (folder / (stem + ".csv")).string();
}

// A set of its own time stamps: every file below data.
void AddStamped(const fs::path& set, const fs::path& out, Work& work) {
  for (const fs::directory_entry& file :
       fs::recursive_directory_iterator(set / "data")) {
    const std::string stem =
        Stem(fs::relative(file.path(), set / "data").string());
    if (stem.empty()) continue;
    work.push_back([input = file.path().string(),
                    output = (out / (stem + ".csv")).string()] {
      return ScoreSeries(input, absl::ZeroDuration(), ScoreFormat::kTimestamps,
                         output);
    });
  }
}

// A set whose series.csv names its files and their steps.
absl::Status AddListed(const fs::path& set, const fs::path& out, Work& work) {
  const absl::StatusOr<CsvTable> list = CsvTable::Read(set / "series.csv");
  if (!list.ok()) return list.status();
  const int name = list->Column("series"), step = list->Column("step_s");
  if (name < 0 || step < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        (set / "series.csv").string(), ": it needs columns series and step_s"));
  }
  for (const std::vector<std::string>& row : list->rows) {
    double seconds = 0;
    if (!absl::SimpleAtod(row[step], &seconds) || !(seconds > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat((set / "series.csv").string(), ": '", row[step],
                       "' is no step in seconds"));
    }
    work.push_back([input = Find(set / "data", row[name]),
                    step = absl::Seconds(seconds),
                    output = (out / (row[name] + ".csv")).string()] {
      return ScoreSeries(input, step, ScoreFormat::kRows, output);
    });
  }
  return absl::OkStatus();
}

absl::Status AddTraces(const fs::path& set, const fs::path& out, Work& work) {
  const absl::StatusOr<CsvTable> list = CsvTable::Read(set / "traces.csv");
  if (!list.ok()) return list.status();
  const int name = list->Column("trace"), limit = list->Column("limit"),
            direction = list->Column("direction"), kind = list->Column("kind");
  if (kind < 0 || name < 0 || limit < 0 || direction < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat((set / "traces.csv").string(),
                     ": it needs columns trace, kind, limit and direction"));
  }
  for (const std::vector<std::string>& row : list->rows) {
    LimitTrace trace = {Find(set / "data", row[name]), row[kind], row[limit],
                        row[direction]};
    work.push_back([trace, output = (out / (row[name] + ".csv")).string()] {
      return ScoreTrace(trace, output);
    });
  }
  return absl::OkStatus();
}

// The Numenta benchmark has no list: its files are in folders by kind.
constexpr char kStampedSet[] = "nab";

// Every folder that is a set; the others are nobody's business.
absl::Status AddSets(const fs::path& data, const fs::path& out,
                     const std::vector<std::string>& wanted, Work& work) {
  if (!fs::is_directory(data)) {
    return absl::NotFoundError(
        absl::StrCat("read ", data.string(), ": no such directory"));
  }
  for (const fs::directory_entry& set : fs::directory_iterator(data)) {
    const std::string name = set.path().filename().string();
    if (!fs::is_directory(set.path() / "data")) continue;
    if (!wanted.empty() &&
        std::find(wanted.begin(), wanted.end(), name) == wanted.end()) {
      continue;
    }
    absl::Status status;
    if (fs::exists(set.path() / "traces.csv")) {
      status = AddTraces(set.path(), out / name, work);
    } else if (fs::exists(set.path() / "series.csv")) {
      status = AddListed(set.path(), out / name, work);
    } else if (name == kStampedSet) {
      AddStamped(set.path(), out / name, work);
    }
    if (!status.ok()) return status;
  }
  if (work.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(data.string(), ": there is no set below"));
  }
  return absl::OkStatus();
}

int Run(const Work& work, unsigned jobs) {
  std::atomic<size_t> next{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < jobs; ++i) {
    threads.emplace_back([&] {
      for (size_t n = next++; n < work.size(); n = next++) {
        if (const absl::Status status = work[n](); !status.ok()) {
          ++failed;
          std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failed;
}

}  // namespace
}  // namespace forewarn::bench

int main(int argc, char** argv) {
  std::string data, out;
  std::vector<std::string> sets;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  CLI::App app{"labelled sets through the detectors, as a shard has them"};
  app.add_option("--data", data, "a folder of sets")->required();
  app.add_option("--out", out, "where results go")->required();
  app.add_option("--set", sets, "only these");
  app.add_option("--jobs", jobs, "threads")->check(CLI::Range(1U, 256U));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  forewarn::bench::Work work;
  if (const absl::Status status =
          forewarn::bench::AddSets(data, out, sets, work);
      !status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return 2;
  }
  const int failed = forewarn::bench::Run(work, jobs);
  std::printf("{\"files\":%zu,\"failed\":%d}\n", work.size(), failed);
  return failed == 0 ? 0 : 1;
}
