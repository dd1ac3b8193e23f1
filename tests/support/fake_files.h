#ifndef FOREWARN_TESTS_SUPPORT_FAKE_FILES_H_
#define FOREWARN_TESTS_SUPPORT_FAKE_FILES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "protos/base/files.h"
#include "protos/base/mutex.h"

namespace forewarn::testing {

// Files in memory that forget what was not synced, and whose n-th operation
// fails. Thread-safe.
class FakeFiles final : public base::Files {
 public:
  // The `nth` changing operation from now on (1 = the next) fails with
  // `status`; an append writes half of its bytes first. 0 = none.
  void FailAt(int nth, absl::Status status = absl::ResourceExhaustedError(
                           "no space left on device")) {
    base::MutexLock lock(&mutex_);
    fail_at_ = nth;
    failure_ = std::move(status);
  }
  // Every changing operation fails until FailAt(0).
  void FailAlways(absl::Status status) {
    base::MutexLock lock(&mutex_);
    fail_at_ = -1;
    failure_ = std::move(status);
  }
  int operations() const {
    base::MutexLock lock(&mutex_);
    return operations_;
  }

  // Power cut: contents not synced and names not synced are gone.
  void CutPower() {
    base::MutexLock lock(&mutex_);
    names_ = durable_names_;
    for (auto& [path, file] : names_) {
      file->contents = file->durable;
      file->lost.clear();
    }
  }

  // Changes the bytes of a file behind everybody's back.
  void Damage(const std::string& path, uint64_t position, char flip) {
    base::MutexLock lock(&mutex_);
    File& file = *names_.at(path);
    file.contents.at(position) ^= flip;
    file.durable = file.contents;
  }
  // Bytes appear at the end of a file, durably.
  void Extend(const std::string& path, absl::string_view bytes) {
    base::MutexLock lock(&mutex_);
    File& file = *names_.at(path);
    file.contents.append(bytes.data(), bytes.size());
    file.durable = file.contents;
  }
  std::vector<std::string> paths() const {
    base::MutexLock lock(&mutex_);
    std::vector<std::string> all;
    for (const auto& [path, file] : names_) all.push_back(path);
    return all;
  }

  absl::StatusOr<std::unique_ptr<base::AppendFile>> OpenAppend(
      const std::string& path) override {
    base::MutexLock lock(&mutex_);
    if (absl::Status status = Change(); !status.ok()) return status;
    std::shared_ptr<File>& file = names_[path];
    if (file == nullptr) file = std::make_shared<File>();
    return std::make_unique<Appender>(*this, file);
  }
  absl::StatusOr<std::string> Read(const std::string& path,
                                   uint64_t most) override {
    base::MutexLock lock(&mutex_);
    const auto it = names_.find(path);
    if (it == names_.end()) return Missing(path);
    if (it->second->contents.size() > most) {
      return absl::ResourceExhaustedError(absl::StrCat("read ", path));
    }
    return it->second->contents;
  }
  absl::Status Truncate(const std::string& path, uint64_t size) override {
    base::MutexLock lock(&mutex_);
    if (absl::Status status = Change(); !status.ok()) return status;
    const auto it = names_.find(path);
    if (it == names_.end()) return Missing(path);
    it->second->contents.resize(size);
    it->second->durable = it->second->contents;
    return absl::OkStatus();
  }
  absl::Status Remove(const std::string& path) override {
    base::MutexLock lock(&mutex_);
    if (names_.count(path) == 0) return Missing(path);
    if (absl::Status status = Change(); !status.ok()) return status;
    names_.erase(path);
    return absl::OkStatus();
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    base::MutexLock lock(&mutex_);
    if (absl::Status status = Change(); !status.ok()) return status;
    const auto it = names_.find(from);
    if (it == names_.end()) return Missing(from);
    const std::shared_ptr<File> file = it->second;
    names_.erase(it);
    names_[to] = file;
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) override {
    base::MutexLock lock(&mutex_);
    if (folders_.count(folder) == 0) return Missing(folder);
    std::vector<std::string> names;
    for (const auto& [path, file] : names_) {
      if (base::FolderOf(path) == folder) {
        names.push_back(path.substr(folder.size() + 1));
      }
    }
    return names;
  }
  absl::Status MakeFolder(const std::string& folder) override {
    base::MutexLock lock(&mutex_);
    if (absl::Status status = Change(); !status.ok()) return status;
    folders_.insert(folder);
    return absl::OkStatus();
  }
  absl::Status SyncFolder(const std::string& folder) override {
    base::MutexLock lock(&mutex_);
    if (absl::Status status = Change(); !status.ok()) return status;
    for (auto it = durable_names_.begin(); it != durable_names_.end();) {
      it = base::FolderOf(it->first) == folder ? durable_names_.erase(it)
                                               : std::next(it);
    }
    for (const auto& [path, file] : names_) {
      if (base::FolderOf(path) == folder) durable_names_[path] = file;
    }
    return absl::OkStatus();
  }

 private:
  // Shared by its name (or two, while a rename is not synced) and by whoever
  // has it open.
  struct File {
    std::string contents;
    std::string durable;
    std::vector<std::pair<size_t, size_t>> lost;  // in vain synced
  };

  class Appender final : public base::AppendFile {
   public:
    Appender(FakeFiles& files, std::shared_ptr<File> file)
        : files_(files), file_(std::move(file)) {}
    absl::Status Append(absl::string_view bytes) override {
      base::MutexLock lock(&files_.mutex_);
      const absl::Status status = files_.Change();
      const size_t kept = status.ok() ? bytes.size() : bytes.size() / 2;
      file_->contents.append(bytes.data(), kept);
      return status;
    }
    absl::Status Sync() override {
      base::MutexLock lock(&files_.mutex_);
      if (absl::Status status = files_.Change(); !status.ok()) {
        // As Linux does: the pages are dropped, and count as clean.
        file_->lost.emplace_back(file_->durable.size(), file_->contents.size());
        return status;
      }
      file_->durable = file_->contents;
      for (const auto& [begin, end] : file_->lost) {
        std::fill(file_->durable.begin() + static_cast<ptrdiff_t>(begin),
                  file_->durable.begin() + static_cast<ptrdiff_t>(end), 0);
      }
      return absl::OkStatus();
    }

   private:
    FakeFiles& files_;
    const std::shared_ptr<File> file_;
  };

  static absl::Status Missing(const std::string& path) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  absl::Status Change() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++operations_;
    if (fail_at_ < 0) return failure_;
    if (fail_at_ > 0 && --fail_at_ == 0) return failure_;
    return absl::OkStatus();
  }

  mutable base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<File>> names_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<File>> durable_names_
      ABSL_GUARDED_BY(mutex_);
  std::set<std::string> folders_ ABSL_GUARDED_BY(mutex_);
  int fail_at_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  int operations_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_FAKE_FILES_H_
