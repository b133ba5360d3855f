#include "tools/cli/probe.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <charconv>
#include <map>

#include "tools/cli/process.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// For any Python, also for version 2 and for what isn't CPython: hence no f-strings, and no module but
// sys and os. libpython is looked for where it is for certain: among the mapped files. "t" among the
// ABI's flags is what marks a free-threaded build.
constexpr const char* probe_code = R"(
import os, sys
def words(value):
    data = value if isinstance(value, bytes) else os.fsencode(value)
    return ''.join('%02x' % byte for byte in bytearray(data))
name = getattr(getattr(sys, 'implementation', None), 'name', None)
if name is None:
    name = 'pypy' if hasattr(sys, 'pypy_version_info') else 'cpython'
libpython = ''
with open('/proc/self/maps', 'rb') as maps:
    for line in maps:
        path = line.rstrip(b'\n').split(b' ', 5)[-1].strip()
        file = path.rsplit(b'/', 1)[-1]
        if file.startswith((b'libpython', b'libpypy')) and b'.so' in file:
            libpython = path
sys.stdout.write('tarn-probe 1\nversion %s\nmajor %d\nminor %d\nimplementation %s\nfree_threaded %d\n'
    'pointer_bits %d\nexecutable %s\nlibpython %s\nend\n' % (sys.version.split()[0], sys.version_info[0],
    sys.version_info[1], name, 't' in getattr(sys, 'abiflags', ''), 64 if sys.maxsize > 2**32 else 32,
    words(os.path.realpath(sys.executable or '')), words(libpython)))
)";

// Version 2 has no -I.
constexpr const char* isolations[] = {"-I", "-E"};

bool is_word(std::string_view text) {
  for (const char character : text) {
    if (character <= 0x20 || character > 0x7e) {
      return false;
    }
  }
  return !text.empty() && text.size() <= 40;
}

std::optional<unsigned> number_in(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number < 1000
             ? std::optional(number)
             : std::nullopt;
}

// Two hexadecimal digits a byte; no NUL.
std::optional<std::string> bytes_in(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    unsigned char byte = 0;
    const auto [end, error] =
        std::from_chars(text.data() + at, text.data() + std::min(at + 2, text.size()), byte, 16);
    if (error != std::errc() || end != text.data() + at + 2 || byte == 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

ProbeResult refused(std::string problem) { return {std::nullopt, std::move(problem)}; }

}  // namespace

ProbeResult read_probe(std::string_view output) {
  const std::vector<std::string_view> lines = lines_of(output);
  if (lines.empty() || lines.front() != "tarn-probe 1" || lines.back() != "end") {
    return refused("it doesn't answer as a Python does");
  }
  std::map<std::string_view, std::string_view> values;
  for (std::size_t index = 1; index + 1 < lines.size(); ++index) {
    const std::size_t space = lines[index].find(' ');
    if (space == std::string_view::npos ||
        !values.emplace(lines[index].substr(0, space), lines[index].substr(space + 1)).second) {
      return refused("it doesn't answer as a Python does");
    }
  }
  const auto major = number_in(values["major"]);
  const auto minor = number_in(values["minor"]);
  const auto bits = number_in(values["pointer_bits"]);
  const auto free_threaded = number_in(values["free_threaded"]);
  const auto executable = bytes_in(values["executable"]);
  const auto libpython = bytes_in(values["libpython"]);
  if (!major || !minor || !bits || !free_threaded || !executable || !libpython ||
      !is_word(values["version"]) || !is_word(values["implementation"])) {
    return refused("it doesn't answer as a Python does");
  }
  PythonFacts facts;
  facts.version = values["version"];
  facts.major = *major;
  facts.minor = *minor;
  facts.implementation = values["implementation"];
  facts.free_threaded = *free_threaded != 0;
  facts.pointer_bits = *bits;
  facts.executable = *executable;
  facts.libpython = *libpython;
  return {std::move(facts), ""};
}

ProbeResult probe_python(const Program& python, const CaptureLimits& limits) {
  ProbeResult result;
  std::string first_problem;
  for (const char* isolation : isolations) {
    Program program = python;
    program.argv = {python.argv.front(), isolation, "-S", "-c", probe_code};
    const Captured captured = capture(program, limits);
    const bool succeeded = captured.end == Captured::End::by_itself &&
                           WIFEXITED(captured.wait_status) &&
                           WEXITSTATUS(captured.wait_status) == 0;
    result = succeeded ? read_probe(captured.output) : refused(describe_failure(captured, limits));
    if (result.facts || captured.end != Captured::End::by_itself) {
      return result;
    }
    if (first_problem.empty()) {
      first_problem = result.problem;
    }
  }
  return refused(first_problem);
}

std::string describe_failure(const Captured& captured, const CaptureLimits& limits) {
  switch (captured.end) {
    case Captured::End::out_of_time:
      return fmt::format("it did not end within {} seconds",
                         std::chrono::duration_cast<std::chrono::seconds>(limits.time).count());
    case Captured::End::too_much_output:
      return fmt::format("it printed more than {}", bytes_text(limits.bytes));
    case Captured::End::by_itself:
      break;
  }
  std::string text =
      WIFSIGNALED(captured.wait_status)
          ? fmt::format("it was ended by {}", signal_name(WTERMSIG(captured.wait_status)))
          : fmt::format("it ended with status {}", WEXITSTATUS(captured.wait_status));
  const std::vector<std::string_view> lines = lines_of(captured.errors);
  if (!lines.empty() && !lines.back().empty()) {
    text += fmt::format(": {}", shorten(escape(lines.back().substr(0, 400)), 120));
  }
  return text;
}

}  // namespace tarn::cli
