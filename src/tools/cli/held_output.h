// What a command writes while a screen is shown in its place: into a file that was asked for, or into one without a name, to
// be shown afterwards.
#pragma once

#include <string>

#include <sys/types.h>
#include <unistd.h>

namespace tarn::cli {

// A descriptor of ours.
class File {
 public:
  explicit File(int number = -1) : number_(number) {}
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void take(int number) {
    close();
    number_ = number;
  }
  void close() {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = -1;
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

class HeldOutput {
 public:
  // Empty: a file without a name. Throws Failure: it can't be written to.
  explicit HeldOutput(const std::string& path);
  [[nodiscard]] int number() const { return file_.number(); }

  // What hasn't been shown yet, to standard output. A file that was asked for is left alone.
  void show();

 private:
  File file_;
  bool is_named_;
  off_t shown_ = 0;
};

}  // namespace tarn::cli
