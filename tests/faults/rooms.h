#ifndef FOREWARN_TESTS_FAULTS_ROOMS_H_
#define FOREWARN_TESTS_FAULTS_ROOMS_H_

#include <cstdint>

#include "tests/faults/verdict.h"

namespace forewarn::faults {

// Rooms by themselves, on files in memory that are stricter than any disk:
// what was not synced is gone with the power, a name too, and a sync that
// failed has lost what it should have kept. Deterministic by the seed.

// The agent's spool: what was flushed and not acknowledged is there.
void PlaySpool(uint64_t seed, Verdict& verdict);

// The collector's history: what Append took is there, once.
void PlayHistory(uint64_t seed, Verdict& verdict);

// Flipped bits and cut files of spool, history and desk database, on a real
// disk: what is damaged may be gone, but nothing that comes back is wrong or
// there twice, what is whole is there, and everybody lives on.
void PlayDamage(uint64_t seed, Verdict& verdict);

// A thousand agents that lost their collector at one moment do not come back
// at one moment.
void PlayReconnects(uint64_t seed, Verdict& verdict);

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_ROOMS_H_
