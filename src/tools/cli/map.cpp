// tarn map: a heap as a page to look at.

#include <fmt/format.h>

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "sight/map/bad_snapshot.h"
#include "sight/map/page.h"
#include "sight/map/why_columns.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/failure.h"
#include "tools/cli/map_server.h"
#include "tools/cli/noticed_signals.h"
#include "tools/cli/pending_file.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"
#include "tools/cli/why_text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn map",
    "Write a heap as a page to look at: one HTML file, from the address space down to\nthe object "
    "in a block.",
    {"tarn map [OPTION...] FILE", "tarn map [OPTION...] PID", "tarn map --live [OPTION...] PID"},
    R"(FILE is what 'tarn snapshot' or 'tarn run --snapshot-at' wrote. Of a process, a
snapshot is taken first and kept beside the page. The page needs a browser with
WebGL 2 and nothing else: it reads no other file and no network. Like the
snapshot it shows types, sizes and names; of what objects contain, the short
texts of one that was taken with --values, up to 16 MiB a page. Only you can
read it (mode 0600).

--live serves the page of a process instead, at an address of this machine that can't
be guessed, until Ctrl-C: a new snapshot whenever the page is asked for one, or
every so many seconds while it is looked at.

The exit status is 0 when the page is written, 1 when the snapshot can't be taken
or read, 2 for a wrong argument.

Examples:
  tarn map 4711
  tarn map -o map.html --snapshot 3 app.4711.tarn.sqlite
  tarn map --live --every 10 4711)"};

std::string page_beside(const std::string& file) {
  std::filesystem::path path(file);
  return path.replace_extension(".html").string();
}

bool exists(const std::string& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

bool is_number(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
}

// Takes a snapshot of the process, and returns the file: beside the page, if that has a place.
std::string take_snapshot(const std::string& word, const std::string& page, bool with_values) {
  std::string file;
  if (!page.empty()) {
    file = std::filesystem::path(page).replace_extension(".tarn.sqlite").string();
  } else {
    const Target target = find_target(read_process_id(word, "tarn map"));
    for (const char letter : target.name) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
                            letter == '.' || letter == '_' || letter == '-';
      file += is_plain ? letter : '_';
    }
    file += fmt::format(".{}.tarn.sqlite", target.pid);
  }
  // With all references, so that the answers of why are those of 'tarn why PID'.
  std::vector<std::string> words = {"--references", "--output=" + file, word};
  if (with_values) {
    words.insert(words.begin(), "--values");
  }
  static_cast<void>(snapshot(words));
  return file;
}

sight::MapPage page_of(const std::string& file, const sight::PageOptions& options,
                       sight::WhyColumns& why) {
  try {
    return sight::map_page(file, options, why);
  } catch (const sight::BadSnapshot& bad) {
    throw Failure(exit_failure,
                  fmt::format("{} can't be shown: {}", escape(file), escape(bad.what())));
  }
}

std::string values_text(std::uint64_t values) {
  if (values == 0) {
    return "";
  }
  return fmt::format(", with what {} object{} contain{} in short", count_text(values),
                     values == 1 ? "" : "s", values == 1 ? "s" : "");
}

// A folder for its owner alone, which goes with all it holds.
class SnapshotFolder {
 public:
  SnapshotFolder() {
    path_ = (std::filesystem::temp_directory_path() / "tarn-map-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) {
      throw Failure(exit_failure, fmt::format("can't make the folder {}", escape(path_)));
    }
  }
  ~SnapshotFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  SnapshotFolder(const SnapshotFolder&) = delete;
  SnapshotFolder& operator=(const SnapshotFolder&) = delete;
  [[nodiscard]] std::string file() const { return path_ + "/live.tarn.sqlite"; }

 private:
  std::string path_;
};

// Takes snapshots of a process when it's asked, and keeps the page of the last ones.
class LivePage {
 public:
  LivePage(std::string process, unsigned seconds, bool with_values)
      : process_(std::move(process)), seconds_(seconds), with_values_(with_values) {
    take();
  }

  Answer answer(std::string_view what) {
    try {
      if (what == "new") {
        if (std::chrono::steady_clock::now() - taken_ > least_pause) {
          take();
        }
        return {303, "text/plain; charset=utf-8", "", "./"};
      }
      if (what.empty()) {
        return {200, "text/html; charset=utf-8", page_, ""};
      }
      return {404, "text/plain; charset=utf-8", "There is nothing here.\n", ""};
    } catch (const std::exception& error) {
      return {500, "text/plain; charset=utf-8", std::string(error.what()) + "\n", ""};
    }
  }

