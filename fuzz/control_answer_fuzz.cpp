// Any text whatever as the answer of a process and, behind a zero byte, as its mappings: either refused with a
// printable line, or made into a ledger whose lines add up, printable and valid JSON; or into
// a screen of tarn top that fits.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/cli/control_answer.h"
#include "tools/cli/ledger_lines.h"
#include "tools/cli/memory_map.h"
#include "tools/cli/pulse_answer.h"
#include "tools/cli/top_figures.h"
#include "tools/cli/top_layout.h"

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

void check_refusal(std::string_view problem) {
  require(!problem.empty() && problem.size() < 400 && is_printable(problem) &&
          problem.find('\n') == std::string_view::npos);
}

void check_ledger(const Report& report, std::string_view smaps) {
  const Ledger ledger =
      make_ledger(report, read_memory_map(smaps), {0x1000, 0x7ffd00001000},
                  [](std::uint64_t start, std::uint64_t end) { return end - start; });
  std::int64_t sum = 0;
  for (const LedgerLine& line : ledger.lines) {
    sum += line.bytes;
  }
  require(static_cast<std::uint64_t>(sum) == ledger.resident);
  require(ledger.page_floor <= ledger.resident);
  require(is_printable(ledger_text(ledger, report, Style(false))));
  require(nlohmann::json::accept(ledger_json(ledger, report)));
}

void check_screen(const Pulse& pulse) {
  TopHistory history;
  history.add_resident(1, 4096);
  history.add_pulse(1, pulse);
  history.add_pulse(2, pulse);
  const TopFigures figures = history.figures(TopOrder::live);
  const std::vector<ScreenLine> lines = lay_out(figures, {}, 80, 24, Glyphs::ascii);
  require(lines.size() == 24);
  for (const ScreenLine& line : lines) {
    require(columns_of(line) <= 80 && is_printable(text_of(line)));
  }
  require(is_printable(line_of(figures, {})));
  require(nlohmann::json::accept(json_line_of(figures, {})));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view answer = text.substr(0, text.find('\0'));
  const std::string_view smaps = text.substr(std::min(answer.size() + 1, text.size()));
  static_cast<void>(stage_of(answer));
  try {
    static_cast<void>(read_released(answer));
  } catch (const BadAnswer& bad) {
    check_refusal(bad.what());
  }
  try {
    check_ledger(read_statistics(answer), smaps);
  } catch (const BadAnswer& bad) {
    check_refusal(bad.what());
  } catch (const BadMap& bad) {
    check_refusal(bad.what());
  }
  try {
    check_screen(read_pulse(answer));
  } catch (const BadAnswer& bad) {
    check_refusal(bad.what());
  }
  return 0;
}
