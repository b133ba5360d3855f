// Reads a report that a process left. The process may have been anything, so the text is hostile
// until it has been checked here; whoever renders a Report relies on that:
//
//   every count is at most 2^53, so that it survives any reader of JSON
//   every count times its size in bytes is at most 2^56, so that they can be multiplied and added up
//   every string is printable ASCII and no longer than a line
//
// The format, one fact a line, in any order between the first line and the last:
//
//   tarn-report 1
//   pid 4711
//   ...
//   class obj 3 64 12 80 20000 400 100
//   end
//
// A fact that this version doesn't know is passed over; one that occurs twice is refused.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "tools/cli/report.h"

namespace tarn::cli {

inline constexpr std::size_t report_size_limit = 256 * 1024;
inline constexpr std::size_t report_line_limit = 4096;
inline constexpr std::uint64_t report_count_limit = std::uint64_t{1} << 53;
inline constexpr std::uint64_t report_bytes_limit = std::uint64_t{1} << 56;

// "line 7: pools_used: '-1' is not a number". Has no byte of the text in it that isn't escaped.
class BadReport : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The last line is missing: the process ended, or was ended, while it wrote.
class IncompleteReport : public BadReport {
 public:
  IncompleteReport() : BadReport("incomplete: the process ended while writing it") {}
};

// Throws BadReport.
[[nodiscard]] Report read_report(std::string_view text);

}  // namespace tarn::cli
