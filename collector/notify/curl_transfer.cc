#include "collector/notify/curl_transfer.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace forewarn::notify {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

int EndWhenCancelled(void* cancelled, curl_off_t, curl_off_t, curl_off_t,
                     curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

}  // namespace

void CurlList::Append(absl::string_view line) {
  std::string clean(line);
  clean.erase(std::remove_if(
                  clean.begin(), clean.end(),
                  [](char c) { return c == '\r' || c == '\n' || c == '\0'; }),
              clean.end());
  // On success libcurl hands back the head, which stays the same.
  curl_slist* head = curl_slist_append(list_.get(), clean.c_str());
  if (head != nullptr && head != list_.get()) list_.reset(head);
}

CurlTransfer::CurlTransfer(const std::atomic<bool>& cancelled,
                           absl::Duration timeout)
    : cancelled_(cancelled), handle_(curl_easy_init()) {
  CURL* curl = handle();
  if (curl == nullptr) return;
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(timeout)));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(
                       std::min(timeout, kConnectTimeout))));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, EndWhenCancelled);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA,
                   const_cast<std::atomic<bool>*>(&cancelled_));
}

absl::Status CurlTransfer::Perform() {
  if (cancelled_) return absl::CancelledError("cancelled");
  if (handle() == nullptr) {
    return absl::ResourceExhaustedError("libcurl: out of memory");
  }
  result_ = curl_easy_perform(handle());
  if (result_ == CURLE_OK) return absl::OkStatus();
  if (result_ == CURLE_ABORTED_BY_CALLBACK && cancelled_) {
    return absl::CancelledError("cancelled");
  }
  const absl::string_view detail = error_.data();
  return absl::UnavailableError(
      detail.empty() ? absl::string_view(curl_easy_strerror(result_)) : detail);
}

long CurlTransfer::ResponseCode() const {
  long code = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &code);
  return code;
}

}  // namespace forewarn::notify
