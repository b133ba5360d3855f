#include "tools/cli/control_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tools/cli/report_reader.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr std::string_view greeting = "tarn-control 1\n";
constexpr std::string_view begun = "begun\n";
constexpr std::string_view end = "end\n";
constexpr std::size_t longest_refusal = 1024;

std::string shown(std::string_view value) { return shorten(escape(value.substr(0, 200)), 60); }

}  // namespace

AnswerStage stage_of(std::string_view text) {
  if (text.ends_with("\nend\n")) {
    return AnswerStage::ended;
  }
  if (!text.starts_with(greeting)) {
    return AnswerStage::nothing;
  }
  return text.substr(greeting.size()).starts_with(begun) ? AnswerStage::begun
                                                         : AnswerStage::greeted;
}

std::string_view read_body(std::string_view text, std::size_t size_limit) {
  if (text.size() > size_limit) {
    throw BadAnswer(fmt::format("longer than {}", bytes_text(size_limit)));
  }
  if (!text.starts_with(greeting)) {
    throw BadAnswer(
        fmt::format("not 'tarn-control 1' but '{}'", shown(text.substr(0, text.find('\n')))));
  }
  text.remove_prefix(greeting.size());
  if (text.starts_with("error ")) {
    throw BadAnswer(fmt::format("it refuses: '{}'", shown(text.substr(6, text.find('\n') - 6))));
  }
  if (!text.starts_with(begun)) {
    throw BadAnswer(fmt::format("not 'begun' but '{}'", shown(text.substr(0, text.find('\n')))));
  }
  text.remove_prefix(begun.size());
  if (text != end && !text.ends_with("\nend\n")) {
    throw BadAnswer("it breaks off");
  }
  return text;
}

std::optional<std::size_t> start_of_stream(std::string_view text) {
  constexpr std::string_view refusal = "error ";
  const auto may_become = [](std::string_view words, std::string_view whole) {
    return whole.substr(0, words.size()) == words.substr(0, whole.size());
  };
  if (!may_become(text, greeting)) {
    throw BadAnswer(
        fmt::format("not 'tarn-control 1' but '{}'", shown(text.substr(0, text.find('\n')))));
  }
  std::string_view rest = text.substr(std::min(text.size(), greeting.size()));
  // The refusal may stand before "begun" (it knows no such request) and behind (the system refuses).
  for (const std::string_view line : {begun, std::string_view()}) {
    if (rest.starts_with(refusal) && rest.find('\n') != std::string_view::npos) {
      const std::string_view why = rest.substr(6, rest.find('\n') - 6);
      if (line.empty()) {
        throw Refused(shorten(escape(why.substr(0, 200)), 200));
      }
      throw BadAnswer(fmt::format("it refuses: '{}'", shown(why)));
    }
    if (may_become(rest, refusal) && rest.size() < longest_refusal) {
      return std::nullopt;
    }
    if (line.empty()) {
      break;
    }
    if (!may_become(rest, line)) {
      throw BadAnswer(fmt::format("not 'begun' but '{}'", shown(rest.substr(0, rest.find('\n')))));
    }
    if (rest.size() < line.size()) {
      return std::nullopt;
    }
    rest.remove_prefix(line.size());
  }
  return text.size() - rest.size();
}

std::uint64_t read_released(std::string_view text) {
  const std::string_view body = read_body(text);
  constexpr std::string_view key = "released ";
  std::uint64_t bytes = 0;
  if (body.starts_with(key)) {
    const char* const last = body.data() + body.size();
    const auto [stop, error] = std::from_chars(body.data() + key.size(), last, bytes);
    if (error == std::errc() && bytes <= report_bytes_limit &&
        std::string_view(stop, static_cast<std::size_t>(last - stop)) == "\nend\n") {
      return bytes;
    }
  }
  throw BadAnswer(fmt::format("not 'released' and a number but '{}'", shown(body)));
}

Report read_statistics(std::string_view text) {
  try {
    Report report = read_report(read_body(text));
    if (!report.has_figures || !report.has_residency) {
      throw BadAnswer("it has no figures of resident memory");
    }
    return report;
  } catch (const BadReport& bad) {
    throw BadAnswer(bad.what());
  }
}

}  // namespace tarn::cli
