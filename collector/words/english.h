#ifndef FOREWARN_COLLECTOR_WORDS_ENGLISH_H_
#define FOREWARN_COLLECTOR_WORDS_ENGLISH_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace forewarn::words {

struct Pattern {
  const char* key;
  const char* text;
};

// The desk's own texts: ticket history, and titles and explanations of what no
// rule file describes.
absl::Span<const Pattern> EnglishPatterns();

// "processes" for "process", unless there is exactly one.
std::string EnglishPlural(absl::string_view noun, double count);

}  // namespace forewarn::words

#endif  // FOREWARN_COLLECTOR_WORDS_ENGLISH_H_
