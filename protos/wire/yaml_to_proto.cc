#include "protos/wire/yaml_to_proto.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "forewarn/v1/options.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"

namespace forewarn::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxBytes = 4 << 20;
constexpr int kMaxDepth = 32;
constexpr size_t kMaxErrors = 100;

constexpr absl::string_view kDuration = "google.protobuf.Duration";
constexpr absl::string_view kByteSize = "forewarn.v1.ByteSize";

// Levenshtein distance, for "did you mean".
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1,
                         diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? absl::StrCat("; known: ", absl::StrJoin(known, ", "))
                         : absl::StrCat("; did you mean \"", *best, "\"?");
}

// Untrusted text in an error: short, printable.
std::string Quote(absl::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 64)) {
    shown += absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : '?';
  }
  return absl::StrCat("\"", shown, text.size() > 64 ? "...\"" : "\"");
}

struct Unit {
  absl::string_view name;
  double factor;
};
constexpr Unit kTimeUnits[] = {{"ms", 1e-3}, {"s", 1},       {"min", 60},
                               {"m", 60},    {"h", 3600},    {"d", 86400},
                               {"w", 604800}};
constexpr Unit kSizeUnits[] = {
    {"B", 1},          {"KiB", 1024.0},     {"MiB", 1048576.0},
    {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}, {"kB", 1e3},
    {"KB", 1e3},       {"MB", 1e6},         {"GB", 1e9},
    {"TB", 1e12}};

enum class UnitFault { kNone, kNoNumber, kNoUnit, kUnknownUnit };

template <size_t n>
UnitFault ReadWithUnit(absl::string_view text, const Unit (&units)[n],
                       double& value) {
  text = absl::StripAsciiWhitespace(text);
  size_t digits = 0;
  while (digits < text.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[digits])) ||
          text[digits] == '.')) {
    ++digits;
  }
  double number = 0;
  if (!absl::SimpleAtod(text.substr(0, digits), &number)) {
    return UnitFault::kNoNumber;
  }
  const absl::string_view unit =
      absl::StripLeadingAsciiWhitespace(text.substr(digits));
  if (unit.empty()) return UnitFault::kNoUnit;
  for (const Unit& known : units) {
    if (unit == known.name) {
      value = number * known.factor;
      return UnitFault::kNone;
    }
  }
  return UnitFault::kUnknownUnit;
}

class Reader {
 public:
  Reader(absl::string_view file_name, std::vector<std::string>& errors)
      : file_name_(file_name), errors_(errors) {}

  void Error(const YAML::Mark& mark, absl::string_view what) {
    if (errors_.size() >= kMaxErrors) return;
    errors_.push_back(absl::StrCat(file_name_, ":", mark.line + 1, ":",
                                   mark.column + 1, ": ", what));
  }

