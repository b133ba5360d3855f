// Lines "key value" in a buffer of the caller's, put together without allocating: a report, or an answer of
// the control channel. What doesn't fit is left out; the reader then misses the last line.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <unistd.h>

#include "base/message.h"

namespace tarn::python {

class Lines {
 public:
  constexpr Lines(char* buffer, std::size_t size) noexcept : buffer_(buffer), size_(size) {}

  void number(const char* key, std::uint64_t value) noexcept {
    add(base::Message().text(key).text(" ").number(value).text("\n"));
  }
  void words(const char* key, const char* value) noexcept {
    add(base::Message().text(key).text(" ").text(value).text("\n"));
  }
  void escaped(const char* key, const char* value) noexcept {
    // In parts: a long value is cut, but never the line's end.
    add(base::Message().text(key).text(" "));
    add(base::Message().escaped(value));
    add(base::Message().text("\n"));
  }
  void end() noexcept { add(base::Message().text("end\n")); }

  void add(const base::Message& message) noexcept {
    if (message.length() <= size_ - length_) {
      std::memcpy(buffer_ + length_, message.begin(), message.length());
      length_ += message.length();
    } else {
      size_ = length_;  // nothing after a gap
    }
  }

  // To a file, whole; errors are ignored, since there is nobody left to tell.
  void write_to(int descriptor) const noexcept { write_to(descriptor, buffer_, length_); }
  static void write_to(int descriptor, const char* bytes, std::size_t length) noexcept {
    for (std::size_t written = 0; written < length;) {
      const ssize_t count = ::write(descriptor, bytes + written, length - written);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return;
      }
      written += static_cast<std::size_t>(count);
    }
  }

  [[nodiscard]] const char* begin() const noexcept { return buffer_; }
  [[nodiscard]] std::size_t length() const noexcept { return length_; }

 private:
  char* buffer_;
  std::size_t size_;
  std::size_t length_ = 0;
};

}  // namespace tarn::python
