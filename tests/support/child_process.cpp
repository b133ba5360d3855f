#include "support/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tarn::test {

namespace {

[[noreturn]] void be_the_child(int standard_error, const std::function<void()>& body) {
  const rlimit no_core = {0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::dup2(standard_error, STDERR_FILENO);
  ::close(standard_error);
  int code = 0;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception in the child: %s\n", error.what());
    code = 1;
  }
  ::_exit(code);
}

std::string read_all(int descriptor) {
  std::string text;
  char part[4096];
  while (true) {
    const ssize_t count = ::read(descriptor, part, sizeof(part));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return text;
    }
    text.append(part, static_cast<std::size_t>(count));
  }
}

}  // namespace

ChildResult run_in_child(const std::function<void()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) {
    throw std::runtime_error("no pipe to the child");
  }
  const pid_t child = ::fork();
  if (child < 0) {
    throw std::runtime_error("no child process");
  }
  if (child == 0) {
    ::close(ends[0]);
    be_the_child(ends[1], body);
  }
  ::close(ends[1]);
  ChildResult result;
  result.standard_error = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exited = WIFEXITED(status);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return result;
}

std::string text_of_abort(const std::function<void()>& body) {
  const ChildResult result = run_in_child(body);
  if (result.exited) {
    return "it didn't abort but exited with " + std::to_string(result.exit_code) + "\n" +
           result.standard_error;
  }
  if (result.signal != SIGABRT) {
    return "it didn't abort but got signal " + std::to_string(result.signal) + "\n" +
           result.standard_error;
  }
  return result.standard_error;
}

std::string address_text(const void* address) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(address)));
  return text;
}

}  // namespace tarn::test
