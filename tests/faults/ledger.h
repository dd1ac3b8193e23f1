#ifndef FOREWARN_TESTS_FAULTS_LEDGER_H_
#define FOREWARN_TESTS_FAULTS_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>

namespace forewarn::faults {

// What a numbered agent did, in a file that no fault touches, a line each:
// "P n ms" number n was produced at that Unix time in ms, before anything
// else happened to it; "S n" all up to n are synced in the spool; "A n" all up
// to n are acknowledged; "D n" so many samples were dropped by this start;
// "R n" so many streams were welcomed by this start; "K" the agent was killed.

// One agent's promises, as they follow from its ledger.
struct Promises {
  std::map<uint64_t, int64_t> produced;  // number to Unix ms
  // What must be in the store, and by which word: A or S.
  std::map<uint64_t, char> required;
  uint64_t acked = 0;  // all up to it, by the last A
  uint64_t dropped = 0;
  uint64_t streams = 0;  // of the last start
};

// A line that was cut off is passed over.
Promises ReadLedger(const std::string& path);

void AppendToLedger(const std::string& path, const std::string& line);

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_LEDGER_H_
