// tarn map: a heap as a page to look at.

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "sight/map/bad_snapshot.h"
#include "sight/map/page.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/failure.h"
#include "tools/cli/pending_file.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn map",
    "Write a snapshot of a heap as a page to look at, in one HTML file.",
    {"tarn map [OPTION...] FILE"},
    R"(FILE is what 'tarn snapshot' or 'tarn run --snapshot-at' wrote. The page needs a
browser with WebGL 2 and nothing else: it reads no other file and no network.
Like the snapshot it shows types, sizes and names, and nothing of what objects
contain; only you can read it (mode 0600).

The exit status is 0 when the page is written, 1 when FILE can't be read or isn't
a snapshot, 2 for a wrong argument.

Examples:
  tarn map app.4711.tarn.sqlite
  tarn map -o map.html --snapshot 3 app.4711.tarn.sqlite)"};

std::string page_beside(const std::string& file) {
  std::filesystem::path path(file);
  return path.replace_extension(".html").string();
}

}  // namespace

int map(const std::vector<std::string>& words) {
  std::string file;
  std::string output;
  std::int64_t snapshot = 0;
  CommandLine line(command_text);
  line.options().add_option("FILE", file, "the snapshot file");
  line.options().add_option("-o,--output", output,
                            "where the page goes (default: beside FILE, as .html)");
  line.options().add_option("--snapshot", snapshot, "one snapshot of the file (default: all)");
  if (!line.parse(words)) {
    return 0;
  }
  if (file.empty()) {
    throw UsageError("tarn map", "no snapshot file");
  }
  if (output.empty()) {
    output = page_beside(file);
  }
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    throw Failure(exit_failure, fmt::format("there is no file {}", escape(file)));
  }
  PendingFile page(output);
  std::string text;
  try {
    text = sight::map_page(file, line.options().count("--snapshot") > 0
                                     ? std::optional<std::int64_t>(snapshot)
                                     : std::nullopt);
  } catch (const sight::BadSnapshot& bad) {
    throw Failure(exit_failure, fmt::format("{} can't be shown: {}", escape(file), escape(bad.what())));
  }
  page.commit(text);
  print(fmt::format("{}: {}, for a browser\n", escape(output), bytes_text(text.size())));
  return 0;
}

}  // namespace tarn::cli
