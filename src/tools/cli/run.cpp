// tarn run: start a program with its memory on Tarn.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/executable.h"
#include "tools/cli/failure.h"
#include "tools/cli/library.h"
#include "tools/cli/pending_file.h"
#include "tools/cli/process.h"
#include "tools/cli/program.h"
#include "tools/cli/report_folder.h"
#include "tools/cli/report_json.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/report_text.h"
#include "tools/cli/run_arguments.h"
#include "tools/cli/sites_reader.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn run",
    "Run a program with its memory on Tarn.",
    {"tarn run [OPTION...] [--] COMMAND [ARGUMENT...]",
     "tarn run [OPTION...] [PYTHON-OPTION...] FILE.py [ARGUMENT...]",
     "tarn run [OPTION...] [PYTHON-OPTION...] -m MODULE | -c CODE [ARGUMENT...]"},
    R"(The last two forms run python3, or what --python says; a PYTHON-OPTION is one of
its options of one letter, such as -u or -X dev. Any Python that COMMAND
starts lives on Tarn too. What stands behind COMMAND is COMMAND's.

The exit status is the program's own; 127 when there is no such program, 126 if
it can't be executed, 2 for a wrong argument.

Examples:
  tarn run app.py --port 8000
  tarn run --report -m json.tool big.json
  tarn run --snapshot-at=peak app.py
  tarn run --report=memory.json python3 -X dev app.py)"};

constexpr std::size_t longest_path = 1024;  // of the library's

struct Options {
  bool report = false;
  std::string report_file;  // empty: the report goes to standard error
  std::string python;
  std::string geometry;
  std::string checks;
  bool raw = false;
  std::string gc;
  bool quiet = false;
  std::string snapshot_at;
  std::string snapshot_signal;
  std::string snapshot_file;
  bool snapshot_values = false;
  std::string sites_rate;  // bytes; empty: nothing is recorded
  std::string sites_file;
};

// As src/integrations/python/settings.cpp reads it.
std::string check_snapshot_time(const std::string& word) {
  constexpr std::string_view every = "every=";
  if (word == "exit" || word == "peak") {
    return "";
  }
  constexpr double least = 0.1;
  constexpr double most = 86400;
  double seconds = 0;
  const std::string_view number =
      std::string_view(word).substr(std::min(word.size(), every.size()));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), seconds,
                                            std::chars_format::fixed);
  if (!word.starts_with(every) || error != std::errc() || end != number.data() + number.size() ||
      !(seconds >= least && seconds <= most)) {
    return fmt::format("'{}' is not one of exit, peak, every=SECONDS (0.1 to 86400)", escape(word));
  }
  return "";
}

struct Parsed {
  Options options;
  RunArguments arguments;
};

// "512K" as bytes in digits.
std::string read_rate(const std::string& word) {
  if (word.empty()) {
    return "524288";
  }
  constexpr std::uint64_t largest = std::uint64_t{1} << 40U;
  std::uint64_t bytes = 0;
  const char* const end = word.data() + word.size();
  auto [stop, error] = std::from_chars(word.data(), end, bytes);
  if (error == std::errc() && stop + 1 == end) {
    const std::size_t power = std::string_view("KMG").find(*stop);
    if (power != std::string_view::npos && bytes <= largest) {
      bytes <<= 10 * (power + 1);
      ++stop;
    }
  }
  if (error != std::errc() || stop != end || bytes == 0 || bytes > largest) {
    throw UsageError(
        "tarn run", fmt::format("--sites: '{}' is no number of bytes, such as 512K", escape(word)));
  }
  return std::to_string(bytes);
}

