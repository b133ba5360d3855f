// Allocation sites for people, in 80 columns, and for programs.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/cli/console.h"
#include "tools/cli/sites_report.h"

namespace tarn::cli {

struct SitesView {
  SiteMeasure measure = SiteMeasure::live;
  std::size_t top = 20;   // rows
  bool by_stack = false;  // a row for each stack, with its frames; else one for each innermost line
};

// Ends with a newline.
[[nodiscard]] std::string sites_text(const SitesReport& report, const SitesView& view,
                                     const Style& style);

// All sites, the largest first.
[[nodiscard]] nlohmann::ordered_json sites_json(const SitesReport& report, SiteMeasure measure);

}  // namespace tarn::cli
