#ifndef FOREWARN_COLLECTOR_DESK_PERSON_TEXT_H_
#define FOREWARN_COLLECTOR_DESK_PERSON_TEXT_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace forewarn::desk {

enum class Emptiness { kAllowed, kRefused };

// Whether what a person sent can be kept: UTF-8 of at most `most_bytes`, not
// empty where that is refused. kInvalidArgument names it as `what`.
absl::Status CheckText(absl::string_view text, absl::string_view what,
                       size_t most_bytes, Emptiness emptiness);

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_PERSON_TEXT_H_
