// Allocation sites for other tools.
#pragma once

#include <string>

#include "tools/cli/sites_report.h"

namespace tarn::cli {

// A profile of pprof's: profile.proto, compressed by gzip. Its sample types are those of Go's heap profiles:
// alloc_objects, alloc_space, inuse_objects, inuse_space.
[[nodiscard]] std::string sites_pprof(const SitesReport& report);

// A file of speedscope's, with a profile for live bytes and one for all allocated.
[[nodiscard]] std::string sites_speedscope(const SitesReport& report);

// A flame graph as an SVG image that needs nothing else: the outermost frame at the bottom, as wide as what was
// allocated below it. Whatever a program named is escaped. Narrower than a third of a pixel isn't drawn.
[[nodiscard]] std::string sites_flame(const SitesReport& report, SiteMeasure measure);

}  // namespace tarn::cli
