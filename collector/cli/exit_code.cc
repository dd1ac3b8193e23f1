#include "collector/cli/exit_code.h"

namespace forewarn::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kSignIn;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kConflict;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kAborted:
      return ExitCode::kCheckFailed;
    default:
      return ExitCode::kFailure;
  }
}

absl::string_view NextStep(ExitCode code) {
  switch (code) {
    case ExitCode::kSignIn:
      return "sign in: put url, token and ca_file into the file that "
             "$FOREWARN_CONFIG names or ~/.config/forewarn/cli.yaml; "
             "`forewarn-collector init` writes the first one, an "
             "administrator makes more with `forewarn token create --kind "
             "api`";
    case ExitCode::kNotFound:
      return "list what there is, as with `forewarn endpoint list` or "
             "`forewarn ticket list --all`";
    case ExitCode::kConflict:
      return "look at its state with `forewarn ticket show ID`";
    case ExitCode::kUnreachable:
      return "see with `forewarn doctor` whether the collector runs and "
             "whether url and ca_file are right";
    default:
      return "";
  }
}

}  // namespace forewarn::cli
