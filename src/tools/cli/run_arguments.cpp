#include "tools/cli/run_arguments.h"

#include <fmt/format.h>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// Of CPython 3.8 to 3.14. `t` of 3.8's `-t` and the like are no longer options of any.
constexpr std::string_view python_flags = "bBdEiIOPqRsSuvVx";
constexpr std::string_view python_options_with_value = "WX";
constexpr std::string_view python_sources = "cm";

[[noreturn]] void refuse(const std::string& text) { throw UsageError("tarn run", text); }

class Splitter {
 public:
  Splitter(const std::vector<std::string>& words, const TakesValue& takes_value)
      : words_(words), takes_value_(takes_value) {}

  RunArguments split() {
    while (next_ < words_.size() && !help_) {
      const std::string& word = words_[next_];
      if (word == "--") {
        ++next_;
        take_rest(CommandForm::verbatim);
        refuse_python_options_before_verbatim();
      } else if (word.starts_with("--")) {
        take_own_option();
      } else if (word.starts_with("-") && word.size() > 1) {
        take_python_letters();
      } else {
        take_rest(CommandForm::word);
      }
      if (!result_.command.empty()) {
        return std::move(result_);
      }
    }
    if (help_) {
      result_.options.emplace_back("--help");
    } else if (result_.python_options.empty()) {
      // Only reached without a command: an option that asks for help still has to be heard.
      result_.form = CommandForm::word;
    } else {
      result_.form = CommandForm::python_only;
    }
    return std::move(result_);
  }

 private:
  void take_rest(CommandForm form) {
    result_.form = form;
    result_.command.assign(words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
    next_ = words_.size();
  }

  void refuse_python_options_before_verbatim() const {
    if (!result_.python_options.empty()) {
      refuse(
          fmt::format("'{}' is an option of Python's, but what stands behind '--' is run as it is",
                      escape(result_.python_options.front())));
    }
  }

  void take_own_option() {
    const std::string& word = words_[next_++];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (equals != std::string::npos) {
      if (equals + 1 == word.size()) {
        refuse(fmt::format("{} has no value behind '='", escape(name)));
      }
      result_.options.push_back(word);
    } else if (takes_value_(name)) {
      if (next_ == words_.size()) {
        refuse(fmt::format("{} needs a value", escape(name)));
      }
      if (words_[next_].empty()) {
        refuse(fmt::format("{} has an empty value", escape(name)));
      }
      result_.options.push_back(name + "=" + words_[next_++]);
    } else {
      result_.options.push_back(word);
    }
  }

  // One word of letters: "-u", "-bb", "-Wignore", "-X" with the next word, "-uc" with the code behind.
  void take_python_letters() {
    const std::string& word = words_[next_];
    for (std::size_t at = 1; at < word.size(); ++at) {
      const char letter = word[at];
      const bool last = at + 1 == word.size();
      if (python_flags.find(letter) != std::string_view::npos) {
        continue;
      }
      if (letter == 'h' || letter == '?') {
        help_ = true;
        return;
      }
      if (python_sources.find(letter) != std::string_view::npos) {
        if (last && next_ + 1 == words_.size()) {
          refuse(letter == 'c' ? "-c needs the code behind it" : "-m needs a module behind it");
        }
        take_rest(CommandForm::python_source);
        return;
      }
      if (python_options_with_value.find(letter) != std::string_view::npos) {
        result_.python_options.push_back(word);
        ++next_;
        if (last) {
          if (next_ == words_.size()) {
            refuse(fmt::format("-{} needs a value", letter));
          }
          result_.python_options.push_back(words_[next_++]);
        }
        return;
      }
      refuse(fmt::format("unknown option '{}'", escape(word)));
    }
    result_.python_options.push_back(word);
    ++next_;
  }

  const std::vector<std::string>& words_;
  const TakesValue& takes_value_;
  std::size_t next_ = 0;
  bool help_ = false;
  RunArguments result_;
};

}  // namespace

RunArguments split_run_arguments(const std::vector<std::string>& words,
                                 const TakesValue& takes_value) {
  return Splitter(words, takes_value).split();
}

}  // namespace tarn::cli
