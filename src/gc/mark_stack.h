// Objects that are marked and whose edges are still to be seen. Addresses are reserved in advance; memory for them is
// asked for as it's needed, and when there's none the stack overflows: then the marks say what's missing. Where not even
// addresses are granted (ulimit -v) there's room for a few in the stack itself.
#pragma once

#include <cstddef>

#include <tarn/object/object.h>

#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::gc {

class MarkStack {
 public:
  // For so many bytes of objects at most.
  void open(std::size_t span) noexcept {
    const std::size_t wanted = base::round_up(span / 32, least_bytes);
    for (std::size_t bytes = wanted < most_bytes ? wanted : most_bytes; bytes >= least_bytes;
         bytes /= 2) {
      entries_ = static_cast<Object**>(os::reserve(bytes, os::page_size()));
      if (entries_ != nullptr) {
        reserved_ = bytes;
        limit_ = bytes / sizeof(Object*);
        if (grow()) {
          return;
        }
        os::release(entries_, bytes);
        break;
      }
    }
    reserved_ = committed_ = 0;
    entries_ = few_;
    capacity_ = limit_ = sizeof few_ / sizeof(Object*);
  }
  void close() noexcept {
    if (reserved_ != 0) {
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

  void reset() noexcept {
    size_ = 0;
    overflowed_ = false;
  }
  // Of an empty one: a part of the memory beyond what is usual goes back. True: that was all.
  [[nodiscard]] bool shrink() noexcept {
    if (committed_ <= least_bytes) {
      return true;
    }
    constexpr std::size_t most = std::size_t{1} << 20;
    const std::size_t beyond = committed_ - least_bytes;
    const std::size_t bytes = beyond < most ? beyond : most;
    committed_ -= bytes;
    os::decommit(reinterpret_cast<std::byte*>(entries_) + committed_, bytes);
    capacity_ = committed_ / sizeof(Object*);
    capacity_ = capacity_ < limit_ ? capacity_ : limit_;
    return false;
  }

  // For tests: it overflows beyond so many.
  void limit(std::size_t entries) noexcept {
    limit_ = entries;
    capacity_ = capacity_ < entries ? capacity_ : entries;
  }

 private:
  static constexpr std::size_t most_bytes = std::size_t{1} << 32;
  static constexpr std::size_t least_bytes = std::size_t{256} * 1024;

  [[nodiscard]] bool grow() noexcept {
    std::size_t bytes = committed_ == 0 ? least_bytes : committed_;  // as much again
    bytes = bytes < reserved_ - committed_ ? bytes : reserved_ - committed_;
    if (capacity_ == limit_ || bytes == 0 ||
        !os::commit(reinterpret_cast<std::byte*>(entries_) + committed_, bytes)) {
      return false;
    }
    committed_ += bytes;
    capacity_ = committed_ / sizeof(Object*);
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
  Object* few_[256] = {};
};

}  // namespace tarn::gc
