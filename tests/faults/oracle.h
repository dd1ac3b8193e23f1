#ifndef FOREWARN_TESTS_FAULTS_ORACLE_H_
#define FOREWARN_TESTS_FAULTS_ORACLE_H_

#include "tests/faults/stage.h"
#include "tests/faults/verdict.h"

namespace forewarn::faults {

// Holds what a closed stage left on disk, and what its webhook was told,
// against the agents' ledgers.
void Judge(Stage& stage, Verdict& verdict);

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_ORACLE_H_
