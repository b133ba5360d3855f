#include "program.h"

namespace tarn::bench::objects {

namespace {

[[noreturn]] void refuse(const char* program, const char* problem) {
  std::fprintf(stderr, "%s: %s; usage: %s CASE [--scale F] [--variant NAME]\n", program, problem,
               program);
  std::exit(2);
}

double scale_of(const char* program, const char* word) {
  constexpr double most = 1000;
  char* end = nullptr;
  const double scale = std::strtod(word, &end);
  if (end == word || *end != '\0' || !(scale > 0 && scale <= most)) {
    refuse(program, "--scale needs a number over 0 and up to 1000");
  }
  return scale;
}

}  // namespace

Arguments parse_arguments(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--scale" || word == "--variant") {
      if (++i == count) {
        refuse(words[0], "an option without its value");
      }
      if (word == "--scale") {
        arguments.scale = scale_of(words[0], words[i]);
      } else {
        arguments.variant = words[i];
      }
    } else if (!arguments.case_name.empty() || word.starts_with("-")) {
      refuse(words[0], "a word too many");
    } else {
      arguments.case_name = word;
    }
  }
  if (arguments.case_name.empty()) {
    refuse(words[0], "which case?");
  }
  return arguments;
}

}  // namespace tarn::bench::objects
