// A file that appears whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace tarn::cli {

// Opened before the program runs, so that an unwritable place is known before and not after. A regular
// file is written under a temporary name beside it, with mode 0600, and renamed by commit(). What
// isn't a regular file (a pipe, /dev/stdout, a terminal) is written as it is.
class PendingFile {
 public:
  explicit PendingFile(const std::string& path);  // throws Failure with exit_usage
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  // Throws Failure; the file is then as it was before.
  void commit(std::string_view text);

 private:
  [[noreturn]] void fail(int status, int error) const;

  std::string shown_;      // the path as it was given
  std::string target_;     // with symbolic links followed
  std::string temporary_;  // empty when written as it is, or done
  int descriptor_ = -1;
};

}  // namespace tarn::cli
