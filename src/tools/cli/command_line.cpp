#include "tools/cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "tools/cli/console.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// CLI11's layout with our usage lines, and "--option=VALUE" written as it is typed.
class HelpLayout : public CLI::Formatter {
 public:
  explicit HelpLayout(const CommandText& text) : text_(text) { column_width(22); }

  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return fmt::format("\nUsage: {}\n", fmt::join(text_.usages, "\n       "));
  }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    const std::size_t comma = name.find(',');
    return comma == std::string::npos ? name : name.insert(comma + 1, 1, ' ');
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text();
  }

 private:
  const CommandText& text_;
};

}  // namespace

CommandLine::CommandLine(CommandText text)
    : text_(std::move(text)), app_(text_.summary, text_.name) {
  app_.formatter(std::make_shared<HelpLayout>(text_));
  app_.set_help_flag("-h,--help", "show this help");
  app_.footer(text_.more);
  app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app_.allow_extras();  // parse() says what is unknown, in its own words
}

void CommandLine::add_choice(const std::string& name, std::string& value,
                             const std::string& description, std::vector<std::string> choices) {
  const std::string allowed = fmt::format("{}", fmt::join(choices, ", "));
  app_.add_option(name, value, description)
      ->option_text("=NAME")
      ->check([choices, allowed](const std::string& given) {
        return std::ranges::find(choices, given) != choices.end()
                   ? std::string()
                   : fmt::format("'{}' is not one of {}", escape(given), allowed);
      });
}

bool CommandLine::takes_value(std::string_view name) const {
  const CLI::Option* option = app_.get_option_no_throw(std::string(name));
  return option != nullptr && option->get_expected_min() > 0;
}

void CommandLine::refuse_values_of_flags(const std::vector<std::string>& words) const {
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) {
      continue;
    }
    const std::string name = word.substr(0, equals);
    const CLI::Option* option = app_.get_option_no_throw(name);
    if (option != nullptr && option->get_expected_max() == 0) {
      throw UsageError(text_.name, name + " takes no value");
    }
  }
}

bool CommandLine::parse(const std::vector<std::string>& words) {
  refuse_values_of_flags(words);
  try {
    // CLI11 takes a vector from its end.
    app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    print(app_.help());
    return false;
  } catch (const CLI::ParseError& error) {
    throw UsageError(text_.name, error.what());
  }
  if (const std::vector<std::string> unknown = app_.remaining(); !unknown.empty()) {
    const std::string& word = unknown.front();
    const std::string name = escape(word.substr(0, word.find('=')));
    const bool is_option = word.size() > 1 && word.starts_with("-");
    throw UsageError(text_.name, is_option ? fmt::format("unknown option '{}'", name)
                                           : fmt::format("unexpected argument '{}'", escape(word)));
  }
  return true;
}

}  // namespace tarn::cli
