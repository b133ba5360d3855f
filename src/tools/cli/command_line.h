// The options of one command, on CLI11: its help, and one line for each way to get them wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tarn::cli {

struct CommandText {
  std::string name;     // "tarn run"
  std::string summary;  // one sentence
  std::vector<std::string> usages;
  std::string more;  // what follows the options, the examples last
};

class CommandLine {
 public:
  explicit CommandLine(CommandText text);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] CLI::App& options() { return app_; }

  // An option that takes one of some words. Given twice, the last one counts, as for every option.
  void add_choice(const std::string& name, std::string& value, const std::string& description,
                  std::vector<std::string> choices);

  // Whether the value of the option `name` may be the word behind it.
  [[nodiscard]] bool takes_value(std::string_view name) const;

  // False when help was asked for, and has been printed. Throws UsageError.
  [[nodiscard]] bool parse(const std::vector<std::string>& words);

 private:
  void refuse_values_of_flags(const std::vector<std::string>& words) const;

  CommandText text_;
  CLI::App app_;
};

}  // namespace tarn::cli
