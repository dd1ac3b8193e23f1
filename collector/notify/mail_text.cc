#include <openssl/sha.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/notify/mail_channel.h"
#include "collector/words/visible.h"
#include "protos/wire/proto_time.h"

namespace forewarn::notify {
namespace {

constexpr size_t kPlainSubject = 66;  // fits the first line with its name
constexpr size_t kBytesOfWord = 42;   // 56 in base64; 75 is the limit
constexpr size_t kBase64Line = 76;    // RFC 2045
constexpr size_t kLongestSubject = 1000;

// What may stand in a header: no line breaks, no controls, ASCII.
std::string HeaderSafe(absl::string_view text, size_t longest) {
  std::string safe;
  for (const char c : text.substr(0, longest)) {
    safe += absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : '?';
  }
  return safe;
}

std::string ShortHash(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), 10));
}

std::string EncodedLines(absl::string_view text) {
  const std::string encoded = absl::Base64Escape(text);
  std::string lines;
  for (size_t at = 0; at < encoded.size(); at += kBase64Line) {
    absl::StrAppend(&lines, encoded.substr(at, kBase64Line), "\r\n");
  }
  return lines;
}

absl::string_view DomainOf(absl::string_view address) {
  const size_t at = address.rfind('@');
  return at == absl::string_view::npos ? "localhost" : address.substr(at + 1);
}

}  // namespace

std::string EncodeSubject(absl::string_view text) {
  text = text.substr(0, kLongestSubject);
  const bool plain =
      text.size() <= kPlainSubject && !absl::StrContains(text, "=?") &&
      std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isprint(static_cast<unsigned char>(c));
      });
  if (plain) return std::string(text);
  std::vector<std::string> encoded_words;
  std::string word;
  while (!text.empty()) {
    const absl::string_view before = text;
    uint32_t code_point = 0;
    const bool good = words::TakeCodePoint(text, code_point);
    const absl::string_view taken =
        before.substr(0, before.size() - text.size());
    if (word.size() + taken.size() > kBytesOfWord) {
      encoded_words.push_back(std::move(word));
      word.clear();
    }
    absl::StrAppend(
        &word, good && code_point >= 0x20 && code_point != 0x7f ? taken : "?");
  }
  encoded_words.push_back(std::move(word));
  for (std::string& part : encoded_words) {
    part = absl::StrCat("=?UTF-8?B?", absl::Base64Escape(part), "?=");
  }
  return absl::StrJoin(encoded_words, "\r\n ");
}

std::string ComposeMail(const Message& message, absl::string_view from,
                        const std::vector<std::string>& to, absl::Time now) {
  const v1::Ticket& ticket = message.detail.ticket();
  const std::string& key = message.notification.idempotency_key();
  const std::string thread =
      absl::StrCat("forewarn.t", ticket.id(), ".",
                   absl::ToUnixSeconds(wire::ToTime(ticket.opened_at())));
  const absl::string_view domain = DomainOf(from);
  const std::string root = absl::StrCat("<", thread, "@", domain, ">");
  const bool first = message.notification.event() == "opened";
  std::string mail = absl::StrCat(
      "From: Forewarn <", from, ">\r\n",                    //
      "To: ", absl::StrJoin(to, ",\r\n "), "\r\n",          //
      "Subject: ", EncodeSubject(message.subject), "\r\n",  //
      "Date: ",
      absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", now, absl::UTCTimeZone()),
      "\r\n");
  if (first) {
    absl::StrAppend(&mail, "Message-ID: ", root, "\r\n");
  } else {
    absl::StrAppend(&mail, "Message-ID: <", thread, ".", ShortHash(key), "@",
                    domain, ">\r\n", "In-Reply-To: ", root, "\r\n",
                    "References: ", root, "\r\n");
  }
  absl::StrAppend(&mail,
                  "Auto-Submitted: auto-generated\r\n"
                  "X-Auto-Response-Suppress: All\r\n"
                  "X-Forewarn-Key: ",
                  HeaderSafe(key, 200),
                  "\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n"
                  "\r\n",
                  EncodedLines(message.text));
  return mail;
}

}  // namespace forewarn::notify
