#include "collector/backtest/backtest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "collector/backtest/csv_series.h"
#include "collector/backtest/csv_writer.h"
#include "collector/backtest/edge_book.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/rule_set.h"
#include "collector/words/words.h"
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
    for (const InputFile& file : files) {
      FOREWARN_RETURN_IF_ERROR(RunFile(file));
    }
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
    std::error_code ignored;
    return std::filesystem::is_directory(options_.input, ignored)
               ? absl::StrCat(options_.scores, "/", file.relative, ".csv")
               : options_.scores;
  }

  absl::Status RunFile(const InputFile& file) {
    FOREWARN_ASSIGN_OR_RETURN(CsvSeries input, CsvSeries::Open(file.path));
    CsvWriter scores;
    const bool wants_scores = !options_.scores.empty();
    if (wants_scores) {
      FOREWARN_RETURN_IF_ERROR(scores.Open(ScoresPath(file)));
      scores.Write(ScoresHeader(input));
    }
    detect::EndpointProfile profile;
    profile.id = profile.host_name = file.relative;
    profile.endpoint_class = options_.endpoint_class;
    EdgeBook book;
    detect::EndpointJudge judge(profile, rules_, book);
    const auto count = static_cast<uint32_t>(input.series().size());
    for (uint32_t i = 0; i < count; ++i) {
      judge.DefineSeries(i, input.series()[i]);
    }
    CsvSeries::Row row;
    absl::Time last = absl::InfinitePast();
    std::vector<wire::Sample> samples;
    while (true) {
      FOREWARN_ASSIGN_OR_RETURN(const bool more, input.Read(row));
      if (!more) break;
      ++report_.rows;
      const bool news = row.time > last;
      if (news) {
        last = row.time;
        samples.clear();
        for (uint32_t i = 0; i < count; ++i) {
          if (row.values[i]) samples.push_back({i, *row.values[i]});
        }
        report_.samples += samples.size();
        judge.Observe(row.time, samples);
        book.Tick(row.time);
      } else {
        ++report_.skipped_rows;
      }
      if (wants_scores) WriteScores(judge, row, news, scores);
    }
    FOREWARN_RETURN_IF_ERROR(
        base::Annotate(book.status(), "correlate " + file.path));
    if (wants_scores) FOREWARN_RETURN_IF_ERROR(scores.Close());
    if (!options_.symptoms.empty()) book.WriteSymptoms(words_, symptoms_);
    if (!options_.tickets.empty()) {
      book.WriteTickets(words_, report_.tickets, tickets_);
    }
    ++report_.endpoints;
    report_.symptoms += book.symptoms();
    report_.tickets += book.tickets();
    return absl::OkStatus();
  }

  static std::vector<std::string> ScoresHeader(const CsvSeries& input) {
    if (input.names().size() == 1) {
      return {"timestamp", "value", "anomaly_score"};
    }
    std::vector<std::string> header = {"timestamp", "anomaly_score"};
    header.insert(header.end(), input.names().begin(), input.names().end());
    return header;
  }

  // `news`: the row was judged.
  static void WriteScores(const detect::EndpointJudge& judge,
                          const CsvSeries::Row& row, bool news,
                          CsvWriter& out) {
    const std::string endpoint = CsvNumber(news ? judge.Novelty().score : 0);
    std::vector<std::string> fields = {row.timestamp};
    if (row.values.size() == 1) {
      fields.push_back(row.values[0] ? CsvNumber(*row.values[0]) : "");
      fields.push_back(endpoint);
    } else {
      fields.push_back(endpoint);
      for (uint32_t i = 0; i < row.values.size(); ++i) {
        fields.push_back(
            CsvNumber(news && row.values[i] ? judge.AnomalyScore(i) : 0));
      }
    }
    out.Write(fields);
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
