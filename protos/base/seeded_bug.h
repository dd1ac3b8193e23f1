#ifndef FOREWARN_PROTOS_BASE_SEEDED_BUG_H_
#define FOREWARN_PROTOS_BASE_SEEDED_BUG_H_

#include <cstdlib>
#include <cstring>

namespace forewarn::base {

// Mistakes that tests/faults must find when they are made on purpose: a rig
// that misses one proves nothing by being green. They exist in the preset
// `faults` alone, where FOREWARN_SEEDED_BUG names the one to make; everywhere
// else Seeded is a constant.
enum class Bug {
  kAckBeforeSync = 1,     // SB1: the log's group is not synced
  kUnlinkBeforeAck,       // SB2: a spooled segment goes once it was sent
  kNoFolderSync,          // SB3: a new file's name is not made durable
  kRetrySync,             // SB4: a sync that failed is tried again, and trusted
  kMarkOutsideGroup,      // SB5: a batch that was not kept counts as kept
  kSendBeforeCommit,      // SB6: a page goes out before its ticket is durable
  kForgetOpenIncidents,   // SB7: what is open is known in memory only
  kNoJitter,              // SB8: all wait equally long
  kUnsaltedChecksum,      // SB9: a record of another file passes for one of this
  kWallClockTimeout,      // SB10: time-outs go by a clock that people set
};

#ifdef FOREWARN_SEEDED_BUGS
inline bool Seeded(Bug bug) {
  static const int made = [] {
    const char* const name = std::getenv("FOREWARN_SEEDED_BUG");
    return name != nullptr && std::strncmp(name, "SB", 2) == 0
               ? std::atoi(name + 2)
               : 0;
  }();
  return made == static_cast<int>(bug);
}
#else
constexpr bool Seeded(Bug /*bug*/) { return false; }
#endif

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_SEEDED_BUG_H_
