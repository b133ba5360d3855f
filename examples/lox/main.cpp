// lox [--stress] [path]: runs a program, or what is typed. With --stress the cycle collector runs before every
// allocation, which finds whatever isn't counted as it should be. Ends with 65 after a compile error, 70 after a runtime error,
// 74 when the file can't be read, 64 when called otherwise.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "machine.h"

namespace {

enum ExitCode { usage = 64, compile_error = 65, runtime_error = 70, input_error = 74 };

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::optional<std::string> read_file(const char* path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path, "rb"));
  if (file == nullptr) {
    return std::nullopt;
  }
  std::string text;
  char buffer[16 * 1024];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, count);
  }
  if (std::ferror(file.get()) != 0) {
    return std::nullopt;
  }
  return text;
}

int run_file(const char* path, bool stress) {
  const std::optional<std::string> source = read_file(path);
  if (!source) {
    std::fprintf(stderr, "Could not read file \"%s\": %s.\n", path, std::strerror(errno));
    return input_error;
  }
  lox::Machine machine(stress);
  const lox::Outcome outcome = machine.interpret(*source);
  if (stress) {
    machine.verify();
  }
  switch (outcome) {
    case lox::Outcome::compile_error:
      return compile_error;
    case lox::Outcome::runtime_error:
      return runtime_error;
    default:
      return 0;
  }
}

int run_prompt(bool stress) {
  lox::Machine machine(stress);
  std::string line;
  for (;;) {
    std::fputs("> ", stdout);
    std::fflush(stdout);
    line.clear();
    int c;
    while ((c = std::getchar()) != EOF && c != '\n') {
      line.push_back(static_cast<char>(c));
    }
    if (c == EOF && line.empty()) {
      break;
    }
    machine.interpret(line);
  }
  std::putchar('\n');
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool stress = argc > 1 && std::strcmp(argv[1], "--stress") == 0;
  const int first = stress ? 2 : 1;
  if (argc > first + 1) {
    std::fputs("Usage: lox [--stress] [path]\n", stderr);
    return usage;
  }
  try {
    return argc > first ? run_file(argv[first], stress) : run_prompt(stress);
  } catch (const std::bad_alloc&) {
    std::fputs("Out of memory.\n", stderr);
    return runtime_error;
  }
}
