#ifndef FOREWARN_COLLECTOR_CLI_TEXT_TABLE_H_
#define FOREWARN_COLLECTOR_CLI_TEXT_TABLE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace forewarn::cli {

// How something is marked on a terminal with colours.
enum class Mark { kNone, kHead, kGood, kWarn, kBad, kDim };

// `text` in the colour of `mark`, or as it is without colours.
std::string Paint(absl::string_view text, Mark mark, bool color);

// Rows under headings, columns aligned. Cells are made inert. Thread-
// compatible.
class TextTable {
 public:
  struct Cell {
    Cell(std::string cell_text, Mark cell_mark = Mark::kNone)  // NOLINT
        : text(std::move(cell_text)), mark(cell_mark) {}
    Cell(const char* cell_text) : text(cell_text) {}  // NOLINT

    std::string text;
    Mark mark = Mark::kNone;
  };

  explicit TextTable(std::vector<std::string> headings)
      : headings_(std::move(headings)) {}

  void Add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }

  // `width` > 0 cuts the last column to fit so many columns.
  std::string Render(bool color, size_t width) const;

 private:
  std::string Line(const std::vector<Cell>& row,
                   const std::vector<size_t>& widths, bool color,
                   size_t width) const;

  const std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_TEXT_TABLE_H_
