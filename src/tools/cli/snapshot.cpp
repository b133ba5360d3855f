// tarn snapshot: writes what is in a process's heap to a file.

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>

#include "sight/database.h"
#include "sight/holders.h"
#include "sight/snapshot_file.h"
#include "sight/stream_reader.h"
#include "tools/cli/address_owners.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/control_answer.h"
#include "tools/cli/control_client.h"
#include "tools/cli/failure.h"
#include "tools/cli/ledger_lines.h"
#include "tools/cli/memory_map.h"
#include "tools/cli/noticed_signals.h"
#include "tools/cli/report_json.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn snapshot",
    "Write what is in a process's heap to a SQLite file: every arena, pool and block,\nwhich "
    "objects are in them, and who holds those.",
    {"tarn snapshot [OPTION...] PID"},
    R"(The process stands still while it is copied, 10 ms for 100 MiB or so; the copy
writes, and needs memory for what the process changes meanwhile. What objects
contain is not stored unless --values asks for it: their types, sizes, counts
and holders are, and the names of variables, functions and files.
docs/snapshot.md has the tables.

The exit status is 0 when the file is there, 1 when the process can't be
reached or the file not be written, 2 for a wrong argument.

Examples:
  tarn snapshot 4711
  tarn snapshot -o before.sqlite 4711
  sqlite3 before.sqlite 'SELECT type, count(*) FROM object GROUP BY type')"};

struct Options {
  std::string pid;
  std::string output;
  std::string reason = "command";
  bool append = false;
  bool references = false;
  bool values = false;
  bool as_json = false;
  bool from_stream = false;
};

bool is_folder(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Said before the program is bothered.
void expect_writable(const std::string& output) {
  std::string folder = output.empty() ? "." : output;
  if (!is_folder(folder)) {
    const std::size_t slash = output.rfind('/');
    folder = slash == std::string::npos ? "." : output.substr(0, slash + 1);
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Failure(exit_failure,
                  fmt::format("can't write {}: {}", escape(output.empty() ? folder : output),
                              std::strerror(errno)));
  }
}

// Where it goes: as was asked for, or PROGRAM.PID.tarn.sqlite in the folder that was.
std::string path_for(const std::string& output, const sight::Capture& capture) {
  if (!output.empty() && !is_folder(output) && !output.ends_with('/')) {
    return output;
  }
  std::string name;
  for (const char letter : capture.program.empty() ? std::string("python") : capture.program) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' ||
                          letter == '-';
    name += is_plain ? letter : '_';
  }
  std::string folder = output;
  if (!folder.empty() && !folder.ends_with('/')) {
    folder += '/';
  }
  return fmt::format("{}{}.{}.tarn.sqlite", folder, name, capture.facts.pid);
}

sight::Capture read_stdin() {
  sight::StreamReader reader;
  std::vector<char> part(256 * 1024);
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw Failure(exit_failure, fmt::format("standard input: {}", std::strerror(errno)));
    }
    if (got == 0) {
      return reader.finish();
    }
    reader.take(std::string_view(part.data(), static_cast<std::size_t>(got)));
    if (reader.is_complete()) {
      return reader.finish();  // another may hold the pipe open
    }
  }
}

sight::Capture capture_from(const Target& target, bool has_values) {
  sight::StreamReader reader;
  ask_for_stream(target, has_values ? "snapshot values" : "snapshot",
                 [&](std::string_view bytes) { reader.take(bytes); });
  if (!reader.is_complete()) {
    throw Failure(exit_failure, fmt::format("process {} ({}): the snapshot breaks off: its copy "
                                            "was ended, or the process is ending",
                                            target.pid, target.name));
  }
  return reader.finish();
}

sight::Surroundings surroundings_of(const sight::Capture& capture, const std::string& reason) {
  const Report report = read_report(capture.report);
  if (!report.has_figures || !report.has_residency) {
    throw BadReport("it has no figures of resident memory");
  }
  const std::vector<Mapping> mappings = read_memory_map(capture.mappings);
  const auto pid = static_cast<pid_t>(capture.facts.pid);
  const std::vector<std::uint64_t> stacks = stack_pointers(pid);
  const Ledger ledger = make_ledger(
      report, mappings, stacks,
      [pid](std::uint64_t start, std::uint64_t end) { return resident_between(pid, start, end); });
  sight::Surroundings around;
  around.reason = reason;
  around.program = report.program;
  around.python = report.python;
  around.tarn = TARN_VERSION;
  around.geometry = report.geometry;
  around.address_map = report.address_map;
  around.checks = report.checks;
  around.resident = ledger.resident;
  around.mappings = find_owners(mappings, capture, report, stacks);
  for (const LedgerLine& line : ledger.lines) {
    around.ledger.push_back({line.key, line.name, line.bytes});
  }
  return around;
}

struct Counts {
  std::uint64_t blocks = 0;   // allocated ones of Tarn's
  std::uint64_t objects = 0;  // in them
  std::uint64_t bytes = 0;
};

Counts count(const sight::Capture& capture) {
  Counts counts;
  for (const sight::Block& block : capture.blocks) {
    if (block.state == sight::Taken::allocated && block.place != sight::Place::outside) {
      ++counts.blocks;
      counts.bytes += block.size;
      counts.objects += block.content == sight::Content::object ? 1U : 0U;
    }
  }
  return counts;
}

