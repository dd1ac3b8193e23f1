#include "protos/wire/grpc_frames.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace forewarn::wire {
namespace {

size_t LoadLength(const char* in) {
  size_t length = 0;
  for (int i = 0; i < 4; ++i) {
    length = length << 8 | static_cast<unsigned char>(in[i]);
  }
  return length;
}

}  // namespace

void AppendGrpcFrame(absl::string_view message, std::string& out) {
  out += '\0';
  for (const int shift : {24, 16, 8, 0}) {
    out += static_cast<char>(message.size() >> shift & 0xff);
  }
  out.append(message.data(), message.size());
}

void GrpcOutput::Append(absl::string_view message) {
  bytes_.erase(0, begin_);
  begin_ = 0;
  AppendGrpcFrame(message, bytes_);
}

size_t GrpcOutput::Take(uint8_t* out, size_t size) {
  const size_t count = std::min(size, bytes());
  std::memcpy(out, bytes_.data() + begin_, count);
  begin_ += count;
  if (bytes() == 0) {
    bytes_.clear();
    begin_ = 0;
  }
  return count;
}

absl::Status GrpcFrames::Append(absl::string_view bytes) {
  if (begin_ == bytes_.size()) {
    bytes_.clear();
    begin_ = 0;
  } else if (begin_ > bytes_.size() / 2) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  bytes_.append(bytes.data(), bytes.size());
  return Check();
}

// Only the first is looked at; the others come to their turn in Next.
absl::Status GrpcFrames::Check() const {
  if (bytes_.size() - begin_ < kGrpcPrefix) return absl::OkStatus();
  if (bytes_[begin_] != 0) {
    return absl::UnimplementedError("compressed messages are not taken");
  }
  const size_t length = LoadLength(bytes_.data() + begin_ + 1);
  if (length <= max_message_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "a message of ", length, " bytes; ", max_message_bytes_, " are allowed"));
}

bool GrpcFrames::Next(absl::string_view& message) {
  const size_t here = bytes_.size() - begin_;
  if (here < kGrpcPrefix || !Check().ok()) return false;
  const size_t length = LoadLength(bytes_.data() + begin_ + 1);
  if (here - kGrpcPrefix < length) return false;
  message = absl::string_view(bytes_).substr(begin_ + kGrpcPrefix, length);
  begin_ += kGrpcPrefix + length;
  return true;
}

std::string PercentEncoded(absl::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string PercentDecoded(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        absl::ascii_isxdigit(text[i + 1]) &&
        absl::ascii_isxdigit(text[i + 2])) {
      out += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace forewarn::wire
