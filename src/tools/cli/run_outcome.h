// What a run with --report has to tell, once the program has ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/cli/report_folder.h"
#include "tools/cli/sites_report.h"

namespace tarn::cli {

struct RunOutcome {
  std::vector<std::string> command;
  std::uint64_t pid = 0;
  int wait_status = 0;
  CollectedReports reports;
  std::optional<SitesReport> sites;  // of the program's own process, if it recorded them
  std::string no_report;  // why there is none of the program's own process; empty when there is
};

// `obstacle`: why nothing could be preloaded, if so. `has_python`: whether the program's file has
// Python in it.
[[nodiscard]] std::string why_no_report(const CollectedReports& reports, int wait_status,
                                        const std::optional<std::string>& obstacle,
                                        bool has_python);

}  // namespace tarn::cli
