#ifndef FOREWARN_COLLECTOR_BACKTEST_FILE_RUN_H_
#define FOREWARN_COLLECTOR_BACKTEST_FILE_RUN_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "collector/backtest/edge_book.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/peer_board.h"
#include "collector/detect/rule_set.h"

namespace forewarn::backtest {

// What one file gave.
struct FileRun {
  absl::Status status;  // kInvalidArgument: "file:line: what"
  size_t rows = 0;
  size_t samples = 0;
  // Rows whose time did not advance are left out; the first one's line.
  size_t skipped_rows = 0;
  size_t skipped_line = 0;
  std::unique_ptr<EdgeBook> book;  // what stands in it up to an error
};

// Feeds one file to a judge of its own. `scores` is the file to write scores
// to, empty for none. Deterministic; thread-safe for other files.
FileRun RunFile(const std::string& path, const detect::EndpointProfile& profile,
                const detect::RuleSet& rules, detect::PeerBoard* peers,
                const std::string& scores);

// Puts what the file says of its endpoint on the board, for the others to
// compare themselves with. A file that cannot be read says nothing.
void TellPeers(const std::string& path, const detect::EndpointProfile& profile,
               detect::PeerBoard& peers);

}  // namespace forewarn::backtest

#endif  // FOREWARN_COLLECTOR_BACKTEST_FILE_RUN_H_
