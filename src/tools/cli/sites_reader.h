// Reads what a process says about its allocation sites (src/integrations/python/sites.h has the format). The process
// may be anything, so the text is hostile until it has been checked here; afterwards
//
//   every number is at most 2^53, and their sums over all sites fit into 64 bits
//   every frame that a site names is there
//   strings are any bytes, and at most as long as a line
#pragma once

#include <cstddef>
#include <string_view>

#include "tools/cli/sites_report.h"

namespace tarn::cli {

inline constexpr std::size_t sites_size_limit = std::size_t{96} * 1024 * 1024;

// Throws BadReport (report_reader.h).
[[nodiscard]] SitesReport read_sites(std::string_view text);

}  // namespace tarn::cli
