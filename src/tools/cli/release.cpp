// tarn release: has a process give back all memory that can go, now.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/control_answer.h"
#include "tools/cli/control_client.h"
#include "tools/cli/failure.h"
#include "tools/cli/report_json.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn release",
    "Have a process on Tarn give back all memory that can go, now.",
    {"tarn release [OPTION...] PID"},
    R"(Every page without a live block goes back to the system. Meanwhile the
process goes on: it waits for some milliseconds at a time.

The exit status is 0 when it did, 1 when the process can't be reached, 2 for a
wrong argument.

Examples:
  tarn release 4711
  tarn release --json 4711)"};

}  // namespace

int release(const std::vector<std::string>& words) {
  std::string word;
  bool as_json = false;
  CommandLine line(command_text);
  line.options().add_option("PID", word, "the process");
  line.options().add_flag("--json", as_json, "print the figures as JSON, in bytes");
  if (!line.parse(words)) {
    return 0;
  }
  if (word.empty()) {
    throw UsageError("tarn release", "no process id");
  }
  const Target target = find_target(read_process_id(word, "tarn release"));
  expect_on_tarn(target);
  const std::uint64_t before = resident_bytes(target.pid);
  std::uint64_t released = 0;
  try {
    released = read_released(ask(target, "release"));
  } catch (const BadAnswer& bad) {
    throw Failure(exit_failure, fmt::format("process {} ({}): its answer can't be used: {}",
                                            target.pid, target.name, bad.what()));
  }
  const std::uint64_t after = resident_bytes(target.pid);
  if (as_json) {
    const nlohmann::ordered_json json = {{"pid", target.pid},
                                         {"released", released},
                                         {"resident_before", before},
                                         {"resident_after", after}};
    print(json_text(json));
  } else {
    print(fmt::format("process {} ({}): resident {} before, {} after; {} of addresses given back\n",
                      target.pid, target.name, bytes_text(before), bytes_text(after),
                      bytes_text(released)));
  }
  return 0;
}

}  // namespace tarn::cli
