// Reports as programs read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/cli/report.h"
#include "tools/cli/run_outcome.h"

namespace tarn::cli {

// The report's facts under their own names; sizes in bytes.
[[nodiscard]] nlohmann::ordered_json report_json(const Report& report);

// The whole file that --report=FILE.json writes.
[[nodiscard]] std::string outcome_json(const RunOutcome& outcome);

// Indented, ends with a newline. Bytes that aren't UTF-8 become U+FFFD.
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& value);

}  // namespace tarn::cli
