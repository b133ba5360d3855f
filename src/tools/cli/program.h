// Finding what is to be run: a program in PATH, or a file for Python.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/environment.h"

namespace tarn::cli {

// Ready for exec.
struct Program {
  std::string path;               // has a slash in it, so that nothing is looked for again
  std::vector<std::string> argv;  // argv[0] as the user wrote it
  Environment environment;
};

// The file that `name` stands for: itself if it has a slash, else the first executable of that name in
// the folders of `path` (the value of PATH). Throws Failure as a shell would end: 127 when there is
// none, 126 when it can't be executed.
[[nodiscard]] std::string find_program(const std::string& name, std::string_view path);

// PATH as exec would use it.
[[nodiscard]] std::string search_path(const Environment& environment);

// Whether `tarn run WORD` is for Python: a name that ends in .py; a readable file that isn't
// executable; a folder with a __main__.py; "-", which is standard input. A program of that name in
// PATH goes before a file of that name here.
[[nodiscard]] bool is_for_python(const std::string& word, std::string_view path);

}  // namespace tarn::cli
