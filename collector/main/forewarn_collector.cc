// forewarn-collector: flags, and hand over to the rooms.

#include <curl/curl.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/backtest/backtest.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/rules_document.h"
#include "collector/main/collector.h"
#include "collector/main/init.h"
#include "collector/main/settings.h"
#include "protos/base/logging.h"
#include "protos/base/open_files.h"
#include "protos/base/status.h"

namespace forewarn::main {
namespace {

// Of the daemons; docs/operate.md has them.
constexpr int kOk = 0;
constexpr int kFailure = 1;
constexpr int kUsage = 2;
constexpr int kInUse = 3;
constexpr int kDamaged = 5;

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kOk;
    case absl::StatusCode::kInvalidArgument:
      return kUsage;
    case absl::StatusCode::kAlreadyExists:
      return kInUse;
    case absl::StatusCode::kDataLoss:
      return kDamaged;
    default:
      return kFailure;
  }
}

int Report(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "forewarn-collector: %s\n",
                 std::string(status.message()).c_str());
  }
  return CodeOf(status);
}

int ReportAll(const std::vector<std::string>& errors) {
  for (const std::string& error : errors) {
    std::fprintf(stderr, "%s\n", error.c_str());
  }
  return errors.empty() ? kOk : kUsage;
}

int Serve(const Settings& settings) {
  // Before any thread, so that all inherit it: signals come to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  base::RaiseOpenFiles();  // every stream is one
  curl_global_init(CURL_GLOBAL_DEFAULT);
  base::SetLogLevel(settings.config.log_level());

  absl::StatusOr<std::unique_ptr<Collector>> collector =
      Collector::Start(settings, base::Clock::System());
  if (!collector.ok()) return Report(collector.status());
  base::Log(base::LogLevel::kInfo, "collector is up",
            {{"version", FOREWARN_VERSION},
             {"https", absl::StrCat(settings.https_address, ":",
                                    (*collector)->https_port())},
             {"agents", absl::StrCat(settings.agents_address, ":",
                                     (*collector)->agents_port())},
             {"state", settings.state_directory}});
  sd_notify(0, "READY=1");
  int received = 0;
  sigwait(&signals, &received);
  sd_notify(0, "STOPPING=1");
  base::Log(base::LogLevel::kInfo, "going down", {{"signal", received}});
  collector->reset();
  return kOk;
}

int CheckConfig(const Settings& settings) {
  detect::RuleSet rules;
  const auto& config = settings.config.rules();
  const std::vector<v1::RuleOverride> overrides(config.overrides().begin(),
                                                config.overrides().end());
  const int result =
      ReportAll(detect::RuleSet::Load(config.directory(), overrides, rules));
  if (result == kOk) {
    std::printf("good: %zu rules\n", rules.rules().size());
  }
  return result;
}

int RulesDocument() {
  detect::RuleSet rules;
  const int result = ReportAll(detect::RuleSet::Load("", {}, rules));
  if (result == kOk) {
    std::fputs(detect::RulesDocument(rules).c_str(), stdout);
  }
  return result;
}

// A bar on the terminal, none where nobody looks at it.
void ShowProgress(size_t done, size_t files) {
  constexpr size_t kWidth = 30;
  const size_t filled = kWidth * done / files;
  std::fprintf(stderr, "\r[%s%s] %zu of %zu files%s",
               std::string(filled, '#').c_str(),
               std::string(kWidth - filled, '.').c_str(), done, files,
               done == files ? "\n" : "");
}

int Backtest(backtest::BacktestOptions options) {
  if (isatty(STDERR_FILENO) == 1) options.progress = ShowProgress;
  const absl::StatusOr<backtest::BacktestReport> report =
      backtest::RunBacktest(options);
  if (!report.ok()) return Report(report.status());
  std::printf(
      "%zu endpoints, %zu rows, %zu samples: %zu symptoms, %zu "
      "tickets\n",
      report->endpoints, report->rows, report->samples, report->symptoms,
      report->tickets);
  return ReportAll(report->problems);
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Forewarn's collector: takes what agents measure, judges it, "
      "opens tickets.");
  app.set_version_flag("--version",
                       std::string("forewarn-collector ") + FOREWARN_VERSION);
  app.require_subcommand(1);

  std::string config;
  std::string state;
  const auto add_common = [&](CLI::App* command) {
    command->add_option(
        "--config", config,
        std::string("configuration, default ") + kDefaultConfig);
    command->add_option("--state", state,
                        "state directory, overrides the "
                        "configuration's");
    return command;
  };
  CLI::App* serve =
      add_common(app.add_subcommand("serve", "run until SIGTERM or Ctrl-C"));
  CLI::App* init = add_common(app.add_subcommand(
      "init",
      "make state directory, certificates, database and the first "
      "administrator's token"));
  std::string credential = DefaultCredentialPath();
  init->add_option("--credential", credential,
                   "where to write what `forewarn` signs in with")
      ->capture_default_str();
  CLI::App* check = add_common(app.add_subcommand(
      "check-config", "check configuration and rules, start nothing"));
  CLI::App* backtest = app.add_subcommand(
      "backtest", "feed recorded series to the same detectors");
  backtest::BacktestOptions options;
  backtest->add_option("--input", options.input, "FILE.csv, or a directory")
      ->required();
  backtest->add_option("--rules", options.rules_file, "further rules");
  backtest->add_option("--scores", options.scores, "scores per row");
  backtest->add_option("--symptoms", options.symptoms, "symptoms as CSV");
  backtest->add_option("--tickets", options.tickets, "tickets as CSV");
  backtest
      ->add_option("--jobs", options.jobs,
                   "files at a time; default as many as there are cores")
      ->check(CLI::Range(1U, 256U));
  CLI::App* document =
      app.add_subcommand("rules-document", "print docs/rules.md");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (*backtest) return Backtest(options);
  if (*document) return RulesDocument();
  Settings settings;
  if (const int bad = ReportAll(LoadSettings(config, state, settings));
      bad != kOk) {
    return bad;
  }
  if (*check) return CheckConfig(settings);
  if (*init) return Report(Init(settings, credential));
  (void)serve;
  return Serve(settings);
}

}  // namespace
}  // namespace forewarn::main

int main(int argc, char** argv) { return forewarn::main::Main(argc, argv); }
