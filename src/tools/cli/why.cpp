// tarn why: which objects keep memory from going back, who holds them, and what freeing them returns.

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "sight/reading/bad_snapshot.h"
#include "sight/reading/why.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/control_client.h"
#include "tools/cli/failure.h"
#include "tools/cli/opened_snapshot.h"
#include "tools/cli/taken_snapshot.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"
#include "tools/cli/why_text.h"

namespace tarn::cli {
namespace {

using sight::reading::GroupBy;

const CommandText command_text = {
    "tarn why",
    "Say which objects keep memory from going back, who holds them, and what freeing\nthem "
    "returns.",
    {"tarn why [OPTION...] PID", "tarn why [OPTION...] FILE[#N]"},
    R"(FILE is a snapshot ('tarn snapshot'); #N the N-th of several in it, #-1 the last.
Of a PID a snapshot is taken first, and thrown away.

A page goes back when no live block is in it. "312 objects of type Session pin
48 MiB" means: if these objects go, and with them what only they hold, then pages
and large blocks of 48 MiB have no live block any more.

The exit status is 0 when it could be told, 1 when the snapshot can't be used or
the process can't be reached, 2 for a wrong argument.

Examples:
  tarn why 4711
  tarn why app.4711.tarn.sqlite --by type -n 3)"};

constexpr std::size_t most_answers = 100;

// What can be a process id is one, unless there is a file of that name.
sight::reading::HeapImage image_of(const std::string& word) {
  std::error_code error;
  if (word.find_first_not_of("0123456789") != std::string::npos ||
      std::filesystem::exists(word, error)) {
    return open_snapshot(word, sight::reading::References::all);
  }
  const Target target = find_target(read_process_id(word, "tarn why"));
  expect_on_tarn(target);
  const TakenSnapshot snapshot(target);
  return open_snapshot(snapshot.path(), sight::reading::References::all);
}

}  // namespace

int why(const std::vector<std::string>& words) {
  std::string word;
  std::string by = "holder";
  std::size_t answers = 10;
  bool as_json = false;
  CommandLine line(command_text);
  line.options().add_option("FILE", word, "a process, or a snapshot of one");
  line.add_choice("--by", by, "what makes a group: holder (and type), type, site",
                  {"holder", "type", "site"});
  line.options()
      .add_option("-n", answers, "this many answers, 100 at most (default: 10)")
      ->option_text("N")
      ->check([](const std::string& given) {
        const bool is_number = !given.empty() && given.size() <= 3 &&
                               given.find_first_not_of("0123456789") == std::string::npos;
        const int number = is_number ? std::stoi(given) : 0;
        return number >= 1 && number <= static_cast<int>(most_answers)
                   ? std::string()
                   : fmt::format("'{}' is not a number from 1 to {}", escape(given), most_answers);
      });
  line.options().add_flag("--json", as_json, "print the answers as JSON, in bytes");
  if (!line.parse(words)) {
    return 0;
  }
  if (word.empty()) {
    throw UsageError("tarn why", "no process and no file");
  }
  sight::reading::HeapImage image = image_of(word);
  sight::reading::Why found;
  try {
    found = sight::reading::find_why(image, {by == "holder" ? GroupBy::holder
                                             : by == "type" ? GroupBy::type
                                                            : GroupBy::site,
                                             answers});
  } catch (const sight::reading::BadSnapshot& bad) {
    throw Failure(exit_failure, fmt::format("{}: {}", escape(word), bad.what()));
  }
  if (by == "site" && image.sites_rate == 0) {
    throw Failure(exit_failure,
                  fmt::format("{}: no allocation sites were recorded in it", escape(word)));
  }
  print(as_json ? why_json(image, found)
                : why_text(image, found, Style(wants_colour(STDOUT_FILENO))));
  return 0;
}

}  // namespace tarn::cli
