#include "collector/backtest/file_run.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "collector/backtest/csv_series.h"
#include "collector/backtest/csv_writer.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/peer_detector.h"
#include "protos/base/status.h"

namespace forewarn::backtest {
namespace {

std::vector<std::string> ScoresHeader(const CsvSeries& input) {
  if (input.names().size() == 1) {
    return {"timestamp", "value", "anomaly_score"};
  }
  std::vector<std::string> header = {"timestamp", "anomaly_score"};
  header.insert(header.end(), input.names().begin(), input.names().end());
  return header;
}

// `news`: the row was judged.
void WriteScores(const detect::EndpointJudge& judge, const CsvSeries::Row& row,
                 bool news, CsvWriter& out) {
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

// Of the cells that are not empty, by column.
void SetSamples(const CsvSeries::Row& row, std::vector<wire::Sample>& samples) {
  samples.clear();
  for (uint32_t i = 0; i < row.values.size(); ++i) {
    if (row.values[i]) samples.push_back({i, *row.values[i]});
  }
}

absl::Status Feed(const std::string& path,
                  const detect::EndpointProfile& profile,
                  const detect::RuleSet& rules, detect::PeerBoard* peers,
                  const std::string& scores_path, FileRun& run) {
  FOREWARN_ASSIGN_OR_RETURN(CsvSeries input, CsvSeries::Open(path));
  CsvWriter scores;
  const bool wants_scores = !scores_path.empty();
  if (wants_scores) {
    FOREWARN_RETURN_IF_ERROR(scores.Open(scores_path));
    scores.Write(ScoresHeader(input));
  }
  detect::EndpointJudge judge(profile, rules, *run.book, peers);
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
    ++run.rows;
    const bool news = row.time > last;
    if (news) {
      last = row.time;
      SetSamples(row, samples);
      run.samples += samples.size();
      judge.Observe(row.time, samples);
      run.book->Tick(row.time);
    } else if (run.skipped_rows++ == 0) {
      run.skipped_line = input.line();
    }
    if (wants_scores) WriteScores(judge, row, news, scores);
  }
  FOREWARN_RETURN_IF_ERROR(
      base::Annotate(run.book->status(), "correlate " + path));
  return wants_scores ? scores.Close() : absl::OkStatus();
}

}  // namespace

FileRun RunFile(const std::string& path, const detect::EndpointProfile& profile,
                const detect::RuleSet& rules, detect::PeerBoard* peers,
                const std::string& scores) {
  FileRun run;
  run.book = std::make_unique<EdgeBook>();
  run.status = Feed(path, profile, rules, peers, scores, run);
  return run;
}

void TellPeers(const std::string& path, const detect::EndpointProfile& profile,
               detect::PeerBoard& peers) {
  absl::StatusOr<CsvSeries> input = CsvSeries::Open(path);
  if (!input.ok()) return;
  detect::PeerDetector detector(&peers);
  detector.SetProfile(profile);
  const auto count = static_cast<uint32_t>(input->series().size());
  for (uint32_t i = 0; i < count; ++i) {
    detector.Define(i, input->series()[i]);
  }
  if (!detector.Compares()) return;
  CsvSeries::Row row;
  absl::Time last = absl::InfinitePast();
  std::vector<wire::Sample> samples;
  while (input->Read(row).value_or(false)) {
    if (row.time <= last) continue;
    last = row.time;
    SetSamples(row, samples);
    detector.Tell(row.time, samples);
  }
}

}  // namespace forewarn::backtest
