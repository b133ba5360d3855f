// tarn diff: what grew between two snapshots.

#include <fmt/format.h>
#include <unistd.h>

#include "sight/reading/bad_snapshot.h"
#include "sight/reading/comparison.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/diff_text.h"
#include "tools/cli/failure.h"
#include "tools/cli/opened_snapshot.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn diff",
    "Show what grew between two snapshots: by type, by site, by size class, and what\npins memory.",
    {"tarn diff [OPTION...] BEFORE[#N] AFTER[#N]", "tarn diff [OPTION...] FILE"},
    R"(#N is the N-th snapshot in a file, #-1 the last, which is also meant without. Of
one FILE the first and the last are compared.

The exit status is 0 when they could be compared, 1 when a snapshot can't be used,
2 for a wrong argument.

Examples:
  tarn diff before.sqlite after.sqlite
  tarn diff app.4711.tarn.sqlite#1 app.4711.tarn.sqlite#5)"};

constexpr std::size_t most_lines = 15;

sight::reading::Summary summary_of(const std::string& word) {
  sight::reading::HeapImage image = open_snapshot(word, sight::reading::References::all);
  try {
    return sum_up(image);
  } catch (const sight::reading::BadSnapshot& bad) {
    throw Failure(exit_failure, fmt::format("{}: {}", escape(word), bad.what()));
  }
}

}  // namespace

int diff(const std::vector<std::string>& words) {
  std::string before_word;
  std::string after_word;
  bool as_json = false;
  bool is_all = false;
  CommandLine line(command_text);
  line.options().add_option("BEFORE", before_word, "a snapshot");
  line.options().add_option("AFTER", after_word, "a later one");
  line.options().add_flag("--all", is_all, "show every line that changed");
  line.options().add_flag("--json", as_json, "print all of it as JSON, in bytes");
  if (!line.parse(words)) {
    return 0;
  }
  if (before_word.empty()) {
    throw UsageError("tarn diff", "no snapshots");
  }
  if (after_word.empty()) {
    after_word = before_word + "#-1";
    before_word += "#1";
  }
  const sight::reading::Summary before = summary_of(before_word);
  const sight::reading::Summary after = summary_of(after_word);
  const sight::reading::Comparison comparison = compare(before, after);
  print(as_json ? diff_json(before, after, comparison)
                : diff_text(before, after, comparison, is_all ? SIZE_MAX : most_lines,
                            Style(wants_colour(STDOUT_FILENO))));
  return 0;
}

}  // namespace tarn::cli
