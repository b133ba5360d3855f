// The private folder in which the processes of one run leave their reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tools/cli/environment.h"
#include "tools/cli/report.h"

namespace tarn::cli {

struct UnusableReport {
  std::uint64_t pid = 0;
  std::string problem;
};

struct CollectedReports {
  std::optional<Report> own;  // of the program's own process
  std::optional<UnusableReport> own_unusable;
  std::vector<Report> further;           // the largest peak of arenas first
  std::vector<UnusableReport> unusable;  // by process id
  std::size_t left_out = 0;              // reports that were not read: there were too many
};

// Made with mode 0700 in TMPDIR or /tmp, and removed with all it holds. What lies in it was put there
// by the program, so nothing in it is followed, waited for or believed.
class ReportFolder {
 public:
  explicit ReportFolder(const Environment& environment);  // throws Failure
  ~ReportFolder();
  ReportFolder(const ReportFolder&) = delete;
  ReportFolder& operator=(const ReportFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] CollectedReports collect(pid_t own) const;
  // What the process recorded of its allocation sites, unchecked; nothing if it left nothing.
  [[nodiscard]] std::optional<std::string> sites_of(pid_t pid) const;

 private:
  std::string path_;
};

}  // namespace tarn::cli
