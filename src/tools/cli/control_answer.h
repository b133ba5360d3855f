// Reads what a process answers at its control socket. The process may be anything, so the text is hostile
// until it has been checked here. src/integrations/python/control.h has the protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tools/cli/report.h"

namespace tarn::cli {

inline constexpr std::size_t answer_size_limit = 256 * 1024;

// Printable, and one line.
class BadAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// It knows what it's asked, and can't: what() is why, as the process says it.
class Refused : public BadAnswer {
 public:
  using BadAnswer::BadAnswer;
};

// How far an answer has come.
enum class AnswerStage {
  nothing,  // not even the first line
  greeted,  // the process is there, and waits for Python's lock
  begun,    // it works
  ended,    // the last line is there
};
[[nodiscard]] AnswerStage stage_of(std::string_view text);

// Where the bytes of a stream begin, behind the lines; nothing: not all lines are there. Throws Refused, and
// BadAnswer: it doesn't know the request, or isn't one of ours.
[[nodiscard]] std::optional<std::size_t> start_of_stream(std::string_view text);
// What stands between "begun" and the answer's end, the last line included. Throws BadAnswer.
[[nodiscard]] std::string_view read_body(std::string_view text,
                                         std::size_t size_limit = answer_size_limit);

// Bytes of addresses. Throws BadAnswer.
[[nodiscard]] std::uint64_t read_released(std::string_view text);

// Has figures, and ranges. Throws BadAnswer.
[[nodiscard]] Report read_statistics(std::string_view text);

}  // namespace tarn::cli
