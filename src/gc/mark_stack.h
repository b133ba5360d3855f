// Objects that are marked and whose edges are still to be seen. Addresses are reserved in advance; memory for them is
// asked for as it's needed, and when there's none the stack overflows: then the marks say what's missing.
#pragma once

#include <cstddef>

#include <tarn/object/object.h>

#include "os/virtual_memory.h"

namespace tarn::gc {

class MarkStack {
 public:
  // False: no memory at all.
  [[nodiscard]] bool open() noexcept {
    for (std::size_t bytes = most_bytes; bytes >= least_bytes; bytes /= 2) {
      entries_ = static_cast<Object**>(os::reserve(bytes, os::page_size()));
      if (entries_ != nullptr) {
        reserved_ = bytes;
        limit_ = bytes / sizeof(Object*);
        return grow();
      }
    }
    return false;
  }
  void close() noexcept {
    if (entries_ != nullptr) {
      os::release(entries_, reserved_);
    }
    *this = MarkStack();
  }

  // It may get lost, which overflowed() says.
  void push(Object& object) noexcept {
    if (size_ == capacity_ && !grow()) [[unlikely]] {
      overflowed_ = true;
      return;
    }
    entries_[size_++] = &object;
  }
  [[nodiscard]] bool is_empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Object& pop() noexcept { return *entries_[--size_]; }

  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
  void forget_overflow() noexcept { overflowed_ = false; }

  // Empty again; memory beyond what is usual goes back.
  void reset() noexcept {
    size_ = 0;
    overflowed_ = false;
    const std::size_t usual = least_bytes / sizeof(Object*);
    if (capacity_ > usual) {
      os::decommit(reinterpret_cast<std::byte*>(entries_) + least_bytes,
                   committed_ - least_bytes);
      committed_ = least_bytes;
      capacity_ = usual < limit_ ? usual : limit_;
    }
  }

  // For tests: it overflows beyond so many.
  void limit(std::size_t entries) noexcept {
    limit_ = entries;
    capacity_ = capacity_ < entries ? capacity_ : entries;
  }

 private:
  static constexpr std::size_t most_bytes = std::size_t{1} << 33;
  static constexpr std::size_t least_bytes = std::size_t{256} * 1024;

  [[nodiscard]] bool grow() noexcept {
    const std::size_t bytes = committed_ == 0 ? least_bytes : 2 * committed_;
    if (capacity_ == limit_ || bytes > reserved_ || !os::commit(entries_, bytes)) {
      return false;
    }
    committed_ = bytes;
    capacity_ = bytes / sizeof(Object*);
    capacity_ = capacity_ < limit_ ? capacity_ : limit_;
    return true;
  }

  Object** entries_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t limit_ = 0;
  std::size_t committed_ = 0;
  std::size_t reserved_ = 0;
  bool overflowed_ = false;
};

}  // namespace tarn::gc
