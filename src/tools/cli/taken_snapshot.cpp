#include "tools/cli/taken_snapshot.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tools/cli/capture.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// A heap of some ten GiB.
constexpr CaptureLimits limits = {std::chrono::minutes(10), std::size_t{64} * 1024};

std::string last_line(const std::string& errors) {
  std::string line;
  for (const std::string_view one : lines_of(errors)) {
    line = one;
  }
  constexpr std::string_view prefix = "tarn: ";
  return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
}

}  // namespace

TakenSnapshot::TakenSnapshot(const Target& target) {
  Environment environment = Environment::of_this_process();
  const std::string temporary = environment.get("TMPDIR").value_or("");
  folder_ = (temporary.empty() ? "/tmp" : temporary) + "/tarn-why-XXXXXX";
  if (::mkdtemp(folder_.data()) == nullptr) {
    throw Failure(exit_failure, fmt::format("can't make a folder in {}: {}",
                                            escape(temporary.empty() ? "/tmp" : temporary),
                                            std::strerror(errno)));
  }
  try {
    Program program = {
        "/proc/self/exe",
        {"tarn", "snapshot", "--references", "--output", path(), std::to_string(target.pid)},
        std::move(environment)};
    const Captured captured = capture(program, limits);
    if (captured.end == Captured::End::out_of_time) {
      throw Failure(exit_failure, fmt::format("process {} ({}): no snapshot of it in {} minutes",
                                              target.pid, target.name, 10));
    }
    if (captured.end != Captured::End::by_itself || captured.wait_status != 0) {
      const std::string said = last_line(captured.errors);
      throw Failure(exit_failure,
                    said.empty() ? fmt::format("process {} ({}): no snapshot of it could be taken",
                                               target.pid, target.name)
                                 : escape(said));
    }
  } catch (...) {
    remove();
    throw;
  }
}

TakenSnapshot::~TakenSnapshot() { remove(); }

void TakenSnapshot::remove() const noexcept {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace tarn::cli
