#include "tools/cli/child.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tools/cli/failure.h"

namespace tarn::cli {

pid_t start_tarn(const std::vector<std::string>& words, const ChildStreams& streams,
                 const HeldSignals& signals) {
  std::vector<std::string> all{"tarn"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  arguments.reserve(all.size() + 1);
  for (std::string& word : all) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    throw Failure(exit_failure, fmt::format("fork: {}", std::strerror(errno)));
  }
  if (child == 0) {
    const int wanted[] = {streams.input, streams.output, streams.errors};
    for (int number = 0; number < 3; ++number) {
      if (wanted[number] >= 0) {
        ::dup2(wanted[number], number);
      }
    }
    signals.restore_in_child();
    ::execv("/proc/self/exe", arguments.data());
    ::_exit(exit_not_executable);
  }
  return child;
}

}  // namespace tarn::cli
