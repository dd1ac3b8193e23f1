#include "collector/cli/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/cli/screen_text.h"

namespace forewarn::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kLeastLast = 10;  // the last column is never cut shorter

const char* Code(Mark mark) {
  switch (mark) {
    case Mark::kHead:
      return "1";
    case Mark::kGood:
      return "32";
    case Mark::kWarn:
      return "33";
    case Mark::kBad:
      return "31";
    case Mark::kDim:
      return "2";
    case Mark::kNone:
      break;
  }
  return "0";
}

}  // namespace

std::string Paint(absl::string_view text, Mark mark, bool color) {
  if (!color || mark == Mark::kNone || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", Code(mark), "m", text, "\x1b[0m");
}

void TextTable::Add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = Inert(cell.text);
  row.resize(headings_.size(), Cell(""));
  rows_.push_back(std::move(row));
}

std::string TextTable::Line(const std::vector<Cell>& row,
                            const std::vector<size_t>& widths, bool color,
                            size_t width) const {
  std::string line;
  size_t used = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    std::string text = row[i].text;
    const bool last = i + 1 == row.size();
    if (last && width > 0) {
      text = Cut(text, std::max(width > used ? width - used : 0, kLeastLast));
    }
    absl::StrAppend(&line, Paint(text, row[i].mark, color));
    if (last) break;
    line.append(widths[i] - ScreenWidth(text) + kGap, ' ');
    used += widths[i] + kGap;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string TextTable::Render(bool color, size_t width) const {
  std::vector<Cell> head;
  std::vector<size_t> widths;
  for (const std::string& heading : headings_) {
    head.emplace_back(heading, Mark::kHead);
    widths.push_back(ScreenWidth(heading));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], ScreenWidth(row[i].text));
    }
  }
  std::string text = Line(head, widths, color, width);
  for (const auto& row : rows_) text += Line(row, widths, color, width);
  return text;
}

}  // namespace forewarn::cli