// Nothing when help was asked for.
std::optional<Parsed> parse(const std::vector<std::string>& words) {
  Parsed parsed;
  Options& options = parsed.options;
  CommandLine line(command_text);
  CLI::App& app = line.options();
  // Without a value behind "=", the splitter never leaves a word behind it that could be taken for one.
  CLI::Option* report =
      app.add_option("--report", options.report_file,
                     "at exit, tell what the allocator did: on standard error,\nor as JSON in FILE")
          ->option_text("[=FILE]")
          ->expected(0, 1);
  app.add_option("--python", options.python, "for FILE.py, -m and -c (default: python3)")
      ->option_text("=PATH");
  line.add_choice("--geometry", options.geometry,
                  "tarn (the default), classic or modern: the sizes of\narenas, pools and blocks",
                  {"tarn", "classic", "modern"});
  line.add_choice("--checks", options.checks,
                  "none (the default), or debug: find writes out of\nbounds, double frees and "
                  "their kind, and abort",
                  {"none", "debug"});
  app.add_flag("--raw", options.raw, "the raw domain too: what Python allocates without its lock");
  line.add_choice("--gc", options.gc,
                  "adaptive (the default), or stock: collections of cycles\nstart by what the "
                  "heap does, or at CPython's pace",
                  {"adaptive", "stock"});
  app.add_option(
         "--snapshot-at", options.snapshot_at,
         "exit, peak or every=SECONDS: write what is in the\nheap to PROGRAM.PID.tarn.sqlite")
      ->option_text("=WHEN")
      ->check(check_snapshot_time);
  line.add_choice("--snapshot-signal", options.snapshot_signal,
                  "USR1, USR2 or HUP: a snapshot at each such signal", {"USR1", "USR2", "HUP"});
  app.add_option("--snapshot-file", options.snapshot_file,
                 "another file for snapshots, or a folder; a file that is\nthere is added to")
      ->option_text("=FILE");
  app.add_flag("--snapshot-values", options.snapshot_values,
               "with short texts of strings, bytes and numbers in them");
  std::string rate;
  CLI::Option* sites =
      app.add_option("--sites", rate,
                     "record where blocks are allocated, one in so many bytes\n(512K; 1: every "
                     "block), for 'tarn sites' and --report")
          ->option_text("[=RATE]")
          ->expected(0, 1);
  app.add_option("--sites-file", options.sites_file,
                 "the same, and write it into FILE at exit, for 'tarn sites'")
      ->option_text("=FILE");
  app.add_flag("--quiet", options.quiet, "no messages from Tarn, but for the report");

  parsed.arguments =
      split_run_arguments(words, [&](std::string_view name) { return line.takes_value(name); });
  if (!line.parse(parsed.arguments.options)) {
    return std::nullopt;
  }
  options.report = report->count() > 0;
  if (sites->count() > 0 || !options.sites_file.empty()) {
    options.sites_rate = read_rate(rate);
  }
  if (parsed.arguments.command.empty() && parsed.arguments.form != CommandForm::python_only) {
    throw UsageError("tarn run", "no command to run");
  }
  return parsed;
}

// The words to execute: those given, behind a Python and its options if they are for one.
std::vector<std::string> words_to_execute(const Options& options, const RunArguments& arguments,
                                          const std::string& path) {
  bool for_python = arguments.form == CommandForm::python_source ||
                    arguments.form == CommandForm::python_only || !arguments.python_options.empty();
  if (arguments.form == CommandForm::word && !for_python) {
    for_python = is_for_python(arguments.command.front(), path);
  }
  if (!for_python) {
    if (!options.python.empty()) {
      throw UsageError(
          "tarn run",
          fmt::format("--python is for Python files, -m and -c, not for the command '{}'",
                      escape(arguments.command.front())));
    }
    return arguments.command;
  }
  std::vector<std::string> words{options.python.empty() ? "python3" : options.python};
  words.insert(words.end(), arguments.python_options.begin(), arguments.python_options.end());
  words.insert(words.end(), arguments.command.begin(), arguments.command.end());
  return words;
}

// The program may change its folder, so its file's is named here.
void set_snapshot_variables(Environment& environment, const Options& options) {
  if (options.snapshot_at.empty() && options.snapshot_signal.empty()) {
    if (!options.snapshot_file.empty() || options.snapshot_values) {
      throw UsageError("tarn run", fmt::format("{} is for --snapshot-at or --snapshot-signal",
                                               options.snapshot_values ? "--snapshot-values"
                                                                       : "--snapshot-file"));
    }
    return;
  }
  namespace fs = std::filesystem;
  std::error_code error;
  const std::string file = options.snapshot_file.empty() ? "." : options.snapshot_file;
  std::string path = fs::absolute(file, error).lexically_normal().string();
  if (fs::is_directory(path, error) && !path.ends_with('/')) {
    path += '/';
  }
  const fs::path folder = path.ends_with('/') ? fs::path(path) : fs::path(path).parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Failure(exit_usage, fmt::format("can't write snapshots to {}: {}", escape(path),
                                          std::strerror(errno)));
  }
  const fs::path command = fs::read_symlink("/proc/self/exe", error);
  if (path.size() >= longest_path || command.string().size() >= longest_path) {
    throw Failure(exit_usage, "the path of the snapshots' file is too long");
  }
  environment.set("TARN_SNAPSHOT_FILE", path);
  environment.set("TARN_SNAPSHOT_TOOL", command.string());
  if (options.snapshot_values) {
    environment.set("TARN_SNAPSHOT_VALUES", "1");
  }
  if (!options.snapshot_at.empty()) {
    environment.set("TARN_SNAPSHOT", options.snapshot_at);
  }
  if (!options.snapshot_signal.empty()) {
    environment.set("TARN_SNAPSHOT_SIGNAL", options.snapshot_signal);
  }
}

