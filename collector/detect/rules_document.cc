#include "collector/detect/rules_document.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "forewarn/v1/rules.pb.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::detect {
namespace {

constexpr absl::string_view kPreface =
    "# Rules\n\n"
    "What Forewarn watches for with no configuration. Generated from the rule\n"
    "pack in `collector/detect/rules/` by `forewarn-collector "
    "rules-document`;\n"
    "a test compares the two. The form of a rule, and of the overrides that\n"
    "change one for some endpoints, is `protos/forewarn/v1/rules.proto`.\n\n"
    "P1: users cannot work or data is at risk now. P2: will be so within\n"
    "hours. P3: within days, or degraded. P4: planned care. info: no ticket,\n"
    "only evidence. The most urgent level that holds wins.\n";

constexpr absl::string_view kElsewhere =
    "\n## Watched by something else than a rule\n\n"
    "| rule of the catalogue | where |\n"
    "|---|---|\n"
    "| agent_lost_server, agent_lost_workstation | the silence detector: "
    "after a loss without a word P2 for servers and devices; sleep and "
    "shutdown of workstations and laptops are no loss |\n"
    "| baseline_deviation | the anomaly detector on every series |\n"
    "| disk_fill_24h, disk_fill_4h, disk_time_to_full | one forecast with "
    "three levels: disk_fill |\n"
    "| mem_leak_trend | mem_leak, on the memory of the whole machine |\n"
    "| disk_latency | disk_latency_ssd and disk_latency_hdd |\n"
    "| fs_error_readonly | fs_readonly, fs_errors and fs_kernel_errors |\n"
    "| btrfs_errors | btrfs_write_errors and btrfs_read_errors |\n"
    "| tcp_conn_full | tcp_memory: Linux bounds connections by memory |\n"
    "| ups_state | mains_lost and ups_charge |\n"
    "| agent_over_budget | agent_over_budget_cpu and "
    "agent_over_budget_memory |\n";

constexpr absl::string_view kNotCovered =
    "\n## Not yet covered\n\n"
    "| rule of the catalogue | reason |\n"
    "|---|---|\n"
    "| win_interrupt_time, win_privileged_time, win_cpu_queue, win_paging, "
    "win_free_ptes, win_service_stopped, eventlog_errors | wait for an agent "
    "for Windows |\n"
    "| btrfs_space, zfs_pool, lvm_thin | no source reads pools and "
    "allocations |\n"
    "| raid_adapter, bmc_sensor | no source speaks to hardware controllers |\n"
    "| temp_high without a limit of the sensor's own | the share of the "
    "critical value is absent there |\n"
    "| load of a UPS | no source reads it |\n"
    "| key_process_missing | no list of processes that must run; unit_failed "
    "and probe_down serve meanwhile |\n"
    "| app_hangs, input_delay, logon_slow, boot_slow | no source sees what "
    "the user sees |\n"
    "| av_unhealthy, protection_off, backup_late | no source reads the state "
    "of protection and backup |\n"
    "| print_queue_stuck, container_bad | no source reads print queues and "
    "containers |\n"
    "| agent_outdated, agent_duplicate | known to the fleet's registry, not "
    "to a series |\n"
    "| node_anomaly_rate, peer_outlier, mass_symptom, site_lost, "
    "fleet_silent | need a view of more than one series or endpoint |\n";

std::string Span(const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  if (seconds % 86400 == 0) return absl::StrCat(seconds / 86400, " d");
  if (seconds % 3600 == 0) return absl::StrCat(seconds / 3600, " h");
  if (seconds % 60 == 0) return absl::StrCat(seconds / 60, " min");
  return absl::StrCat(seconds, " s");
}

// A threshold as people write it, by the unit of what it is compared with.
std::string Number(double value, const v1::Signal& signal) {
  const wire::MetricInfo* info = wire::FindMetric(signal.metric());
  const absl::string_view unit = info == nullptr ? "" : info->unit;
  const absl::string_view function = signal.function();
  if (signal.has_divided_by() || signal.has_relative_to_window() ||
      info == nullptr || function == "changes") {
    return absl::StrCat(value);
  }
  const double size = std::fabs(value);
  if (unit == "1" && info->kind == wire::MetricKind::kGauge && size > 0 &&
      size <= 1) {
    return absl::StrCat(value * 100, " %");
  }
  if (function == "rate") return absl::StrCat(value, "/s");
  if (unit == "By") {
    if (size >= 1e9) return absl::StrCat(value / 1e9, " GB");
    if (size >= 1e6) return absl::StrCat(value / 1e6, " MB");
    return absl::StrCat(value, " B");
  }
  if (unit == "s") {
    if (size >= 86400) return absl::StrCat(value / 86400, " d");
    if (size >= 1 || size == 0) return absl::StrCat(value, " s");
    return absl::StrCat(value * 1000, " ms");
  }
  if (unit == "Cel") return absl::StrCat(value, " °C");
  if (absl::StartsWith(unit, "{") || unit == "1") return absl::StrCat(value);
  return absl::StrCat(value, " ", unit);
}

std::string SignalWords(const v1::Signal& signal) {
  std::string text = absl::StrCat("`", signal.metric(), "`");
  // A map's order is nobody's; a document's must not change.
  std::vector<std::string> where;
  for (const auto& [key, wanted] : signal.where()) {
    absl::string_view values = wanted;
    const bool negated = absl::StartsWith(values, "!");
    if (negated) values.remove_prefix(1);
    where.push_back(absl::StrCat(
        key, negated ? " is not " : " is ",
        absl::StrReplaceAll(values, {{"|", negated ? " nor " : " or "}})));
  }
  std::sort(where.begin(), where.end());
  if (!where.empty()) {
    absl::StrAppend(&text, " where ", absl::StrJoin(where, " and "));
  }
  const std::string& function = signal.function();
  const std::string window = Span(signal.window());
  if (function == "average") {
    text = absl::StrCat("mean of ", text, " over ", window);
  } else if (function == "min" || function == "max") {
    text = absl::StrCat(function == "min" ? "lowest " : "highest ", text,
                        " in ", window);
  } else if (function == "increase") {
    text = absl::StrCat("growth of ", text, " in ", window);
  } else if (function == "rate") {
    text = absl::StrCat("rate of ", text, " over ", window);
  } else if (function == "change") {
    text = absl::StrCat("change of ", text, " in ", window);
  } else if (function == "changes") {
    text = absl::StrCat("number of changes of ", text, " in ", window);
  }
  if (signal.has_divided_by()) {
    absl::StrAppend(&text, " by ", SignalWords(signal.divided_by()));
  }
  if (signal.has_relative_to_window()) {
    absl::StrAppend(&text, " against that over ",
                    Span(signal.relative_to_window()));
  }
  return text;
}

template <typename Bounds>
std::string BoundWords(const Bounds& bounds, const v1::Signal& signal) {
  std::vector<std::string> words;
  if (bounds.has_above()) {
    words.push_back(absl::StrCat("above ", Number(bounds.above(), signal)));
  }
  if (bounds.has_below()) {
    words.push_back(absl::StrCat("below ", Number(bounds.below(), signal)));
  }
  return absl::StrJoin(words, " and ");
}

std::string ConditionWords(
    const google::protobuf::RepeatedPtrField<v1::Condition>& conditions) {
  std::string text;
  for (const v1::Condition& condition : conditions) {
    absl::StrAppend(&text, ", and ", SignalWords(condition.signal()), " ",
                    BoundWords(condition, condition.signal()));
  }
  return text;
}

std::string LevelWords(const v1::Level& level, const v1::Signal& signal) {
  std::string text =
      absl::StrCat("**", level.priority(), "** ", BoundWords(level, signal));
  if (level.has_clear()) {
    absl::StrAppend(&text, " (clears at ", Number(level.clear(), signal), ")");
  }
  if (level.has_hold()) {
    absl::StrAppend(&text, " for ", Span(level.hold()));
  }
  absl::StrAppend(&text, ConditionWords(level.and_()));
  std::vector<std::string> classes;
  for (const auto& [name, priority] : level.priority_by_class()) {
    classes.push_back(absl::StrCat(name, " ", priority));
  }
  std::sort(classes.begin(), classes.end());
  if (!classes.empty()) {
    absl::StrAppend(&text, " [", absl::StrJoin(classes, ", "), "]");
  }
  return text;
}

std::string ForecastWords(const v1::Forecast& forecast,
                          const v1::Signal& signal) {
  std::string text = absl::StrCat(
      "forecast to ",
      forecast.has_limit() ? Number(forecast.limit(), signal)
                           : SignalWords(forecast.limit_signal()));
  for (const v1::ForecastLevel& level : forecast.levels()) {
    absl::StrAppend(&text, "; **", level.priority(), "** under ",
                    Span(level.time_left()), " left");
    if (level.has_from() || forecast.has_from()) {
      absl::StrAppend(
          &text, forecast.direction() == "down" ? ", at most " : ", from ",
          Number(level.has_from() ? level.from() : forecast.from(), signal));
    }
    if (level.has_hold()) {
      absl::StrAppend(&text, ", for ", Span(level.hold()));
    }
  }
  return text;
}

std::string RuleWords(const v1::Rule& rule) {
  std::string text = absl::StrCat(SignalWords(rule.signal()), ": ");
  if (rule.has_forecast()) {
    absl::StrAppend(&text, ForecastWords(rule.forecast(), rule.signal()));
  } else {
    std::vector<std::string> levels;
    for (const v1::Level& level : rule.levels()) {
      levels.push_back(LevelWords(level, rule.signal()));
    }
    absl::StrAppend(&text, absl::StrJoin(levels, "; "));
  }
  absl::StrAppend(&text, ConditionWords(rule.and_()));
  if (rule.has_arm_after_good()) {
    absl::StrAppend(&text, "; only once it was good for ",
                    Span(rule.arm_after_good()));
  }
  if (rule.has_min_uptime()) {
    absl::StrAppend(&text, "; not in the first ", Span(rule.min_uptime()),
                    " after a start");
  }
  return text;
}

// Every priority that a rule can have, the most urgent first.
std::string Priorities(const v1::Rule& rule) {
  std::vector<std::string> found;
  const auto add = [&](const std::string& priority) {
    if (std::find(found.begin(), found.end(), priority) == found.end()) {
      found.push_back(priority);
    }
  };
  for (const v1::Level& level : rule.levels()) add(level.priority());
  for (const v1::ForecastLevel& level : rule.forecast().levels()) {
    add(level.priority());
  }
  std::sort(found.begin(), found.end());
  return absl::StrJoin(found, ", ");
}

// Text in a cell of a Markdown table.
std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}});
}

}  // namespace

std::string RulesDocument(const RuleSet& rules) {
  std::string text(kPreface);
  absl::StrAppend(&text, "\n", rules.rules().size(), " rules.\n");
  std::string subsystem;
  for (const v1::Rule& rule : rules.rules()) {
    if (rule.subsystem() != subsystem) {
      subsystem = rule.subsystem();
      absl::StrAppend(&text, "\n## ", subsystem, "\n\n",
                      "| rule | title | condition | priority | classes | "
                      "basis |\n|---|---|---|---|---|---|\n");
    }
    const std::string classes =
        rule.classes_size() == 0 ? "all" : absl::StrJoin(rule.classes(), ", ");
    absl::StrAppend(&text, "| `", rule.id(), "` | ", Cell(rule.title()), " | ",
                    Cell(RuleWords(rule)), " | ", Priorities(rule), " | ",
                    classes, " | ", Cell(rule.basis()), " |\n");
  }
  absl::StrAppend(&text, kElsewhere, kNotCovered);
  return text;
}

}  // namespace forewarn::detect
