#include "tools/cli/run_outcome.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include "tools/cli/process.h"

namespace tarn::cli {

std::string why_no_report(const CollectedReports& reports, int wait_status,
                          const std::optional<std::string>& obstacle, bool has_python) {
  if (reports.own) {
    return "";
  }
  if (reports.own_unusable) {
    return fmt::format("what it left can't be used ({})", reports.own_unusable->problem);
  }
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("it was ended by {}, and a process writes its report when it exits",
                       signal_name(WTERMSIG(wait_status)));
  }
  if (obstacle) {
    return *obstacle;
  }
  if (!has_python) {
    return "it is not a Python";
  }
  return "it ended without Python's own exit, by os._exit or by starting another program in its "
         "place";
}

}  // namespace tarn::cli
