// tarn map: a heap as a page to look at.

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <optional>

#include "sight/map/bad_snapshot.h"
#include "sight/map/page.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/failure.h"
#include "tools/cli/pending_file.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn map",
    "Write a heap as a page to look at: one HTML file, from the address space down to\nthe object "
    "in a block.",
    {"tarn map [OPTION...] FILE", "tarn map [OPTION...] PID"},
    R"(FILE is what 'tarn snapshot' or 'tarn run --snapshot-at' wrote. Of a process, a
snapshot is taken first and kept beside the page. The page needs a browser with
WebGL 2 and nothing else: it reads no other file and no network. Like the
snapshot it shows types, sizes and names, and nothing of what objects contain;
only you can read it (mode 0600).

The exit status is 0 when the page is written, 1 when the snapshot can't be taken
or read, 2 for a wrong argument.

Examples:
  tarn map 4711
  tarn map -o map.html --snapshot 3 app.4711.tarn.sqlite)"};

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
std::string take_snapshot(const std::string& word, const std::string& page) {
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
  static_cast<void>(snapshot({"--output=" + file, word}));
  return file;
}

}  // namespace

int map(const std::vector<std::string>& words) {
  std::string word;
  std::string output;
  std::int64_t number = 0;
  CommandLine line(command_text);
  line.options().add_option("FILE", word, "the snapshot file, or a process id");
  line.options()
      .add_option("-o,--output", output,
                  "where the page goes\n(default: beside the snapshot, as .html)")
      ->option_text("=FILE");
  line.options()
      .add_option("--snapshot", number, "one snapshot of the file (default: all)")
      ->option_text("=N");
  if (!line.parse(words)) {
    return 0;
  }
  if (word.empty()) {
    throw UsageError("tarn map", "no snapshot file and no process id");
  }
  std::string file = word;
  if (!exists(word)) {
    if (!is_number(word)) {
      throw Failure(exit_failure, fmt::format("there is no file {}", escape(word)));
    }
    file = take_snapshot(word, output);
  }
  if (output.empty()) {
    output = page_beside(file);
  }
  PendingFile page(output);
  std::string text;
  try {
    text = sight::map_page(file, line.options().count("--snapshot") > 0
                                     ? std::optional<std::int64_t>(number)
                                     : std::nullopt);
  } catch (const sight::BadSnapshot& bad) {
    throw Failure(exit_failure,
                  fmt::format("{} can't be shown: {}", escape(file), escape(bad.what())));
  }
  page.commit(text);
  print(fmt::format("{}: {}, for a browser\n", escape(output), bytes_text(text.size())));
  return 0;
}

}  // namespace tarn::cli
