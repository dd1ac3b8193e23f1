#include "collector/backtest/backtest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "collector/backtest/csv_writer.h"
#include "collector/backtest/edge_book.h"
#include "collector/backtest/file_run.h"
#include "collector/detect/peer_board.h"
#include "collector/detect/rule_set.h"
#include "collector/words/words.h"
#include "protos/base/mutex.h"
#include "protos/base/status.h"

namespace forewarn::backtest {
namespace {

struct InputFile {
  std::string path;
  std::string relative;  // below the input directory, without .csv
};

absl::StatusOr<std::vector<InputFile>> InputFiles(const std::string& input) {
  std::error_code error;
  std::vector<InputFile> files;
  if (!std::filesystem::is_directory(input, error)) {
    files.push_back({input, std::filesystem::path(input).stem().string()});
    return files;
  }
  std::filesystem::recursive_directory_iterator entries(input, error);
  for (; !error && entries != std::filesystem::recursive_directory_iterator();
       entries.increment(error)) {
    if (entries->path().extension() != ".csv") continue;
    std::string relative =
        std::filesystem::relative(entries->path(), input, error).string();
    relative.resize(relative.size() - 4);
    files.push_back({entries->path().string(), std::move(relative)});
  }
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("read directory ", input, ": ", error.message()));
  }
  if (files.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(input, ": there is no *.csv below"));
  }
  std::sort(files.begin(), files.end(),
            [](const InputFile& a, const InputFile& b) {
              return a.relative < b.relative;
            });
  return files;
}

absl::Status LoadRules(const std::string& file, detect::RuleSet& rules) {
  std::vector<std::string> errors = detect::RuleSet::Load("", {}, rules);
  if (errors.empty() && !file.empty()) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      return absl::NotFoundError(absl::StrCat("read ", file, ": cannot open"));
    }
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    errors = rules.Add(text, file);
  }
  if (errors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
}

// Runs files on threads and hands what they gave over in their order. At most
// kAhead times as many wait as there are threads.
class FilePool {
 public:
  using Task = std::function<FileRun(size_t file)>;

