#ifndef FOREWARN_COLLECTOR_CORRELATE_SUBSYSTEM_RELATION_H_
#define FOREWARN_COLLECTOR_CORRELATE_SUBSYSTEM_RELATION_H_

#include "absl/strings/string_view.h"

namespace forewarn::correlate {

// Whether trouble in one subsystem commonly comes with trouble in the other:
// the same, or next to each other in the table of causes.
bool Related(absl::string_view a, absl::string_view b);

// Whether nearness in time alone makes it part of an incident of others. An
// agent that vanishes, a certificate that ends or a file system that fills has
// causes of its own.
bool FoldsByTime(absl::string_view subsystem);

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_SUBSYSTEM_RELATION_H_
