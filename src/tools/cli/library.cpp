#include "tools/cli/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

// The folder for libraries below the prefix, as the installation was configured:
// "lib", "lib64" or "lib/x86_64-linux-gnu".
#ifndef TARN_INSTALL_LIBDIR
#define TARN_INSTALL_LIBDIR "lib"
#endif

namespace tarn::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* library_name = "libtarn-python.so";

// The loader splits LD_PRELOAD at these, and knows no quoting.
constexpr std::string_view preload_separators = ": \t\n";

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::string absolute_path(const fs::path& path) {
  std::error_code error;
  const fs::path result = fs::absolute(path, error).lexically_normal();
  return error ? path.string() : result.string();
}

std::string checked(const std::string& library) {
  if (library.find_first_of(preload_separators) != std::string::npos) {
    throw Failure(exit_failure,
                  fmt::format("LD_PRELOAD can't hold a path with a space or a colon: {}; set "
                              "TARN_LIBRARY to a link to it whose path has none",
                              escape(library)));
  }
  return library;
}

}  // namespace

std::vector<fs::path> library_candidates(const fs::path& command_folder) {
  const fs::path prefix = command_folder.parent_path();
  std::vector<fs::path> candidates{prefix / "lib" / library_name};
  for (const char* folder : {TARN_INSTALL_LIBDIR, "lib"}) {
    const fs::path candidate = prefix / folder / "tarn" / library_name;
    if (std::ranges::find(candidates, candidate) == candidates.end()) {
      candidates.push_back(candidate);
    }
  }
  return candidates;
}

std::string find_library(const Environment& environment) {
  if (const auto given = environment.get("TARN_LIBRARY"); given && !given->empty()) {
    if (!is_file(*given)) {
      throw Failure(exit_failure, fmt::format("TARN_LIBRARY names no file: {}", escape(*given)));
    }
    // Absolute, because a program may change its folder before it starts another.
    return checked(absolute_path(*given));
  }
  std::error_code error;
  const fs::path command = fs::read_symlink("/proc/self/exe", error);
  std::string looked;
  for (const fs::path& candidate : library_candidates(command.parent_path())) {
    if (is_file(candidate)) {
      return checked(absolute_path(candidate));
    }
    looked += (looked.empty() ? "" : ", ") + escape(candidate.string());
  }
  throw Failure(exit_failure,
                fmt::format("{} is missing; looked for {}; set TARN_LIBRARY to its path",
                            library_name, looked));
}

void preload(Environment& environment, const std::string& library) {
  const std::string before = environment.get("LD_PRELOAD").value_or("");
  const std::string first = before.substr(0, before.find_first_of(preload_separators));
  if (first != library) {
    environment.set("LD_PRELOAD", before.empty() ? library : library + ":" + before);
  }
}

}  // namespace tarn::cli
