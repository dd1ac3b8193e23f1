#ifndef FOREWARN_COLLECTOR_NOTIFY_CURL_TRANSFER_H_
#define FOREWARN_COLLECTOR_NOTIFY_CURL_TRANSFER_H_

#include <curl/curl.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::notify {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// A growing curl_slist. Lines must hold no line break: Append drops them.
class CurlList {
 public:
  void Append(absl::string_view line);
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, FreeList> list_;
};

// One use of libcurl: no signals, no proxies, no redirects, TLS 1.2 or newer,
// verified, a time limit, and an end within about a second once `cancelled`
// is set. main has called curl_global_init.
class CurlTransfer {
 public:
  // `cancelled` must outlive it.
  CurlTransfer(const std::atomic<bool>& cancelled, absl::Duration timeout);

  CURL* handle() const { return handle_.get(); }

  // Runs it. kUnavailable with the reason in libcurl's words, without the
  // URL; kCancelled. The caller looks at result() and ResponseCode() first
  // where it knows more.
  absl::Status Perform();
  CURLcode result() const { return result_; }
  long ResponseCode() const;

 private:
  struct Cleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  const std::atomic<bool>& cancelled_;
  const std::unique_ptr<CURL, Cleanup> handle_;
  CURLcode result_ = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_CURL_TRANSFER_H_
