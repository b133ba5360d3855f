#include "tools/cli/report_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "tools/cli/failure.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/sites_reader.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// A run of a build may start 100,000 processes. The rest is counted, not read.
constexpr std::size_t most_reports = 4096;

// The process id that a report's file is named by; 0 for a name that is no such thing.
std::uint64_t pid_of(std::string_view name) {
  std::uint64_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  const bool is_whole = error == std::errc() && end == name.data() + name.size();
  return is_whole && pid <= 0x7fffffff && name.front() != '0' ? pid : 0;
}

// Throws BadReport.
std::string read_file(int folder, const char* name, std::size_t size_limit = report_size_limit) {
  // O_NONBLOCK: a FIFO placed here must not make tarn wait for a writer.
  const int file = ::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) {
    throw BadReport(std::strerror(errno));
  }
  struct stat status;
  int error = ::fstat(file, &status) == 0 ? 0 : errno;
  const bool is_regular = error == 0 && S_ISREG(status.st_mode);
  std::string text;
  if (is_regular) {
    // One byte over the limit is enough for the reader to see that it is too long.
    text.resize(std::min(static_cast<std::size_t>(status.st_size), size_limit) + 1);
  }
  std::size_t size = 0;
  while (error == 0 && size < text.size()) {
    const ssize_t got = ::read(file, text.data() + size, text.size() - size);
    if (got == 0) {
      break;
    }
    if (got < 0) {
      error = errno == EINTR ? 0 : errno;
    } else {
      size += static_cast<std::size_t>(got);
    }
  }
  ::close(file);
  if (error != 0) {
    throw BadReport(std::strerror(error));
  }
  if (!is_regular) {
    throw BadReport("not a regular file");
  }
  text.resize(size);
  return text;
}

Report read_report_of(int folder, std::uint64_t pid) {
  Report report = read_report(read_file(folder, std::to_string(pid).c_str()));
  if (report.pid != pid) {
    throw BadReport(fmt::format("it says that it is of process {}", report.pid));
  }
  return report;
}

}  // namespace

ReportFolder::ReportFolder(const Environment& environment) {
  std::string base = environment.get("TMPDIR").value_or("");
  if (base.empty()) {
    base = "/tmp";
  }
  std::error_code error;
  path_ = (std::filesystem::absolute(base, error) / "tarn-report-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) {
    throw Failure(exit_failure, fmt::format("can't make a folder for reports in {}: {}",
                                            escape(base), std::strerror(errno)));
  }
}

ReportFolder::~ReportFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::optional<std::string> ReportFolder::sites_of(pid_t pid) const {
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) {
    return std::nullopt;
  }
  std::optional<std::string> text;
  try {
    text = read_file(folder, fmt::format("{}.sites", pid).c_str(), sites_size_limit);
  } catch (const BadReport&) {
    // It left none.
  }
  ::close(folder);
  return text;
}

CollectedReports ReportFolder::collect(pid_t own) const {
  CollectedReports collected;
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) {
    return collected;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder), ::closedir);
  if (!entries) {
    ::close(folder);
    return collected;
  }

  std::vector<std::uint64_t> pids;
  while (const dirent* entry = ::readdir(entries.get())) {
    if (const std::uint64_t pid = pid_of(entry->d_name); pid != 0) {
      pids.push_back(pid);
    }
  }
  // The program's own first: it is read however many there are.
  std::ranges::sort(pids, {}, [&](std::uint64_t pid) {
    return std::pair(pid != static_cast<std::uint64_t>(own), pid);
  });
  if (pids.size() > most_reports) {
    collected.left_out = pids.size() - most_reports;
    pids.resize(most_reports);
  }

  for (const std::uint64_t pid : pids) {
    const bool is_own = pid == static_cast<std::uint64_t>(own);
    try {
      Report report = read_report_of(folder, pid);
      if (is_own) {
        collected.own = std::move(report);
      } else {
        collected.further.push_back(std::move(report));
      }
    } catch (const BadReport& bad) {
      UnusableReport unusable{pid, bad.what()};
      if (is_own) {
        collected.own_unusable = std::move(unusable);
      } else {
        collected.unusable.push_back(std::move(unusable));
      }
    }
  }
  std::ranges::stable_sort(collected.further, std::greater{}, &Report::arenas_peak);
  return collected;
}

}  // namespace tarn::cli
