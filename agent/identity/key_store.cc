#include "agent/identity/key_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/identity/certificate.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr uint64_t kMaxFile = 256 << 10;
constexpr absl::string_view kBegin = "-----BEGIN CERTIFICATE-----";

std::vector<std::string> Texts(const google::protobuf::Struct& object,
                               const std::string& key) {
  std::vector<std::string> texts;
  const auto it = object.fields().find(key);
  if (it == object.fields().end()) return texts;
  for (const auto& value : it->second.list_value().values()) {
    texts.push_back(value.string_value());
  }
  return texts;
}

void SetTexts(const std::vector<std::string>& texts, const std::string& key,
              google::protobuf::Struct& object) {
  auto* const list = (*object.mutable_fields())[key].mutable_list_value();
  for (const std::string& text : texts) {
    list->add_values()->set_string_value(text);
  }
}

}  // namespace

KeyStore::KeyStore(base::Files& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

std::string KeyStore::PathOf(absl::string_view name) const {
  return absl::StrCat(folder_, "/", name);
}

absl::Status KeyStore::Prepare() {
  FOREWARN_RETURN_IF_ERROR(files_.MakeFolder(folder_));
  struct stat facts {};
  const std::string deed = absl::StrCat("use state folder ", folder_);
  if (lstat(folder_.c_str(), &facts) != 0) {
    return base::ErrnoStatus(errno, deed);
  }
  if (S_ISLNK(facts.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(deed, ": it is a symbolic link"));
  }
  if (facts.st_uid != geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(deed, ": it belongs to user ", facts.st_uid,
                     ", this is user ", geteuid()));
  }
  if ((facts.st_mode & 0077) != 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s: its mode is %04o, others may look into it; run: chmod 0700 %s",
        deed, facts.st_mode & 07777u, folder_));
  }
  return absl::OkStatus();
}

bool KeyStore::enrolled() const {
  return !absl::IsNotFound(files_.Read(PathOf("agent.pem"), kMaxFile).status());
}

absl::StatusOr<Identity> KeyStore::Load() const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string both,
                            files_.Read(PathOf("agent.pem"), kMaxFile));
  Identity identity;
  const size_t border = both.find(kBegin.data(), 0, kBegin.size());
  if (border == std::string::npos) {
    return absl::DataLossError(
        absl::StrCat("read ", PathOf("agent.pem"), ": no certificate in it"));
  }
  identity.key_pem = both.substr(0, border);
  identity.certificate_pem = both.substr(border);
  FOREWARN_ASSIGN_OR_RETURN(identity.ca_pem,
                            files_.Read(PathOf("ca.pem"), kMaxFile));
  FOREWARN_ASSIGN_OR_RETURN(const std::string json,
                            files_.Read(PathOf("enrollment.json"), kMaxFile));
  google::protobuf::Struct object;
  if (!google::protobuf::util::JsonStringToMessage(json, &object).ok()) {
    return absl::DataLossError(
        absl::StrCat("read ", PathOf("enrollment.json"), ": not JSON"));
  }
  identity.collectors = Texts(object, "collectors");
  identity.urls = Texts(object, "urls");
  const auto id = object.fields().find("endpoint_id");
  if (id != object.fields().end()) {
    identity.endpoint_id = id->second.string_value();
  }
  const absl::Status fits =
      CheckIssued(identity.certificate_pem, identity.key_pem, identity.ca_pem);
  if (!fits.ok()) {
    return absl::DataLossError(absl::StrCat("read identity in ", folder_, ": ",
                                            fits.message(),
                                            "; enrol again with a new token"));
  }
  FOREWARN_ASSIGN_OR_RETURN(const CertificateFacts facts,
                            ReadCertificate(identity.certificate_pem));
  identity.not_before = facts.not_before;
  identity.not_after = facts.not_after;
  return identity;
}

absl::Status KeyStore::Save(const Identity& identity) {
  FOREWARN_RETURN_IF_ERROR(
      CheckIssued(identity.certificate_pem, identity.key_pem, identity.ca_pem));
  FOREWARN_RETURN_IF_ERROR(Prepare());
  google::protobuf::Struct object;
  (*object.mutable_fields())["endpoint_id"].set_string_value(
      identity.endpoint_id);
  SetTexts(identity.collectors, "collectors", object);
  SetTexts(identity.urls, "urls", object);
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(object, &json, options)
           .ok()) {
    return absl::InvalidArgumentError(
        "store enrolment: its texts are not valid UTF-8");
  }
  FOREWARN_RETURN_IF_ERROR(
      files_.WriteAtomically(PathOf("ca.pem"), identity.ca_pem));
  FOREWARN_RETURN_IF_ERROR(
      files_.WriteAtomically(PathOf("enrollment.json"), json));
  return SaveRenewal(identity.key_pem, identity.certificate_pem);
}

absl::Status KeyStore::SaveRenewal(const std::string& key_pem,
                                   const std::string& certificate_pem) {
  return files_.WriteAtomically(PathOf("agent.pem"),
                                absl::StrCat(key_pem, certificate_pem));
}

}  // namespace forewarn::agent
