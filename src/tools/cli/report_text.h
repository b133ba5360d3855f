// Reports as people read them: in 80 columns.
#pragma once

#include <string>

#include "tools/cli/console.h"
#include "tools/cli/report.h"
#include "tools/cli/run_outcome.h"

namespace tarn::cli {

// Arenas, pools and blocks by state, then the size classes that have pools; or one line with the
// reason when Tarn was off. Ends with a newline.
[[nodiscard]] std::string report_text(const Report& report, const Style& style);

// The report of the program's own process, or why there is none, and a line for each further process.
[[nodiscard]] std::string outcome_text(const RunOutcome& outcome, const Style& style);

}  // namespace tarn::cli
