#include "tests/faults/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "protos/base/descriptor.h"

namespace forewarn::faults {

Promises ReadLedger(const std::string& path) {
  Promises promises;
  std::set<uint64_t> open;  // produced, and no promise yet
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    char kind = 0;
    uint64_t number = 0;
    int64_t ms = 0;
    words >> kind;
    if (kind == 'K') open.clear();  // what was in memory only may be lost
    if (!(words >> number)) continue;
    switch (kind) {
      case 'P':
        if (!(words >> ms)) break;
        promises.produced[number] = ms;
        open.insert(number);
        break;
      case 'A':
        promises.acked = number;
        [[fallthrough]];
      case 'S':
        while (!open.empty() && *open.begin() <= number) {
          promises.required[*open.begin()] = kind;
          open.erase(open.begin());
        }
        break;
      case 'D':
        promises.dropped += number;
        break;
      case 'R':
        promises.streams = number;
        break;
      default:
        break;
    }
  }
  return promises;
}

void AppendToLedger(const std::string& path, const std::string& line) {
  const base::Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string bytes = line + "\n";
  if (write(file.get(), bytes.data(), bytes.size()) !=
      static_cast<ssize_t>(bytes.size())) {
    std::abort();  // without its ledger the oracle knows nothing
  }
}

}  // namespace forewarn::faults