  void ReadMessage(const YAML::Node& node, Message& message,
                   absl::string_view where, int depth) {
    if (depth > kMaxDepth) {
      return Error(node.Mark(), "nested more than 32 levels deep");
    }
    if (node.IsNull()) return;
    if (!node.IsMap()) {
      return Error(node.Mark(),
                   absl::StrCat(where, " must be a mapping of key: value"));
    }
    const Descriptor& descriptor = *message.GetDescriptor();
    absl::flat_hash_set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        Error(entry.first.Mark(), "a key must be a word");
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        Error(entry.first.Mark(), absl::StrCat("key ", Quote(key), " twice"));
        continue;
      }
      const FieldDescriptor* field = descriptor.FindFieldByName(key);
      if (field == nullptr) {
        std::vector<std::string> known;
        for (int i = 0; i < descriptor.field_count(); ++i) {
          known.push_back(descriptor.field(i)->name());
        }
        Error(entry.first.Mark(), absl::StrCat("unknown key ", Quote(key),
                                               DidYouMean(key, known)));
        continue;
      }
      ReadField(entry.second, *field, message, depth);
    }
    for (int i = 0; i < descriptor.field_count(); ++i) {
      const FieldDescriptor& field = *descriptor.field(i);
      if (field.options().GetExtension(v1::required) &&
          !seen.contains(field.name())) {
        Error(node.Mark(),
              absl::StrCat(where, " lacks the key \"", field.name(), "\""));
      }
    }
  }

 private:
  void ReadField(const YAML::Node& node, const FieldDescriptor& field,
                 Message& message, int depth) {
    if (node.IsNull()) {
      return Error(node.Mark(), absl::StrCat(field.name(), " has no value"));
    }
    if (field.is_map()) return ReadMap(node, field, message);
    if (!field.is_repeated()) return ReadOne(node, field, message, depth);
    if (!node.IsSequence()) {
      return Error(node.Mark(), absl::StrCat(field.name(), " must be a list"));
    }
    for (const YAML::Node& item : node) ReadOne(item, field, message, depth);
  }

  void ReadMap(const YAML::Node& node, const FieldDescriptor& field,
               Message& message) {
    if (!node.IsMap()) {
      return Error(node.Mark(), absl::StrCat(field.name(),
                                             " must be a mapping of texts"));
    }
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
        Error(entry.first.Mark(),
              absl::StrCat(field.name(), " maps texts to texts"));
        continue;
      }
      Message& item =
          *message.GetReflection()->AddMessage(&message, &field);
      item.GetReflection()->SetString(&item, &key, entry.first.Scalar());
      item.GetReflection()->SetString(&item, &value, entry.second.Scalar());
    }
  }

  void ReadOne(const YAML::Node& node, const FieldDescriptor& field,
               Message& message, int depth) {
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message& sub = field.is_repeated()
                         ? *reflection.AddMessage(&message, &field)
                         : *reflection.MutableMessage(&message, &field);
      const std::string& type = field.message_type()->full_name();
      if (type == kDuration) return ReadDuration(node, field, sub);
      if (type == kByteSize) return ReadSize(node, field, sub);
      return ReadMessage(node, sub, field.name(), depth + 1);
    }
    if (!node.IsScalar()) {
      return Error(node.Mark(),
                   absl::StrCat(field.name(), " must be a single value"));
    }
    const std::string& text = node.Scalar();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return ReadString(node, field, text, message);
      case FieldDescriptor::CPPTYPE_BOOL: {
        bool value = false;
        if (!absl::SimpleAtob(text, &value)) {
          return Error(node.Mark(), absl::StrCat(field.name(), ": ",
                                                 Quote(text),
                                                 " is not true or false"));
        }
        return reflection.SetBool(&message, &field, value);
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        double value = 0;
        if (!ReadNumber(node, field, text, value)) return;
        if (value < 0 || value != std::floor(value) ||
            value > std::numeric_limits<uint32_t>::max()) {
          return Error(node.Mark(), absl::StrCat(field.name(), ": ",
                                                 Quote(text),
                                                 " is not a whole number"));
        }
        return reflection.SetUInt32(&message, &field,
                                    static_cast<uint32_t>(value));
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        double value = 0;
        if (!ReadNumber(node, field, text, value)) return;
        return field.is_repeated()
                   ? reflection.AddDouble(&message, &field, value)
                   : reflection.SetDouble(&message, &field, value);
      }
      default:
        return Error(node.Mark(), absl::StrCat(field.name(),
                                               ": cannot be set from YAML"));
    }
  }

  void ReadString(const YAML::Node& node, const FieldDescriptor& field,
                  const std::string& text, Message& message) {
    const auto& options = field.options();
    const int choices = options.ExtensionSize(v1::one_of);
    if (choices > 0) {
      std::vector<std::string> known;
      for (int i = 0; i < choices; ++i) {
        known.push_back(options.GetExtension(v1::one_of, i));
      }
      if (std::find(known.begin(), known.end(), text) == known.end()) {
        return Error(node.Mark(),
                     absl::StrCat(field.name(), ": ", Quote(text),
                                  " is not one of ",
                                  absl::StrJoin(known, ", ")));
      }
    }
    if (options.GetExtension(v1::required) && text.empty()) {
      return Error(node.Mark(), absl::StrCat(field.name(), " is empty"));
    }
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) {
      reflection.AddString(&message, &field, text);
    } else {
      reflection.SetString(&message, &field, text);
    }
  }

  // A number, or a percentage: 85% is 0.85.
  bool ReadNumber(const YAML::Node& node, const FieldDescriptor& field,
                  absl::string_view text, double& value) {
    const bool percent = absl::ConsumeSuffix(&text, "%");
    if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
      Error(node.Mark(), absl::StrCat(field.name(), ": ", Quote(node.Scalar()),
                                      " is not a number"));
      return false;
    }
    if (percent) value /= 100;
    return InRange(node, field, value, "");
  }

  bool InRange(const YAML::Node& node, const FieldDescriptor& field,
               double value, absl::string_view unit) {
    if (!field.options().HasExtension(v1::range)) return true;
    const v1::Range& range = field.options().GetExtension(v1::range);
    if (value >= range.min() && value <= range.max()) return true;
    Error(node.Mark(), absl::StrCat(field.name(), ": ", Quote(node.Scalar()),
                                    " is out of range, allowed are ",
                                    range.min(), unit, " to ", range.max(),
                                    unit));
    return false;
  }

  void ReadDuration(const YAML::Node& node, const FieldDescriptor& field,
                    Message& sub) {
    double seconds = 0;
    if (!ReadAmount(node, field, kTimeUnits, "10s, 5min, 4h or 30d", seconds) ||
        !InRange(node, field, seconds, "s")) {
      return;
    }
    auto& duration = static_cast<google::protobuf::Duration&>(sub);
    duration.set_seconds(static_cast<int64_t>(seconds));
    duration.set_nanos(
        static_cast<int32_t>((seconds - std::floor(seconds)) * 1e9));
  }

  void ReadSize(const YAML::Node& node, const FieldDescriptor& field,
                Message& sub) {
    double bytes = 0;
    if (!ReadAmount(node, field, kSizeUnits, "64MiB, 10GB or 512B", bytes) ||
        !InRange(node, field, bytes, "B")) {
      return;
    }
    static_cast<v1::ByteSize&>(sub).set_bytes(static_cast<uint64_t>(bytes));
  }

  template <size_t n>
  bool ReadAmount(const YAML::Node& node, const FieldDescriptor& field,
                  const Unit (&units)[n], absl::string_view examples,
                  double& value) {
    if (!node.IsScalar()) {
      Error(node.Mark(), absl::StrCat(field.name(), " must be a single value, "
                                                    "as in ", examples));
      return false;
    }
    const UnitFault fault = ReadWithUnit(node.Scalar(), units, value);
    if (fault == UnitFault::kNone) return true;
    const absl::string_view what =
        fault == UnitFault::kNoUnit        ? " lacks a unit"
        : fault == UnitFault::kUnknownUnit ? " has an unknown unit"
                                           : " is not an amount";
    Error(node.Mark(), absl::StrCat(field.name(), ": ", Quote(node.Scalar()),
                                    what, ", write it as ", examples));
    return false;
  }

  const std::string file_name_;
  std::vector<std::string>& errors_;
};

