// A file descriptor of ours, closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace tarn::cli {

class Descriptor {
 public:
  // Below zero: none.
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(other.take_out()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  // It's the caller's from here on.
  [[nodiscard]] int take_out() { return std::exchange(number_, -1); }
  void reset(int number) {
    close();
    number_ = number;
  }
  void close() {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = -1;
  }

 private:
  int number_;
};

}  // namespace tarn::cli
