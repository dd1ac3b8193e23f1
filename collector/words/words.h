#ifndef FOREWARN_COLLECTOR_WORDS_WORDS_H_
#define FOREWARN_COLLECTOR_WORDS_WORDS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "forewarn/v1/api.pb.h"
#include "forewarn/v1/desk.pb.h"
#include "forewarn/v1/words.pb.h"

namespace forewarn::words {

// Turns keys and parameters into text for people. Filled once at start, then
// read only and thread-safe.
class Words {
 public:
  // With the shipped English texts of the desk (words/english.cc).
  Words();

  // Template with {name} for parameters: Add("rule.disk_used.title", "...").
  void Add(std::string key, std::string pattern);

  // An unknown key is shown as the key with its parameters; a parameter the
  // text lacks is left out. Never fails.
  std::string Render(const v1::Text& text) const;

 private:
  absl::flat_hash_map<std::string, std::string> patterns_;
};

// "1.4 GiB", "85 %", "12 °C", "3.1 ms", "17 /s": a quantity as people write
// it. Ratios (unit 1) between -10 and 10 are shown in percent.
std::string ShowQuantity(double value, absl::string_view unit);
// "3 min", "2 h 10 min", "4 d": at most two parts.
std::string ShowDuration(absl::Duration duration);
// "2026-11-22 04:27:09 UTC".
std::string ShowTime(absl::Time time);
// "▁▂▃▅▇" of the values, at most `width` characters, gaps as spaces.
std::string Sparkline(
    const google::protobuf::RepeatedPtrField<v1::SamplePoint>& window,
    int width = 40);

// The whole ticket as plain text: title, state, the leading symptom with its
// evidence (value, what was expected, since when, time left with interval,
// sparkline), further symptoms, top processes, what changed lately, runbook,
// history. What mail, `forewarn ticket show` and the API's `rendered` show.
// Strings from endpoints appear with control bytes made visible.
std::string RenderTicket(const v1::TicketDetail& detail, const Words& words);

}  // namespace forewarn::words

#endif  // FOREWARN_COLLECTOR_WORDS_WORDS_H_
