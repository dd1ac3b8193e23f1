#ifndef FOREWARN_COLLECTOR_DETECT_STATE_ARCHIVE_H_
#define FOREWARN_COLLECTOR_DETECT_STATE_ARCHIVE_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message_lite.h"

namespace forewarn::detect {

// Detectors' state as bytes, so that they need not see their past again after
// a restart. A class that has state names it once, for both ways:
//
//   template <typename Self, typename Archive>
//   static void Fields(Self& self, Archive& archive) {
//     archive(self.mean_, self.seen_);
//   }
//
// What follows from definitions and rules is not named: the reader's object is
// made by these first. The bytes are this program's own, checksummed, with a
// version; who cannot read them learns from history instead.

namespace archive_internal {

template <typename T, typename = void>
struct IsNumber : std::bool_constant<std::is_arithmetic_v<T>> {};
template <typename T>
struct IsNumber<T, std::enable_if_t<std::is_enum_v<T>>> : std::true_type {};

// The two infinities have numbers of their own.
inline int64_t ToNumber(absl::Duration duration) {
  return absl::ToInt64Nanoseconds(duration);
}
inline absl::Duration ToDuration(int64_t number) {
  if (number == std::numeric_limits<int64_t>::max()) {
    return absl::InfiniteDuration();
  }
  if (number == std::numeric_limits<int64_t>::min()) {
    return -absl::InfiniteDuration();
  }
  return absl::Nanoseconds(number);
}

}  // namespace archive_internal

// Thread-compatible.
class StateWriter {
 public:
  template <typename... T>
  void operator()(const T&... fields) {
    (Put(fields), ...);
  }
  // Elements that definitions and rules have made.
  template <typename Container>
  void InPlace(const Container& elements) {
    Put(static_cast<uint32_t>(elements.size()));
    for (const auto& element : elements) Put(element);
  }

  // All of it, with its checksum.
  std::string Finish();

 private:
  template <typename T>
  void Put(const T& value) {
    if constexpr (archive_internal::IsNumber<T>::value) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    } else if constexpr (std::is_base_of_v<google::protobuf::MessageLite, T>) {
      Put(value.SerializeAsString());
    } else {
      T::Fields(value, *this);
    }
  }
  void Put(absl::Duration value) { Put(archive_internal::ToNumber(value)); }
  void Put(absl::Time value) { Put(value - absl::UnixEpoch()); }
  void Put(const std::string& value) {
    Put(static_cast<uint32_t>(value.size()));
    bytes_ += value;
  }
  template <typename T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value.has_value()) Put(*value);
  }
  template <typename T>
  void Put(const std::unique_ptr<T>& value) {
    Put(value != nullptr);
    if (value != nullptr) Put(*value);
  }
  template <typename T>
  void Put(const std::vector<T>& values) {
    InPlace(values);
  }
  template <typename T, size_t kSize>
  void Put(const std::array<T, kSize>& values) {
    for (const T& value : values) Put(value);
  }
  template <typename First, typename Second>
  void Put(const std::pair<First, Second>& value) {
    Put(value.first);
    Put(value.second);
  }

  std::string bytes_;
};

// Reads what a StateWriter wrote. After an error it changes nothing more.
// Thread-compatible.
class StateReader {
 public:
  // `bytes` must outlive it.
  explicit StateReader(absl::string_view bytes);

  template <typename... T>
  void operator()(T&... fields) {
    (Get(fields), ...);
  }
  template <typename Container>
  void InPlace(Container& elements) {
    uint32_t size = 0;
    Get(size);
    if (size != elements.size()) Fail("of another shape");
    for (auto& element : elements) Get(element);
  }

  // kDataLoss: damaged, or of other definitions or rules.
  absl::Status Finish() const;
  void Fail(absl::string_view why);

 private:
  bool Take(void* out, size_t size);

  template <typename T>
  void Get(T& value) {
    if constexpr (archive_internal::IsNumber<T>::value) {
      Take(&value, sizeof(value));
    } else if constexpr (std::is_base_of_v<google::protobuf::MessageLite, T>) {
      std::string text;
      Get(text);
      if (status_.ok() && !value.ParseFromString(text)) Fail("unreadable");
    } else {
      T::Fields(value, *this);
    }
  }
  void Get(absl::Duration& value) {
    int64_t number = 0;
    Get(number);
    if (status_.ok()) value = archive_internal::ToDuration(number);
  }
  void Get(absl::Time& value) {
    absl::Duration since;
    Get(since);
    if (status_.ok()) value = absl::UnixEpoch() + since;
  }
  void Get(std::string& value) {
    const uint32_t size = GetSize();
    value.assign(size, '\0');
    Take(value.data(), size);
  }
  template <typename T>
  void Get(std::optional<T>& value) {
    bool there = false;
    Get(there);
    value.reset();
    if (there) Get(value.emplace());
  }
  template <typename T>
  void Get(std::unique_ptr<T>& value) {
    bool there = false;
    Get(there);
    value = there ? std::make_unique<T>() : nullptr;
    if (there) Get(*value);
  }
  template <typename T>
  void Get(std::vector<T>& values) {
    const uint32_t size = GetSize();
    values.assign(size, T());
    for (T& value : values) Get(value);
  }
  template <typename T, size_t kSize>
  void Get(std::array<T, kSize>& values) {
    for (T& value : values) Get(value);
  }
  template <typename First, typename Second>
  void Get(std::pair<First, Second>& value) {
    Get(value.first);
    Get(value.second);
  }
  // Of what takes a byte an element or more.
  uint32_t GetSize();

  absl::string_view left_;
  absl::Status status_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_STATE_ARCHIVE_H_