// Finds what could make a small file into a large one before yaml-cpp's
// nodes do: aliases, and nesting beyond the limit.
class Guard : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    document_start_ = mark;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "anchors and aliases are not allowed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string&,
                YAML::anchor_t anchor, const std::string&) override {
    Check(mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Enter(mark, anchor);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Enter(mark, anchor);
  }
  void OnMapEnd() override { --depth_; }

  const YAML::Mark& document_start() const { return document_start_; }

 private:
  void Check(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) {
      throw YAML::ParserException(mark, "anchors and aliases are not allowed");
    }
  }
  void Enter(const YAML::Mark& mark, YAML::anchor_t anchor) {
    Check(mark, anchor);
    if (++depth_ > kMaxDepth) {
      throw YAML::ParserException(mark, "nested more than 32 levels deep");
    }
  }

  int depth_ = 0;
  YAML::Mark document_start_;
};

}  // namespace

std::vector<std::string> YamlToProto(absl::string_view yaml,
                                     absl::string_view file_name,
                                     Message& message) {
  std::vector<std::string> errors;
  if (yaml.size() > kMaxBytes) {
    errors.push_back(absl::StrCat(file_name, ":1:1: larger than 4 MiB"));
    return errors;
  }
  if (const size_t nul = yaml.find('\0'); nul != absl::string_view::npos) {
    const auto line = std::count(yaml.begin(), yaml.begin() + nul, '\n') + 1;
    errors.push_back(
        absl::StrCat(file_name, ":", line, ":1: holds a NUL byte"));
    return errors;
  }
  try {
    const std::string text(yaml);
    std::istringstream guarded(text);
    Guard guard;
    YAML::Parser parser(guarded);
    parser.HandleNextDocument(guard);
    Reader reader(file_name, errors);
    // Not LoadAll: on tokens it cannot place, yaml-cpp 0.7 finds documents
    // for ever.
    if (parser.HandleNextDocument(guard)) {
      reader.Error(guard.document_start(),
                   "something stands after the end of the document");
      return errors;
    }
    reader.ReadMessage(YAML::Load(text), message, "the file", 0);
  } catch (const YAML::Exception& error) {
    Reader(file_name, errors).Error(error.mark, error.msg);
  }
  return errors;
}

std::vector<std::string> YamlFileToProto(const std::string& path,
                                         Message& message) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {absl::StrCat(path, ":1:1: cannot be opened for reading")};
  std::string text;
  char buffer[65536];
  while (text.size() <= kMaxBytes &&
         (file.read(buffer, sizeof buffer), file.gcount() > 0)) {
    text.append(buffer, static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) return {absl::StrCat(path, ":1:1: cannot be read")};
  return YamlToProto(text, path, message);
}

}  // namespace forewarn::wire