  FilePool(size_t files, unsigned jobs, Task task)
      : files_(files),
        ahead_(kAhead * jobs),
        task_(std::move(task)),
        runs_(files) {
    for (unsigned i = 0; i < jobs; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }
  ~FilePool() {
    {
      base::MutexLock lock(&mutex_);
      next_ = files_;
      changed_.NotifyAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  // Of the next file, from the first to the last.
  FileRun Take() {
    base::MutexLock lock(&mutex_);
    while (!runs_[taken_].has_value()) changed_.Wait(&mutex_);
    FileRun run = *std::move(runs_[taken_]);
    runs_[taken_++].reset();
    changed_.NotifyAll();
    return run;
  }

 private:
  static constexpr size_t kAhead = 4;

  void Work() {
    while (true) {
      size_t file = 0;
      {
        base::MutexLock lock(&mutex_);
        while (next_ < files_ && next_ >= taken_ + ahead_) {
          changed_.Wait(&mutex_);
        }
        if (next_ >= files_) return;
        file = next_++;
      }
      FileRun run = task_(file);
      base::MutexLock lock(&mutex_);
      runs_[file] = std::move(run);
      changed_.NotifyAll();
    }
  }

  const size_t files_;
  const size_t ahead_;
  const Task task_;
  base::Mutex mutex_;
  base::CondVar changed_;
  size_t next_ = 0;
  size_t taken_ = 0;
  std::vector<std::optional<FileRun>> runs_;
  std::vector<std::thread> threads_;
};

class Backtest {
 public:
  explicit Backtest(const BacktestOptions& options) : options_(options) {}

  absl::StatusOr<BacktestReport> Run() {
    FOREWARN_RETURN_IF_ERROR(LoadRules(options_.rules_file, rules_));
    for (const v1::Rule& rule : rules_.rules()) {
      words_.Add(absl::StrCat("rule.", rule.id(), ".title"), rule.title());
    }
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<InputFile> files,
                              InputFiles(options_.input));
    if (!options_.symptoms.empty()) {
      FOREWARN_RETURN_IF_ERROR(symptoms_.Open(options_.symptoms));
      symptoms_.Write(EdgeBook::SymptomHeader());
    }
    if (!options_.tickets.empty()) {
      FOREWARN_RETURN_IF_ERROR(tickets_.Open(options_.tickets));
      tickets_.Write(EdgeBook::TicketHeader());
    }
    FOREWARN_RETURN_IF_ERROR(RunFiles(files));
    if (!options_.symptoms.empty()) {
      FOREWARN_RETURN_IF_ERROR(symptoms_.Close());
    }
    if (!options_.tickets.empty()) {
      FOREWARN_RETURN_IF_ERROR(tickets_.Close());
    }
    return report_;
  }

 private:
  std::string ScoresPath(const InputFile& file) const {
    if (options_.scores.empty()) return "";
    std::error_code ignored;
    return std::filesystem::is_directory(options_.input, ignored)
               ? absl::StrCat(options_.scores, "/", file.relative, ".csv")
               : options_.scores;
  }

  detect::EndpointProfile ProfileOf(const InputFile& file) const {
    detect::EndpointProfile profile;
    profile.id = profile.host_name = file.relative;
    profile.endpoint_class = options_.endpoint_class;
    return profile;
  }

  absl::Status RunFiles(const std::vector<InputFile>& files) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const auto jobs = static_cast<unsigned>(std::min<size_t>(
        options_.jobs == 0 ? cores : options_.jobs, files.size()));
    // All of them first, so that each finds what the others measured.
    std::unique_ptr<detect::PeerBoard> peers;
    if (files.size() >= detect::PeerBoard::kFewest) {
      peers = std::make_unique<detect::PeerBoard>(
          std::numeric_limits<size_t>::max());
      FilePool pool(files.size(), jobs, [&](size_t i) {
        TellPeers(files[i].path, ProfileOf(files[i]), *peers);
        return FileRun();
      });
      for (size_t i = 0; i < files.size(); ++i) pool.Take();
    }
    FilePool pool(files.size(), jobs, [&](size_t i) {
      return RunFile(files[i].path, ProfileOf(files[i]), rules_, peers.get(),
                     ScoresPath(files[i]));
    });
    for (size_t i = 0; i < files.size(); ++i) {
      const FileRun run = pool.Take();
      if (files.size() == 1 && !run.status.ok()) return run.status;
      Add(files[i].path, run);
      if (options_.progress) options_.progress(i + 1, files.size());
    }
    return absl::OkStatus();
  }

  void Add(const std::string& path, const FileRun& run) {
    report_.rows += run.rows;
    report_.skipped_rows += run.skipped_rows;
    report_.samples += run.samples;
    if (run.skipped_rows > 0) {
      report_.problems.push_back(absl::StrCat(
          path, ":", run.skipped_line, ": the time does not go on; ",
          run.skipped_rows, run.skipped_rows == 1 ? " row" : " rows",
          " like this left out"));
    }
    if (!run.status.ok()) {
      report_.problems.emplace_back(run.status.message());
      return;
    }
    const EdgeBook& book = *run.book;
    if (!options_.symptoms.empty()) book.WriteSymptoms(words_, symptoms_);
    if (!options_.tickets.empty()) {
      book.WriteTickets(words_, report_.tickets, tickets_);
    }
    ++report_.endpoints;
    report_.symptoms += book.symptoms();
    report_.tickets += book.tickets();
  }

  const BacktestOptions& options_;
  detect::RuleSet rules_;
  words::Words words_;
  CsvWriter symptoms_;
  CsvWriter tickets_;
  BacktestReport report_;
};

}  // namespace

absl::StatusOr<BacktestReport> RunBacktest(const BacktestOptions& options) {
  return Backtest(options).Run();
}

}  // namespace forewarn::backtest
