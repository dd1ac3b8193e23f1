#ifndef FOREWARN_COLLECTOR_BACKTEST_CSV_WRITER_H_
#define FOREWARN_COLLECTOR_BACKTEST_CSV_WRITER_H_

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace forewarn::backtest {

// Writes one CSV file; folders on the way are made.
class CsvWriter {
 public:
  absl::Status Open(const std::string& path);
  // Quotes a field where it must be.
  void Write(absl::Span<const std::string> fields);
  // kUnavailable if anything could not be written.
  absl::Status Close();

 private:
  std::string path_;
  std::ofstream stream_;
};

std::string CsvTime(absl::Time time);  // RFC 3339, UTC
std::string CsvNumber(double value);   // nine significant digits

}  // namespace forewarn::backtest

#endif  // FOREWARN_COLLECTOR_BACKTEST_CSV_WRITER_H_
