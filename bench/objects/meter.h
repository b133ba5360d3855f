// What one run is measured by: the time of each part of a case, its longest pause, the peak memory.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tarn::bench::objects {

class Meter {
 public:
  using Clock = std::chrono::steady_clock;

  // Times work(), which does so many operations, and prints the part's line. A part's longest pause is the
  // longest time between two of its steps, whatever fills it: a collection, the freeing of a large
  // structure, the operating system.
  template <typename Work>
  void part(std::string_view name, std::uint64_t operations, Work&& work) {
    longest_ = {};
    const double cpu_before = cpu_seconds();
    const Clock::time_point began = last_ = Clock::now();
    std::forward<Work>(work)();
    step();
    print(name, last_ - began, cpu_seconds() - cpu_before, operations);
  }

  // Reading the clock costs some 25 ns, so cases take a step every thousand objects or so.
  void step() {
    const Clock::time_point now = Clock::now();
    longest_ = std::max(longest_, now - last_);
    last_ = now;
  }

 private:
  // Of all threads of the process.
  [[nodiscard]] static double cpu_seconds();
  void print(std::string_view name, Clock::duration time, double cpu,
             std::uint64_t operations) const;

  Clock::time_point last_;
  Clock::duration longest_{};
};

// The most memory that was ever resident, in KiB. Not getrusage's, which still counts what the process was
// before exec; Linux keeps this one by address space. 0 where /proc doesn't tell.
[[nodiscard]] std::uint64_t peak_memory_kib();

}  // namespace tarn::bench::objects