// The contract with the library: what it reads in its constructor.
void set_tarn_variables(Environment& environment, const Options& options) {
  if (!options.geometry.empty()) {
    environment.set("TARN_GEOMETRY", options.geometry);
  }
  if (!options.checks.empty()) {
    environment.set("TARN_CHECKS", options.checks);
  }
  if (!options.gc.empty()) {
    environment.set("TARN_GC", options.gc);
  }
  if (options.quiet) {
    environment.set("TARN_QUIET", "1");
  }
  if (!options.sites_rate.empty()) {
    environment.set("TARN_SITES", options.sites_rate);
  }
  if (options.raw) {
    environment.set("TARN_RAW", "on");
  }
  set_snapshot_variables(environment, options);
}

// And end as the program did, whatever comes of it.
void keep_sites(PendingFile& file, const std::optional<std::string>& sites,
                const Options& options) {
  if (!sites) {
    complain(fmt::format("{} isn't written: the program left no record of its sites",
                         escape(options.sites_file)));
    return;
  }
  try {
    file.commit(*sites);
  } catch (const Failure& failure) {
    complain(failure.what());
  }
}

int run_with_report(Program& program, const Options& options,
                    const std::optional<std::string>& obstacle) {
  std::unique_ptr<PendingFile> file;
  if (!options.report_file.empty()) {
    file = std::make_unique<PendingFile>(options.report_file);
  }
  std::unique_ptr<PendingFile> sites_file;
  if (!options.sites_file.empty()) {
    sites_file = std::make_unique<PendingFile>(options.sites_file);
  }
  std::optional<std::string> sites;
  RunOutcome outcome;
  outcome.command = program.argv;
  {
    const HeldSignals signals;  // before there is a folder to remove
    const ReportFolder folder(program.environment);
    program.environment.set("TARN_REPORT_DIR", folder.path());
    const pid_t child = spawn(program, signals);
    // The reader of standard error may go; the program's status has to get through all the same.
    ::signal(SIGPIPE, SIG_IGN);
    outcome.pid = static_cast<std::uint64_t>(child);
    outcome.wait_status = wait_and_pass_signals(child, signals);
    outcome.reports = folder.collect(child);
    if (!options.sites_rate.empty()) {
      sites = folder.sites_of(child);
    }
  }
  outcome.no_report =
      why_no_report(outcome.reports, outcome.wait_status, obstacle, contains_python(program.path));
  if (sites_file) {
    keep_sites(*sites_file, sites, options);
  }
  if (sites) {
    try {
      outcome.sites = read_sites(*sites);
    } catch (const BadReport& bad) {
      complain(fmt::format("what process {} recorded of its sites can't be used: {}", outcome.pid,
                           bad.what()));
    }
  }
  if (!options.report) {
    return end_as(outcome.wait_status);
  }
  if (file) {
    try {
      file->commit(outcome_json(outcome));
    } catch (const Failure& failure) {
      complain(failure.what());  // and end as the program did
    }
    file.reset();
  } else {
    print_error(outcome_text(outcome, Style(wants_colour(STDERR_FILENO))));
  }
  return end_as(outcome.wait_status);
}

Program find(const Options& options, const RunArguments& arguments, Environment environment) {
  const std::string path = search_path(environment);
  Program program;
  program.argv = words_to_execute(options, arguments, path);
  program.environment = std::move(environment);
  try {
    program.path = find_program(program.argv.front(), path);
  } catch (const Failure& failure) {
    const std::string& word = program.argv.front();
    if (arguments.form == CommandForm::verbatim && word.ends_with(".py")) {
      throw Failure(
          failure.status(),
          fmt::format("{} (behind '--' a .py file is not given to Python)", failure.what()));
    }
    throw;
  }
  return program;
}

}  // namespace

void run_at_once(const std::vector<std::string>& words) {
  const RunArguments arguments =
      split_run_arguments(words, [](std::string_view /*name*/) { return false; });
  if (!arguments.options.empty() ||
      (arguments.command.empty() && arguments.form != CommandForm::python_only)) {
    return;
  }
  Program program = find({}, arguments, Environment::of_this_process());
  preload(program.environment, find_library(program.environment));
  if (!preload_obstacle(program.path)) {
    become(program);
  }
}

int run(const std::vector<std::string>& words) {
  std::optional<Parsed> parsed = parse(words);
  if (!parsed) {
    return 0;
  }
  const Options& options = parsed->options;
  Program program = find(options, parsed->arguments, Environment::of_this_process());
  const std::string library = find_library(program.environment);
  preload(program.environment, library);
  set_tarn_variables(program.environment, options);

  const std::optional<std::string> obstacle = preload_obstacle(program.path);
  if (obstacle && program.environment.get("TARN_QUIET") != "1") {
    complain(fmt::format("{} runs without Tarn: {}", escape(program.argv.front()), *obstacle));
  }
  if (options.report || !options.sites_file.empty()) {
    return run_with_report(program, options, obstacle);
  }
  become(program);
}

}  // namespace tarn::cli
