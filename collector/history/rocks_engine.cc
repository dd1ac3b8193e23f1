#include "collector/history/rocks_engine.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::history {
namespace {

rocksdb::Options EngineOptions(uint64_t cache_bytes) {
  rocksdb::Options engine;
  engine.create_if_missing = true;
  engine.paranoid_checks = true;
  engine.max_open_files = 512;
  engine.max_background_jobs = 2;
  engine.write_buffer_size = 32 << 20;
  // Blocks are written once and never merged: only their keys are compacted.
  engine.enable_blob_files = true;
  engine.min_blob_size = 256;
  engine.enable_blob_garbage_collection = true;
  engine.blob_garbage_collection_force_threshold = 0.5;
  engine.keep_log_file_num = 2;
  engine.max_log_file_size = 1 << 20;
  engine.compression = rocksdb::kLZ4Compression;
  engine.bottommost_compression = rocksdb::kZSTD;
  engine.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(cache_bytes);
  engine.blob_cache = table.block_cache;
  table.block_size = 16 << 10;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  engine.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return engine;
}

// RepairDB keeps a table whose index can be read, whatever its blocks are like:
// one with a bad checksum is taken out before.
void SetBadTablesAside(const std::string& blocks,
                       const rocksdb::Options& options) {
  std::error_code error;
  const std::filesystem::path lost = blocks + "/lost";
  for (const auto& entry : std::filesystem::directory_iterator(blocks, error)) {
    if (entry.path().extension() != ".sst") continue;
    rocksdb::SstFileReader table(options);
    rocksdb::Status sound = table.Open(entry.path());
    if (sound.ok()) sound = table.VerifyChecksum();
    if (sound.ok()) continue;
    base::Log(base::LogLevel::kError, "a table of the history is set aside",
              {{"file", entry.path().string()}, {"reason", sound.ToString()}});
    std::filesystem::create_directory(lost, error);
    std::filesystem::rename(entry.path(), lost / entry.path().filename(),
                            error);
  }
}

}  // namespace

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view deed) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(deed, ": ", status.ToString());
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) {
    prefix.back() =
        static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

absl::Status CheckRoom(const std::string& directory, uint64_t bytes) {
  struct statvfs space {};
  if (statvfs(directory.c_str(), &space) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("look at ", directory));
  }
  const uint64_t free = uint64_t{space.f_bavail} * space.f_frsize;
  if (free >= bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("history: ", free >> 20, " MiB are free at ", directory,
                   ", it needs ", bytes >> 20));
}

std::string DamageMark(const std::string& directory) {
  return directory + "/damaged";
}

absl::StatusOr<OpenedEngine> OpenEngine(const std::string& directory,
                                        uint64_t cache_bytes) {
  const std::string blocks = directory + "/blocks";
  std::error_code error;
  std::filesystem::create_directories(blocks, error);
  if (error) {
    return base::ErrnoStatus(error.value(),
                             absl::StrCat("create directory ", blocks));
  }
  const rocksdb::Options options = EngineOptions(cache_bytes);
  OpenedEngine engine;
  rocksdb::DB* database = nullptr;
  rocksdb::Status opened;
  const std::string mark = DamageMark(directory);
  const bool marked = std::filesystem::exists(mark, error);
  if (!marked) opened = rocksdb::DB::Open(options, blocks, &database);
  // A damaged CURRENT may name a file that never was.
  if (marked || opened.IsCorruption() || opened.IsPathNotFound()) {
    base::Log(base::LogLevel::kError, "history is damaged, repairing",
              {{"directory", blocks}, {"reason", opened.ToString()}});
    SetBadTablesAside(blocks, options);
    opened = rocksdb::RepairDB(blocks, options);
    if (opened.ok()) opened = rocksdb::DB::Open(options, blocks, &database);
    engine.repaired = opened.ok();
    if (!opened.ok()) {
      engine.set_aside = absl::StrCat(directory, ".damaged-",
                                      absl::ToUnixSeconds(absl::Now()));
      std::filesystem::rename(directory, engine.set_aside, error);
      if (error) {
        return base::ErrnoStatus(error.value(),
                                 absl::StrCat("set aside ", engine.set_aside));
      }
      std::filesystem::create_directories(blocks, error);
      opened = rocksdb::DB::Open(options, blocks, &database);
    }
    std::filesystem::remove(mark, error);
  }
  FOREWARN_RETURN_IF_ERROR(
      FromRocks(opened, absl::StrCat("open history ", directory)));
  engine.database.reset(database);
  return engine;
}

}  // namespace forewarn::history
