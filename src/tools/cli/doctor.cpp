// tarn doctor: can this Python live on Tarn, and what is in the way?

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/diagnosis.h"
#include "tools/cli/executable.h"
#include "tools/cli/failure.h"
#include "tools/cli/library.h"
#include "tools/cli/program.h"
#include "tools/cli/report_folder.h"
#include "tools/cli/report_json.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn doctor",
    "Say whether a Python can live on Tarn, by which hook, and what is in the way.",
    {"tarn doctor [OPTION...] [PYTHON]"},
    R"(PYTHON is a path, or a name in PATH. It is asked what it is, and then run on
Tarn once, with the environment as it is.

The exit status is 0 when it can, 1 when it can't, 127 when there is no such
Python, 2 for a wrong argument.

Examples:
  tarn doctor
  tarn doctor --json /usr/bin/python3.11)"};

constexpr std::size_t most_messages = 5;

std::optional<std::uint64_t> address_space_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::nullopt;
  }
  return limit.rlim_cur;
}

// Runs the Python on Tarn with the environment as it is, but without site-packages: what matters is
// whether it can, not what is installed.
void try_on_tarn(const Program& python, Findings& findings) {
  const ReportFolder folder(python.environment);
  Program program = python;
  program.argv = {python.argv.front(), "-S", "-c", "pass"};
  preload(program.environment, findings.library);
  program.environment.set("TARN_REPORT_DIR", folder.path());
  const CaptureLimits limits;
  const Captured captured = capture(program, limits);

  // The one process of it that reported; a Python behind a wrapper script is not the process started.
  CollectedReports reports = folder.collect(0);
  if (captured.end != Captured::End::by_itself) {
    findings.trial_problem = describe_failure(captured, limits);
  } else if (!reports.further.empty()) {
    findings.trial = std::move(reports.further.front());
  } else if (!reports.unusable.empty()) {
    findings.trial_problem =
        fmt::format("its report can't be used: {}", reports.unusable.front().problem);
  } else if (captured.wait_status != 0) {
    findings.trial_problem = describe_failure(captured, limits);
  } else {
    findings.trial_problem = "it left no report: the hook was not loaded, or took it for no Python";
  }
  for (const std::string_view line : lines_of(captured.errors)) {
    const bool is_known = findings.trial && !findings.trial->on &&
                          line.find(findings.trial->reason) != std::string_view::npos;
    if (is_known) {
      continue;
    }
    if (findings.trial_messages.size() == most_messages) {
      break;
    }
    findings.trial_messages.push_back(shorten(escape(line.substr(0, 400)), 160));
  }
}

Findings find(const std::string& name) {
  Program python;
  python.environment = Environment::of_this_process();
  python.argv = {name};
  python.path = find_program(name, search_path(python.environment));

  Findings findings;
  findings.python = python.path;
  findings.pythonmalloc = python.environment.get("PYTHONMALLOC");
  findings.pythondevmode = python.environment.get("PYTHONDEVMODE");
  findings.address_space_limit = address_space_limit();
  findings.probe = probe_python(python, CaptureLimits{});
  if (!findings.probe.facts) {
    findings.preload_obstacle = preload_obstacle(python.path);
  } else {
    // A wrapper script may stand between the file that was named and the one that runs.
    const std::string& executable = findings.probe.facts->executable;
    findings.preload_obstacle = preload_obstacle(executable.empty() ? python.path : executable);
  }
  try {
    findings.library = find_library(python.environment);
  } catch (const Failure& failure) {
    findings.library_problem = failure.what();
  }
  if (findings.probe.facts && !findings.library.empty()) {
    try_on_tarn(python, findings);
  }
  return findings;
}

}  // namespace

int doctor(const std::vector<std::string>& words) {
  std::string python = "python3";
  bool as_json = false;
  CommandLine line(command_text);
  line.options().add_option("PYTHON", python, "the Python to examine (default: python3)");
  line.options().add_flag("--json", as_json, "print the findings as JSON");
  if (!line.parse(words)) {
    return 0;
  }
  const Findings findings = find(python);
  const Diagnosis diagnosis = diagnose(findings);
  print(as_json ? json_text(diagnosis_json(findings, diagnosis))
                : diagnosis_text(diagnosis, Style(wants_colour(STDOUT_FILENO))));
  return diagnosis.can_live ? 0 : exit_failure;
}

}  // namespace tarn::cli
