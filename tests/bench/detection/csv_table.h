#ifndef FOREWARN_TESTS_BENCH_DETECTION_CSV_TABLE_H_
#define FOREWARN_TESTS_BENCH_DETECTION_CSV_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace forewarn::bench {

// A small CSV file, packed or not, in memory.
struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  // The column called `name`, or -1.
  int Column(const std::string& name) const;

  // kNotFound, or kInvalidArgument with file and line.
  static absl::StatusOr<CsvTable> Read(const std::string& path);
};

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_DETECTION_CSV_TABLE_H_
