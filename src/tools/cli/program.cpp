#include "tools/cli/program.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

enum class FileKind { missing, folder, not_executable, executable };

FileKind kind_of(const std::string& file) {
  struct stat status;
  if (::stat(file.c_str(), &status) != 0) {
    return FileKind::missing;
  }
  if (S_ISDIR(status.st_mode)) {
    return FileKind::folder;
  }
  if (!S_ISREG(status.st_mode) || ::access(file.c_str(), X_OK) != 0) {
    return FileKind::not_executable;
  }
  return FileKind::executable;
}

bool has_slash(const std::string& name) { return name.find('/') != std::string::npos; }

// The first executable in PATH; failing that, the first file of that name that isn't.
struct Found {
  std::string executable;
  std::string not_executable;
};

Found search(const std::string& name, std::string_view path) {
  Found found;
  for (bool more = true; more;) {
    const std::size_t end = path.find(':');
    more = end != std::string_view::npos;
    std::string file(path.substr(0, end));
    if (file.empty()) {
      file = ".";  // as POSIX has it: an empty entry is the current folder
    }
    file += '/';
    file += name;
    switch (kind_of(file)) {
      case FileKind::executable:
        found.executable = file;
        return found;
      case FileKind::not_executable:
        if (found.not_executable.empty()) {
          found.not_executable = file;
        }
        break;
      default:
        break;
    }
    path.remove_prefix(more ? end + 1 : path.size());
  }
  return found;
}

[[noreturn]] void not_found(const std::string& name) {
  throw Failure(exit_not_found, fmt::format("{}: command not found", escape(name)));
}

[[noreturn]] void not_executable(const std::string& name) {
  throw Failure(exit_not_executable, fmt::format("{}: not executable", escape(name)));
}

// A program for another machine, or a script for another language, that lacks its x bit is a mistake of
// the permissions, not a Python file.
bool is_for_something_else(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  char buffer[256];
  stream.read(buffer, sizeof buffer);
  const std::string_view start(buffer, static_cast<std::size_t>(stream.gcount()));
  if (start.starts_with("\x7f"
                        "ELF")) {
    return true;
  }
  const std::string_view first_line = start.substr(0, start.find('\n'));
  return first_line.starts_with("#!") && first_line.find("python") == std::string_view::npos;
}

bool is_python_source(const std::string& file) {
  switch (kind_of(file)) {
    case FileKind::folder:
      return ::access((file + "/__main__.py").c_str(), R_OK) == 0;
    case FileKind::not_executable: {
      struct stat status;
      return ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
             ::access(file.c_str(), R_OK) == 0 && !is_for_something_else(file);
    }
    default:
      return false;
  }
}

}  // namespace

std::string find_program(const std::string& name, std::string_view path) {
  if (name.empty()) {
    not_found("''");
  }
  if (has_slash(name)) {
    switch (kind_of(name)) {
      case FileKind::missing:
        not_found(name);
      case FileKind::folder:
        throw Failure(exit_not_executable, fmt::format("{}: is a folder", escape(name)));
      case FileKind::not_executable:
        not_executable(name);
      case FileKind::executable:
        return name;
    }
  }
  Found found = search(name, path);
  if (!found.executable.empty()) {
    return std::move(found.executable);
  }
  if (!found.not_executable.empty()) {
    not_executable(found.not_executable);
  }
  not_found(name);
}

std::string search_path(const Environment& environment) {
  return environment.get("PATH").value_or("/bin:/usr/bin");
}

bool is_for_python(const std::string& word, std::string_view path) {
  if (word == "-") {
    return true;
  }
  const bool named_so = word.size() > 3 && word.ends_with(".py");
  if (named_so && (has_slash(word) || ::access(word.c_str(), F_OK) == 0)) {
    return true;
  }
  if (!has_slash(word) && !search(word, path).executable.empty()) {
    return false;
  }
  return named_so || is_python_source(word);
}

}  // namespace tarn::cli
