// tarn sites: where a process's memory was allocated.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/control_answer.h"
#include "tools/cli/control_client.h"
#include "tools/cli/failure.h"
#include "tools/cli/pending_file.h"
#include "tools/cli/report_json.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/sites_export.h"
#include "tools/cli/sites_reader.h"
#include "tools/cli/sites_text.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn sites",
    "Show where the memory of a program was allocated.",
    {"tarn sites [OPTION...] PID", "tarn sites [OPTION...] FILE"},
    R"(The program was started by 'tarn run --sites'; FILE is what --sites-file wrote.
Figures are estimates from the recorded blocks, but with --sites=1 exact. 'live'
is what is allocated now; 'retained' these blocks' share of the free ones beside
them in their pools, which can't go back because of them; 'allocated' what was
ever handed out or grown by: churn.

The exit status is 0 when it could be shown, 1 when the process can't be
reached or the file isn't one, 2 for a wrong argument.

Examples:
  tarn sites 4711
  tarn sites --sort=allocated --stacks --top=5 4711
  tarn sites --flame=live.svg --pprof=heap.pb.gz app.sites)"};

struct Options {
  std::string target;
  bool as_json = false;
  SitesView view;
  std::string flame;
  std::string pprof;
  std::string speedscope;
};

bool parse(const std::vector<std::string>& words, Options& options) {
  std::string sort;
  CommandLine line(command_text);
  CLI::App& app = line.options();
  app.add_option("PID", options.target, "the process, or the file");
  line.add_choice(
      "--sort", sort,
      "live (the default), retained or allocated: what\ncomes first, and what a flame graph shows",
      {"live", "retained", "allocated"});
  app.add_option("--top", options.view.top, "how many rows (20)")
      ->option_text("=N")
      ->check(CLI::Range(1, 65536));
  app.add_flag("--stacks", options.view.by_stack,
               "a row for each stack, with its frames, in place of one\nfor each line");
  app.add_flag("--json", options.as_json, "print all sites as JSON, in bytes");
  app.add_option("--flame", options.flame, "write a flame graph, an SVG image")
      ->option_text("=FILE");
  app.add_option("--pprof", options.pprof, "write a profile for pprof")->option_text("=FILE");
  app.add_option("--speedscope", options.speedscope, "write a file for speedscope")
      ->option_text("=FILE");
  if (!line.parse(words)) {
    return false;
  }
  if (options.target.empty()) {
    throw UsageError("tarn sites", "no process id and no file");
  }
  options.view.measure = sort == "retained"    ? SiteMeasure::retained
                         : sort == "allocated" ? SiteMeasure::allocated
                                               : SiteMeasure::live;
  return true;
}

SitesReport ask_process(const std::string& word) {
  const Target target = find_target(read_process_id(word, "tarn sites"));
  try {
    const std::string answer = ask(target, "sites", sites_size_limit);
    const std::string_view body = read_body(answer, sites_size_limit);
    if (body.starts_with("tarn-sites none\n")) {
      throw Failure(exit_failure,
                    fmt::format("process {} ({}) doesn't record where it allocates; start it by "
                                "'tarn run --sites'",
                                target.pid, target.name));
    }
    return read_sites(body);
  } catch (const BadAnswer& bad) {
    throw Failure(exit_failure, fmt::format("process {} ({}): its answer can't be used: {}",
                                            target.pid, target.name, bad.what()));
  } catch (const BadReport& bad) {
    throw Failure(exit_failure, fmt::format("process {} ({}): its answer can't be used: {}",
                                            target.pid, target.name, bad.what()));
  }
}

std::string read_file(const std::string& path) {
  const auto fail = [&](const char* why) {
    throw Failure(exit_failure, fmt::format("can't read {}: {}", escape(path), why));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) {
    fail(std::strerror(errno));
  }
  std::string text;
  char part[64 * 1024];
  ssize_t got = 0;
  while (text.size() <= sites_size_limit && (got = ::read(file, part, sizeof part)) != 0) {
    if (got > 0) {
      text.append(part, static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      const int error = errno;
      ::close(file);
      fail(std::strerror(error));
    }
  }
  ::close(file);
  return text;
}

SitesReport read(const std::string& word) {
  if (std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; })) {
    return ask_process(word);
  }
  try {
    return read_sites(read_file(word));
  } catch (const BadReport& bad) {
    throw Failure(exit_failure, fmt::format("{} isn't a file of 'tarn run --sites-file': {}",
                                            escape(word), bad.what()));
  }
}

void write(const std::string& path, const std::string& text) { PendingFile(path).commit(text); }

}  // namespace

int sites(const std::vector<std::string>& words) {
  Options options;
  if (!parse(words, options)) {
    return 0;
  }
  const SitesReport report = read(options.target);
  if (!options.flame.empty()) {
    write(options.flame, sites_flame(report, options.view.measure));
  }
  if (!options.pprof.empty()) {
    write(options.pprof, sites_pprof(report));
  }
  if (!options.speedscope.empty()) {
    write(options.speedscope, sites_speedscope(report));
  }
  if (options.as_json) {
    print(json_text(sites_json(report, options.view.measure)));
  } else if (options.flame.empty() && options.pprof.empty() && options.speedscope.empty()) {
    print(sites_text(report, options.view, Style(wants_colour(STDOUT_FILENO))));
  }
  return 0;
}

}  // namespace tarn::cli
