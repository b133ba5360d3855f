// Any text whatever is either refused with a printable line, or read into a Report that both renderers
// can show without a byte that isn't printable, and that is valid JSON.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/cli/report_json.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/report_text.h"

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

void check_rendered(const Report& report) {
  require(is_printable(report_text(report, Style(false))));
  RunOutcome outcome;
  outcome.command = {"python3"};
  outcome.reports.further = {report, report};
  outcome.no_report = "it is not a Python";
  require(is_printable(outcome_text(outcome, Style(false))));
  outcome.reports.own = report;
  require(nlohmann::json::accept(outcome_json(outcome)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check_rendered(read_report(text));
  } catch (const BadReport& bad) {
    const std::string_view problem = bad.what();
    require(!problem.empty() && problem.size() < 400 && is_printable(problem) &&
            problem.find('\n') == std::string_view::npos);
  }
  return 0;
}
