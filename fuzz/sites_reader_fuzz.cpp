// Any text whatever is either refused with a printable line, or read into sites that can be shown without a byte
// that isn't printable, and exported as valid JSON and without markup of the text's own.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/cli/report_json.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/sites_export.h"
#include "tools/cli/sites_reader.h"
#include "tools/cli/sites_text.h"

namespace {

using namespace tarn::cli;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

bool is_printable(std::string_view text) {
  for (const char character : text) {
    if (character != '\n' && (character < 0x20 || character > 0x7e)) {
      return false;
    }
  }
  return true;
}

void check_rendered(const SitesReport& report) {
  for (const SiteMeasure measure :
       {SiteMeasure::live, SiteMeasure::retained, SiteMeasure::allocated}) {
    require(
        is_printable(sites_text(report, {measure, 5, measure == SiteMeasure::live}, Style(false))));
    require(sites_flame(report, measure).find("<script") == std::string::npos);
  }
  require(nlohmann::json::accept(json_text(sites_json(report, SiteMeasure::live))));
  require(nlohmann::json::accept(sites_speedscope(report)));
  require(!sites_pprof(report).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check_rendered(read_sites(text));
  } catch (const BadReport& bad) {
    const std::string_view problem = bad.what();
    require(!problem.empty() && problem.size() < 400 && is_printable(problem) &&
            problem.find('\n') == std::string_view::npos);
  }
  return 0;
}
