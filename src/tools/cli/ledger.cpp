// tarn ledger: where a process's resident memory is.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/control_answer.h"
#include "tools/cli/control_client.h"
#include "tools/cli/failure.h"
#include "tools/cli/ledger_lines.h"
#include "tools/cli/memory_map.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn ledger",
    "Show where the resident memory of a process on Tarn is, line by line.",
    {"tarn ledger [OPTION...] PID"},
    R"(The lines add up to what the kernel reports. A block is as large as its size
class: how much of it the program asked for isn't known. Python stands still
while its heap is walked: 0.1 to 0.2 s for a GiB.

The exit status is 0 when it could be shown, 1 when the process can't be
reached, 2 for a wrong argument.

Examples:
  tarn ledger 4711
  tarn ledger --json 4711)"};

// The process runs on between its answer and the look at its mappings: another time may be better.
constexpr int most_looks = 4;
constexpr std::int64_t parts_that_may_drift = 200;

struct Look {
  Report report;
  Ledger ledger;
};

Look look_at(const Target& target) {
  Look look;
  try {
    look.report = read_statistics(ask(target, "statistics"));
  } catch (const BadAnswer& bad) {
    throw Failure(exit_failure, fmt::format("process {} ({}): its answer can't be used: {}",
                                            target.pid, target.name, bad.what()));
  }
  try {
    look.ledger =
        make_ledger(look.report, read_memory_map(read_process_file(target.pid, "smaps")),
                    stack_pointers(target.pid), [&](std::uint64_t start, std::uint64_t end) {
                      return resident_between(target.pid, start, end);
                    });
  } catch (const BadMap& bad) {
    throw Failure(exit_failure, fmt::format("process {}: {}", target.pid, bad.what()));
  }
  return look;
}

}  // namespace

int ledger(const std::vector<std::string>& words) {
  std::string word;
  bool as_json = false;
  CommandLine line(command_text);
  line.options().add_option("PID", word, "the process");
  line.options().add_flag("--json", as_json, "print the figures as JSON, in bytes");
  if (!line.parse(words)) {
    return 0;
  }
  if (word.empty()) {
    throw UsageError("tarn ledger", "no process id");
  }
  const Target target = find_target(read_process_id(word, "tarn ledger"));
  Look look = look_at(target);
  for (int i = 1; i < most_looks; ++i) {
    const auto resident = static_cast<std::int64_t>(look.ledger.resident);
    if (std::llabs(look.ledger.drift) <= resident / parts_that_may_drift) {
      break;
    }
    look = look_at(target);
  }
  print(as_json ? ledger_json(look.ledger, look.report)
                : ledger_text(look.ledger, look.report, Style(wants_colour(STDOUT_FILENO))));
  return 0;
}

}  // namespace tarn::cli