void tell(const Options& options, const std::string& path, std::int64_t id,
          const sight::Capture& capture) {
  const Counts counts = count(capture);
  if (options.as_json) {
    const nlohmann::ordered_json json = {{"file", path},
                                         {"snapshot", id},
                                         {"pid", capture.facts.pid},
                                         {"blocks", counts.blocks},
                                         {"block_bytes", counts.bytes},
                                         {"objects", counts.objects},
                                         {"types", capture.types.size()},
                                         {"pause_ns", capture.end.pause},
                                         {"capture_ns", capture.end.capture},
                                         {"unreadable", capture.end.unreadable}};
    print(json_text(json));
    return;
  }
  std::string text = fmt::format(
      "{}: {} live blocks of {}, {} of them objects of {} types; the program stood still for "
      "{:.1f} ms\n",
      escape(path), count_text(counts.blocks), bytes_text(counts.bytes), count_text(counts.objects),
      count_text(capture.types.size()), static_cast<double>(capture.end.pause) / 1e6);
  if ((capture.end.flags & sight::end_flags::threads_missing) != 0) {
    text += "Its threads couldn't be looked at: no local variables are named.\n";
  }
  if (capture.end.unreadable != 0) {
    text += fmt::format("{} objects couldn't be read, and hold nothing here.\n",
                        count_text(capture.end.unreadable));
  }
  print(text);
}

void write(const Options& options, sight::Capture capture) {
  const std::string path = path_for(options.output, capture);
  const sight::Surroundings around = surroundings_of(capture, options.reason);
  sight::find_holders(capture);
  std::int64_t id = 0;
  try {
    const NoticedSignals signals;
    id = sight::write_snapshot(
        path, capture, around,
        {.existing = options.append ? sight::Existing::append : sight::Existing::replace,
         .has_references = options.references,
         .is_called_off = [] { return NoticedSignals::noticed() != 0; }});
  } catch (const sight::CantWrite& error) {
    throw Failure(exit_failure, error.what());
  } catch (const sight::CalledOff&) {
    throw Interrupted{NoticedSignals::noticed()};
  }
  try {
    tell(options, path, id, capture);
  } catch (const Failure&) {
    if (!options.from_stream) {
      throw;
    }
    // The process that asked has ended meanwhile; the file is there.
  }
}

// The process that asked has called it off, or has ended.
bool nobody_waits() {
  pollfd answer = {STDOUT_FILENO, 0, 0};
  return ::poll(&answer, 1, 0) > 0 && (answer.revents & POLLERR) != 0;
}

int write_stream(const Options& options) {
  try {
    write(options, read_stdin());
    return 0;
  } catch (const std::exception&) {
    if (nobody_waits()) {
      return exit_failure;
    }
    throw;
  }
}

}  // namespace

int snapshot(const std::vector<std::string>& words) {
  Options options;
  CommandLine line(command_text);
  CLI::App& app = line.options();
  app.add_option("PID", options.pid, "the process");
  app.add_option("-o,--output", options.output,
                 "the file, or a folder for PROGRAM.PID.tarn.sqlite\n(default: the current folder)")
      ->option_text("=FILE");
  app.add_flag("--append", options.append, "add to the snapshots that the file has: a time line");
  app.add_flag("--references", options.references, "store every reference between objects too");
  app.add_flag("--values", options.values,
               "store short texts of strings, bytes and numbers too: the file\nthen has what may "
               "be secret");
  app.add_flag("--json", options.as_json, "print what was written as JSON");
  // From a process that takes a snapshot of its own accord (run --snapshot-at).
  app.add_flag("--from-stream", options.from_stream)->group("");
  app.add_option("--reason", options.reason)->group("");
  if (!line.parse(words)) {
    return 0;
  }
  if (options.pid.empty() != options.from_stream) {
    throw UsageError("tarn snapshot",
                     options.from_stream ? "--from-stream takes no process" : "no process id");
  }
  std::string of_whom = "the snapshot";
  std::string who;
  try {
    if (options.from_stream) {
      return write_stream(options);
    }
    const Target target = find_target(read_process_id(options.pid, "tarn snapshot"));
    who = fmt::format("process {} ({}): ", target.pid, target.name);
    of_whom = who + "its answer";
    expect_writable(options.output);
    write(options, capture_from(target, options.values));
    return 0;
  } catch (const Refused& refused) {
    throw Failure(exit_failure, who + refused.what());
  } catch (const BadAnswer& bad) {
    throw Failure(exit_failure, fmt::format("{} can't be used: {}", of_whom, bad.what()));
  } catch (const sight::BadStream& bad) {
    throw Failure(exit_failure, fmt::format("{} can't be used: {}", of_whom, bad.what()));
  } catch (const BadReport& bad) {
    throw Failure(exit_failure, fmt::format("{} can't be used: {}", of_whom, bad.what()));
  } catch (const BadMap& bad) {
    throw Failure(exit_failure, fmt::format("{} can't be used: {}", of_whom, bad.what()));
  }
}

}  // namespace tarn::cli
