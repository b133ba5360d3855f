#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/cli/report_json.h"
#include "tools/cli/sites_export.h"

namespace tarn::cli {
namespace {

using Json = nlohmann::ordered_json;

Json profile_of(const SitesReport& report, const char* name, SiteMeasure measure,
                std::size_t first_stackless) {
  Json samples = Json::array();
  Json weights = Json::array();
  std::uint64_t sum = 0;
  for (const AllocationSite& site : report.sites) {
    const std::uint64_t weight = measure_of(site, measure);
    if (weight == 0) {
      continue;
    }
    // The outermost frame first.
    Json stack = std::vector<std::uint32_t>(site.frames.rbegin(), site.frames.rend());
    if (site.frames.empty()) {
      stack.push_back(first_stackless +
                      static_cast<std::size_t>(&site - report.sites.data() == 1 ? 1 : 0));
    }
    samples.push_back(std::move(stack));
    weights.push_back(weight);
    sum += weight;
  }
  return {{"type", "sampled"},
          {"name", name},
          {"unit", "bytes"},
          {"startValue", 0},
          {"endValue", sum},
          {"samples", std::move(samples)},
          {"weights", std::move(weights)}};
}

}  // namespace

std::string sites_speedscope(const SitesReport& report) {
  Json frames = Json::array();
  for (const SiteFrame& frame : report.frames) {
    frames.push_back({{"name", clean_utf8(frame.function)},
                      {"file", clean_utf8(frame.file)},
                      {"line", frame.line}});
  }
  for (const std::size_t stackless : {0U, 1U}) {
    frames.push_back({{"name", stackless_text(report, report.sites[stackless])}});
  }
  const std::size_t first = report.frames.size();
  Json json = {{"$schema", "https://www.speedscope.app/file-format-schema.json"},
               {"exporter", "tarn"},
               {"name", fmt::format("{} (process {})", report.program, report.pid)},
               {"activeProfileIndex", 0}};
  json["shared"]["frames"] = std::move(frames);
  json["profiles"] = {profile_of(report, "live", SiteMeasure::live, first),
                      profile_of(report, "allocated", SiteMeasure::allocated, first)};
  return json_text(json);
}

}  // namespace tarn::cli
