#include "agent/sources/process_table.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxUsers = 10000;  // chosen: 1 MB of names at the very most

absl::string_view TakeUntil(absl::string_view& text, char end) {
  const size_t at = text.find(end);
  const absl::string_view taken = text.substr(0, at);
  text.remove_prefix(at == absl::string_view::npos ? text.size() : at + 1);
  return taken;
}

bool NamesSecret(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  for (const char* word :
       {"password", "passwd", "passphrase", "secret", "token", "credential",
        "apikey", "api-key", "api_key"}) {
    if (absl::StrContains(lower, word)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view line) {
  static const double ticks_per_second =
      static_cast<double>(sysconf(_SC_CLK_TCK));
  static const uint64_t page_bytes =
      static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // "pid (name) S ppid ...": the name may hold anything, so its end is the
  // last parenthesis.
  const size_t open = line.find('(');
  const size_t close = line.rfind(')');
  const absl::Status bad =
      absl::DataLossError("read process stat: not as the kernel writes it");
  if (open == absl::string_view::npos || close == absl::string_view::npos ||
      close < open) {
    return bad;
  }
  ProcessStat stat;
  if (!absl::SimpleAtoi(line.substr(0, open), &stat.pid)) return bad;
  stat.name = std::string(line.substr(open + 1, close - open - 1));
  // Fields from the third (state) on, as proc(5) numbers them.
  std::array<absl::string_view, 22> fields;
  if (SplitFields(line.substr(close + 1), fields) < fields.size()) return bad;
  const auto field = [&](size_t number) {
    return absl::StripTrailingAsciiWhitespace(fields[number - 3]);
  };
  stat.state = field(3)[0];
  uint64_t user = 0;
  uint64_t system = 0;
  int64_t resident_pages = 0;
  if (!ParseCount(field(14), user) || !ParseCount(field(15), system) ||
      !ParseCount(field(22), stat.start_ticks) ||
      !absl::SimpleAtoi(field(24), &resident_pages)) {
    return bad;
  }
  stat.cpu_seconds = static_cast<double>(user + system) / ticks_per_second;
  stat.resident_bytes =
      static_cast<uint64_t>(std::max<int64_t>(resident_pages, 0)) * page_bytes;
  return stat;
}

ProcessStatus ParseProcessStatus(absl::string_view text) {
  ProcessStatus status;
  absl::string_view line;
  while (NextLine(text, line)) {
    const absl::string_view key = TakeUntil(line, ':');
    uint64_t value = 0;
    if (!ParseCount(NextField(line), value)) continue;
    if (key == "Uid") status.user_id = static_cast<uint32_t>(value);
    if (key == "FDSize") status.descriptor_slots = value;
    if (key == "voluntary_ctxt_switches" ||
        key == "nonvoluntary_ctxt_switches") {
      status.switches += value;
    }
  }
  return status;
}

uint64_t ParseFileLimit(absl::string_view limits) {
  absl::string_view line;
  while (NextLine(limits, line)) {
    if (!absl::ConsumePrefix(&line, "Max open files")) continue;
    uint64_t limit = 0;
    ParseCount(NextField(line), limit);  // stays 0 when "unlimited"
    return limit;
  }
  return 0;
}

std::string CleanCommand(absl::string_view arguments, size_t max_bytes) {
  std::string command;
  bool mask_next = false;
  while (!arguments.empty() && command.size() < 2 * max_bytes) {
    absl::string_view argument = TakeUntil(arguments, '\0');
    const bool mask = std::exchange(mask_next, false);
    if (!command.empty()) command += ' ';
    if (mask && !absl::StartsWith(argument, "-")) {
      command += "***";
      continue;
    }
    const size_t equals = argument.find('=');
    const bool secret = NamesSecret(argument.substr(0, equals));
    if (secret && equals != absl::string_view::npos) {
      absl::StrAppend(&command, argument.substr(0, equals + 1), "***");
      continue;
    }
    mask_next = secret && absl::StartsWith(argument, "-");
    absl::StrAppend(&command, argument);
  }
  return CleanText(command, max_bytes);
}

std::string UserNames::NameOf(uint32_t user_id, absl::Duration since_boot) {
  if (since_boot >= read_again_) {
    read_again_ = since_boot + absl::Minutes(10);
    names_.clear();
    const absl::StatusOr<std::string> users = files_.Read("/etc/passwd");
    absl::string_view text = users.ok() ? *users : absl::string_view();
    absl::string_view line;
    while (names_.size() < kMaxUsers && NextLine(text, line)) {
      const absl::string_view name = TakeUntil(line, ':');
      TakeUntil(line, ':');
      uint64_t number = 0;
      if (name.empty() || !ParseCount(TakeUntil(line, ':'), number)) continue;
      names_.emplace(static_cast<uint32_t>(number), CleanText(name, 64));
    }
  }
  const auto found = names_.find(user_id);
  return found == names_.end() ? absl::StrCat(user_id) : found->second;
}

}  // namespace forewarn::agent
