#ifndef FOREWARN_TESTS_FAULTS_VERDICT_H_
#define FOREWARN_TESTS_FAULTS_VERDICT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace forewarn::faults {

// What a run did and found. The run is good when nothing stands in
// `complaints`.
struct Verdict {
  uint64_t kills_agent = 0;
  uint64_t kills_collector = 0;
  uint64_t produced = 0;
  uint64_t acked = 0;
  uint64_t stored = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t tickets = 0;
  uint64_t tickets_lost = 0;
  uint64_t tickets_doubled = 0;
  uint64_t notifications = 0;
  uint64_t notifications_lost = 0;
  std::map<std::string, uint64_t> faults;  // other figures, by name
  std::vector<std::string> complaints;

  template <typename... Words>
  void Complain(const Words&... words) {
    constexpr size_t kMost = 20;
    if (complaints.size() < kMost) complaints.push_back(absl::StrCat(words...));
  }
};

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_VERDICT_H_
