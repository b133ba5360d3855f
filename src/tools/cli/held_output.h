// What a command writes while a screen is shown in its place: into a file that was asked for, or into one without a name, to
// be shown afterwards.
#pragma once

#include <sys/types.h>

#include <string>

#include "tools/cli/descriptor.h"

namespace tarn::cli {

class HeldOutput {
 public:
  // Empty: a file without a name. Throws Failure: it can't be written to.
  explicit HeldOutput(const std::string& path);
  [[nodiscard]] int number() const { return file_.number(); }

  // What hasn't been shown yet, to standard output. A file that was asked for is left alone.
  void show();

 private:
  Descriptor file_;
  bool is_named_;
  off_t shown_ = 0;
};

}  // namespace tarn::cli
