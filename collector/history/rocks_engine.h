#ifndef FOREWARN_COLLECTOR_HISTORY_ROCKS_ENGINE_H_
#define FOREWARN_COLLECTOR_HISTORY_ROCKS_ENGINE_H_

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::history {

// RocksDB as RocksStore uses it; only its sources include this.

struct OpenedEngine {
  std::unique_ptr<rocksdb::DB> database;
  std::string set_aside;  // where a damaged one was put; mostly empty
  bool repaired = false;  // what was damaged is lost
};

// kResourceExhausted when fewer than `bytes` are free where `directory` is:
// RocksDB must not meet a full disk, as Debian's build ends the process on a
// flush that fails.
absl::Status CheckRoom(const std::string& directory, uint64_t bytes);

// A file in `directory` that says that its database must be repaired at the
// next start, and why.
std::string DamageMark(const std::string& directory);

// Opens or makes the database in `directory`. A damaged one is repaired; what
// cannot be repaired is moved to "<directory>.damaged-<Unix time>".
absl::StatusOr<OpenedEngine> OpenEngine(const std::string& directory,
                                        uint64_t cache_bytes);

// kDataLoss: a checksum failed; kResourceExhausted: the disk is full;
// kUnavailable: any other trouble.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view deed);

inline absl::string_view View(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

// The first key after all that begin with `prefix`.
std::string PrefixEnd(std::string prefix);

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_ROCKS_ENGINE_H_