 private:
  void take() {
    std::vector<std::string> words = {"--references", "--output=" + folder_.file(), process_};
    if (with_values_) {
      words.insert(words.begin(), "--values");
    }
    std::error_code error;
    const auto bytes = std::filesystem::file_size(folder_.file(), error);
    if (snapshots_ != 0 && snapshots_ < most_snapshots && !error && bytes < most_bytes) {
      words.insert(words.begin(), "--append");
    } else {
      snapshots_ = 0;
      why_ = sight::WhyColumns(why_json);
    }
    static_cast<void>(snapshot(words));
    ++snapshots_;
    page_ = page_of(folder_.file(), {.snapshot = {}, .live_seconds = seconds_}, why_).text;
    taken_ = std::chrono::steady_clock::now();
  }

  // When the file has so much, the time line begins anew.
  static constexpr int most_snapshots = 30;
  static constexpr std::uintmax_t most_bytes = std::uintmax_t{1} << 30;
  static constexpr std::chrono::seconds least_pause{1};

  SnapshotFolder folder_;
  std::string process_;
  unsigned seconds_;
  bool with_values_;
  sight::WhyColumns why_{why_json};
  std::string page_;
  int snapshots_ = 0;
  std::chrono::steady_clock::time_point taken_;
};

[[noreturn]] void serve_live(const std::string& process, unsigned seconds, std::uint16_t port,
                             bool with_values) {
  int signal = 0;
  {
    LivePage page(process, seconds, with_values);
    signal = serve(
        port,
        [](const Address& address) {
          print(fmt::format("The map is at {} until Ctrl-C.\n", address.url()));
        },
        [&](std::string_view what) { return page.answer(what); });
  }
  throw Interrupted{signal};
}

}  // namespace

int map(const std::vector<std::string>& words) {
  std::string word;
  std::string output;
  std::int64_t number = 0;
  bool is_live = false;
  bool with_values = false;
  unsigned seconds = 0;
  std::uint16_t port = 0;
  CommandLine line(command_text);
  line.options().add_option("FILE", word, "the snapshot file, or a process id");
  line.options()
      .add_option("-o,--output", output,
                  "where the page goes\n(default: beside the snapshot, as .html)")
      ->option_text("=FILE");
  line.options()
      .add_option("--snapshot", number, "one snapshot of the file (default: all)")
      ->option_text("=N");
  line.options().add_flag("--live", is_live, "serve the page of a process on this machine");
  line.options().add_flag(
      "--values", with_values,
      "of a process: with short texts of strings, bytes and\nnumbers, which may "
      "be secret");
  line.options()
      .add_option("--every", seconds,
                  "with --live: a new snapshot every so often\n(default: when the page is asked)")
      ->option_text("=SECONDS");
  line.options()
      .add_option("--port", port, "with --live: at which port (default: any that is free)")
      ->option_text("=N");
  if (!line.parse(words)) {
    return 0;
  }
  if (word.empty()) {
    throw UsageError("tarn map", "no snapshot file and no process id");
  }
  if (is_live) {
    if (!is_number(word) || !output.empty()) {
      throw UsageError("tarn map",
                       output.empty() ? "--live takes a process id" : "--live writes no file");
    }
    serve_live(word, seconds, port, with_values);
  }
  if (seconds != 0 || port != 0) {
    throw UsageError("tarn map", "--every and --port are for --live");
  }
  if (with_values && exists(word)) {
    throw UsageError("tarn map", "--values is for a process id: a file has values or not");
  }
  std::string file = word;
  if (!exists(word)) {
    if (!is_number(word)) {
      throw Failure(exit_failure, fmt::format("there is no file {}", escape(word)));
    }
    file = take_snapshot(word, output, with_values);
  }
  if (output.empty()) {
    output = page_beside(file);
  }
  sight::PageOptions options;
  if (line.options().count("--snapshot") > 0) {
    options.snapshot = number;
  }
  sight::WhyColumns why(why_json);
  const sight::MapPage made = page_of(file, options, why);
  const NoticedSignals signals;  // what is written beside the place is taken away again
  PendingFile page(output);
  if (const int signal = NoticedSignals::noticed(); signal != 0) {
    throw Interrupted{signal};
  }
  page.commit(made.text);
  print(fmt::format("{}: {}, for a browser{}\n", escape(output), bytes_text(made.text.size()),
                    values_text(made.values)));
  return 0;
}

}  // namespace tarn::cli
