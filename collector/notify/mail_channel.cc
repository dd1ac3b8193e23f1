#include "collector/notify/mail_channel.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "collector/notify/address_guard.h"
#include "collector/notify/curl_transfer.h"
#include "collector/notify/secret_file.h"
#include "protos/base/status.h"

namespace forewarn::notify {
namespace {

// name@host without anything that could end it and begin another.
bool IsAddress(absl::string_view address) {
  const size_t at = address.rfind('@');
  return at != absl::string_view::npos && at > 0 && at + 1 < address.size() &&
         address.size() <= 254 &&
         std::all_of(address.begin(), address.end(), [](char c) {
           return absl::ascii_isgraph(static_cast<unsigned char>(c)) &&
                  std::strchr("<>()[]\\,;:\"", c) == nullptr;
         });
}

// host of smtp://host:port; empty when it is no such URL.
std::string HostOf(absl::string_view server) {
  if (!absl::ConsumePrefix(&server, "smtp://") &&
      !absl::ConsumePrefix(&server, "smtps://")) {
    return "";
  }
  if (!std::all_of(server.begin(), server.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               std::strchr(".-_:[]", c) != nullptr;
      })) {
    return "";
  }
  if (absl::StartsWith(server, "[")) {
    return std::string(server.substr(0, server.find(']') + 1));
  }
  return std::string(server.substr(0, server.find(':')));
}

absl::Status Check(const v1::MailConfig& config) {
  const auto wrong = [](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("mail: ", why));
  };
  const std::string host = HostOf(config.server());
  if (host.empty()) {
    return wrong("server must be smtp://HOST:PORT or smtps://HOST:PORT");
  }
  if (!IsAddress(config.from())) {
    return wrong("from must be a plain address, name@host");
  }
  if (config.to().empty() ||
      !std::all_of(config.to().begin(), config.to().end(), IsAddress)) {
    return wrong("to must be a list of plain addresses, name@host");
  }
  const bool encrypted = absl::StartsWith(config.server(), "smtps:") ||
                         config.tls().empty() || config.tls() == "required";
  if (!config.username().empty() && !encrypted && !IsLoopbackName(host)) {
    return wrong("a password needs tls: required");
  }
  return absl::OkStatus();
}

long TlsLevel(const std::string& tls) {
  if (tls == "none") return CURLUSESSL_NONE;
  if (tls == "if_offered") return CURLUSESSL_TRY;
  return CURLUSESSL_ALL;
}

// What libcurl has yet to send.
size_t ReadMail(char* buffer, size_t size, size_t count, void* source) {
  absl::string_view& rest = *static_cast<absl::string_view*>(source);
  const size_t taken = std::min(size * count, rest.size());
  std::memcpy(buffer, rest.data(), taken);
  rest.remove_prefix(taken);
  return taken;
}

// 5xx of a mail server is final, everything else may pass.
absl::Status Judge(const CurlTransfer& transfer, const absl::Status& done) {
  if (done.ok() || absl::IsCancelled(done)) return done;
  const long reply = transfer.ResponseCode();
  const std::string why =
      reply > 0 ? absl::StrCat(done.message(), " (reply ", reply, ")")
                : std::string(done.message());
  const CURLcode result = transfer.result();
  const bool transport =
      result == CURLE_OPERATION_TIMEDOUT || result == CURLE_GOT_NOTHING ||
      result == CURLE_USE_SSL_FAILED || result == CURLE_SSL_CONNECT_ERROR ||
      result == CURLE_PEER_FAILED_VERIFICATION;
  if (result == CURLE_LOGIN_DENIED ||
      (!transport && reply >= 500 && reply < 600)) {
    return absl::PermissionDeniedError(why);
  }
  return absl::UnavailableError(why);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MailChannel>> MailChannel::Create(
    const v1::MailConfig& config, base::Clock& clock, absl::Duration timeout) {
  FOREWARN_RETURN_IF_ERROR(Check(config));
  std::string password;
  if (!config.password_file().empty()) {
    absl::StatusOr<std::string> secret = ReadSecretFile(config.password_file());
    FOREWARN_RETURN_IF_ERROR(base::Annotate(secret.status(), "mail"));
    password = *std::move(secret);
  }
  return std::unique_ptr<MailChannel>(
      new MailChannel(config, std::move(password), clock, timeout));
}

MailChannel::MailChannel(const v1::MailConfig& config, std::string password,
                         base::Clock& clock, absl::Duration timeout)
    : config_(config),
      to_(config.to().begin(), config.to().end()),
      password_(std::move(password)),
      clock_(clock),
      timeout_(timeout) {}

absl::Status MailChannel::Send(const Message& message) {
  const std::string mail =
      ComposeMail(message, config_.from(), to_, clock_.Now());
  absl::string_view rest = mail;
  CurlList recipients;
  for (const std::string& address : to_) {
    recipients.Append(absl::StrCat("<", address, ">"));
  }
  const std::string sender = absl::StrCat("<", config_.from(), ">");
  CurlTransfer transfer(cancelled_, timeout_);
  if (CURL* curl = transfer.handle(); curl != nullptr) {
    curl_easy_setopt(curl, CURLOPT_URL, config_.server().c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, TlsLevel(config_.tls()));
    if (!config_.username().empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, config_.username().c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, password_.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
    // One mailbox that is gone must not silence the others.
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, ReadMail);
    curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(mail.size()));
  }
  const absl::Status done = transfer.Perform();
  return Judge(transfer, done);
}

}  // namespace forewarn::notify
