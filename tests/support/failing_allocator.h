// A general allocator over the C library's that counts what passes, and fails when it is told to.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

namespace tarn::test {

class FailingAllocator {
 public:
  FailingAllocator() noexcept;
  FailingAllocator(const FailingAllocator&) = delete;
  FailingAllocator& operator=(const FailingAllocator&) = delete;

  // For HeapOptions::general; lives as long as this.
  [[nodiscard]] const GeneralAllocator* interface() const noexcept { return &interface_; }

  // The Nth request from now fails (1: the next one), and only that one. 0: none.
  void fail_the(std::size_t nth) noexcept { until_failure_ = nth; }
  void fail_all(bool all) noexcept { fail_all_ = all; }

  // See GeneralAllocator::served_before.
  void has_served_before() noexcept { interface_.served_before = true; }

  [[nodiscard]] std::size_t requests() const noexcept { return requests_; }
  [[nodiscard]] std::size_t live() const noexcept { return live_; }

 private:
  [[nodiscard]] bool fails() noexcept;

  GeneralAllocator interface_;
  std::size_t requests_ = 0;
  std::size_t live_ = 0;
  std::size_t until_failure_ = 0;
  bool fail_all_ = false;
};

}  // namespace tarn::test
