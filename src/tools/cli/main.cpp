// The command `tarn`: finds the command that is meant, and turns what goes wrong into one line and an
// exit status.

#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*start)(const std::vector<std::string>& words);
};

constexpr Command commands[] = {
    {"run", "run a program with its memory on Tarn", run},
    {"doctor", "say whether a Python can live on Tarn, and what is in the way", doctor},
    {"ledger", "show where a process's resident memory is, line by line", ledger},
    {"top", "show a process's memory live in the terminal", top},
    {"snapshot", "write what is in a process's heap to a file, for questions in SQL", snapshot},
    {"map", "write a heap as a page to look at, down to the object in a block", map},
    {"sites", "show where the memory of a program was allocated", sites},
    {"release", "have a process give back all memory that can go, now", release},
    {"why", "say which objects keep memory from going back, and who holds them", why},
    {"diff", "show what grew between two snapshots", diff},
};

std::string help() {
  std::string text =
      "Put an unmodified Python on Tarn's memory manager.\n\nUsage: tarn COMMAND "
      "[ARGUMENT...]\n\nCommands:\n";
  for (const Command& command : commands) {
    text += fmt::format("  {:<10}  {}\n", command.name, command.summary);
  }
  text +=
      "\nOptions:\n"
      "  -h, --help  show this help\n"
      "  --version   show the version\n"
      "\n'tarn COMMAND --help' tells more.\n"
      "\nExample:\n"
      "  tarn run --report app.py\n";
  return text;
}

[[noreturn]] void refuse(const std::string& word) {
  if (word.starts_with("-")) {
    throw UsageError("tarn", fmt::format("unknown option '{}'", escape(word)));
  }
  std::error_code error;
  if (word.ends_with(".py") || std::filesystem::exists(word, error)) {
    throw UsageError(
        "tarn", fmt::format("unknown command '{0}'; did you mean 'tarn run {0}'?", escape(word)));
  }
  throw UsageError("tarn", fmt::format("unknown command '{}'", escape(word)));
}

int start(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_error(help());
    return exit_usage;
  }
  const std::string& word = words.front();
  if (word == "-h" || word == "--help") {
    print(help());
    return 0;
  }
  if (word == "--version") {
    print("tarn " TARN_VERSION "\n");
    return 0;
  }
  for (const Command& command : commands) {
    if (word == command.name) {
      return command.start({words.begin() + 1, words.end()});
    }
  }
  refuse(word);
}

// Most often tarn is started for `tarn run` without an option of its own, and that needs none of what the constructors of
// the other commands and of the libraries make: half of the pages that tarn touches, of a program that lives for a
// millisecond. So this comes before them.
[[gnu::constructor(101)]] void run_before_all_else(int count, char** words,
                                                   char** /*environment*/) {
  if (count < 3 || std::string_view(words[1]) != "run") {
    return;
  }
  try {
    run_at_once(std::vector<std::string>(words + 2, words + count));
  } catch (const std::exception&) {
    // main comes to it again, and says what it is.
  }
}

}  // namespace
}  // namespace tarn::cli

int main(int count, char** words) {
  using namespace tarn::cli;
  try {
    return start(std::vector<std::string>(words + (count > 0 ? 1 : 0), words + count));
  } catch (const Failure& failure) {
    complain(failure.what());
    return failure.status();
  } catch (const Interrupted& interrupted) {
    // Whoever waits for tarn sees what ended it.
    ::signal(interrupted.signal, SIG_DFL);
    ::raise(interrupted.signal);
    return 128 + interrupted.signal;
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_failure;
  }
}
