// Where tarn's own options end and the command begins.
//
//   tarn run --report -u app.py --verbose
//            ^^^^^^^^ ^^ ^^^^^^^^^^^^^^^^
//            tarn's   |  the command: nothing in it is read
//                     Python's: one letter
//
// tarn's options are long ones (and -h), Python's are single letters, so both may stand before the
// command in any order and can't be confused. The command begins at the first word that is no option,
// at -c or -m, or behind "--".
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::cli {

enum class CommandForm {
  verbatim,       // behind "--": run as it stands
  word,           // begins with a word: a program, or a Python file
  python_source,  // begins with -c or -m
  python_only,    // Python's options and nothing else: Python reads standard input
};

struct RunArguments {
  std::vector<std::string> options;         // tarn's, each in one word: "--name" or "--name=value"
  std::vector<std::string> python_options;  // as they were given
  CommandForm form = CommandForm::word;
  std::vector<std::string> command;  // empty only for python_only, or when help is asked for
};

// `takes_value("--python")`: whether that option's value may be the word behind it.
using TakesValue = std::function<bool(std::string_view name)>;

// Throws UsageError.
[[nodiscard]] RunArguments split_run_arguments(const std::vector<std::string>& words,
                                               const TakesValue& takes_value);

}  // namespace tarn::cli
