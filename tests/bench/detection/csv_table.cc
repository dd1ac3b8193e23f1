#include "tests/bench/detection/csv_table.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace forewarn::bench {

int CsvTable::Column(const std::string& name) const {
  const auto at = std::find(header.begin(), header.end(), name);
  return at == header.end() ? -1 : static_cast<int>(at - header.begin());
}

absl::StatusOr<CsvTable> CsvTable::Read(const std::string& path) {
  // Reads what is not packed as it is.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(
      gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) {
    return absl::NotFoundError(absl::StrCat("read ", path, ": cannot open"));
  }
  CsvTable table;
  std::array<char, 1 << 16> buffer;
  while (gzgets(file.get(), buffer.data(), buffer.size()) != nullptr) {
    absl::string_view line(buffer.data());
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
      line.remove_suffix(1);
    }
    if (line.empty()) continue;
    std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (table.header.empty()) {
      table.header = std::move(fields);
    } else if (fields.size() != table.header.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", table.rows.size() + 2, ": ", fields.size(),
                       " fields; the header has ", table.header.size()));
    } else {
      table.rows.push_back(std::move(fields));
    }
  }
  int error = Z_OK;
  const char* const what = gzerror(file.get(), &error);
  if (error != Z_OK && error != Z_STREAM_END) {
    return absl::DataLossError(absl::StrCat("read ", path, ": ", what));
  }
  if (table.header.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": it is empty"));
  }
  return table;
}

}  // namespace forewarn::bench
