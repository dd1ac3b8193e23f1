#ifndef FOREWARN_AGENT_MAIN_TEXT_TABLE_H_
#define FOREWARN_AGENT_MAIN_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace forewarn::agent {

// Columns of text for a terminal, as wide as their widest cell; the first row
// is the heading. Control bytes, which hostile names may hold, become '?'.
std::string TextTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_TEXT_TABLE_H_
