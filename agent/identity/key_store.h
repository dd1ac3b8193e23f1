#ifndef FOREWARN_AGENT_IDENTITY_KEY_STORE_H_
#define FOREWARN_AGENT_IDENTITY_KEY_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/base/files.h"

namespace forewarn::agent {

// Who this endpoint is and whom it trusts.
struct Identity {
  std::string key_pem;
  std::string certificate_pem;
  std::string ca_pem;  // the only trust anchor
  std::string endpoint_id;
  std::vector<std::string> collectors;  // host:port of the stream, in order
  std::vector<std::string> urls;        // https://host:port, for renewal
  absl::Time not_before;                // of the certificate
  absl::Time not_after;
};

// The identity's files in the state folder (0700; files 0600):
//
//   agent.pem        key and certificate, in one file so that a renewal
//                    replaces both at once
//   ca.pem           the collector's CA
//   enrollment.json  endpoint id, collectors, urls
//
// Thread-safe: files are only ever replaced as a whole.
class KeyStore {
 public:
  // `files` must outlive it.
  KeyStore(base::Files& files, std::string folder);

  // Makes the folder. kFailedPrecondition when it is a symbolic link, belongs
  // to another user, or others may read it or write to it.
  absl::Status Prepare();

  // Whether an enrolment was stored, readable or not.
  bool enrolled() const;

  // kNotFound before enrolment; kDataLoss when the files do not fit together.
  absl::StatusOr<Identity> Load() const;

  // Stores an enrolment. agent.pem comes last: until then the one before
  // counts.
  absl::Status Save(const Identity& identity);

  // Replaces key and certificate only.
  absl::Status SaveRenewal(const std::string& key_pem,
                           const std::string& certificate_pem);

  const std::string& folder() const { return folder_; }

 private:
  std::string PathOf(absl::string_view name) const;

  base::Files& files_;
  const std::string folder_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_KEY_STORE_H_
