#include "meter.h"

#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <memory>

namespace tarn::bench::objects {

namespace {

double seconds(Meter::Clock::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

double Meter::cpu_seconds() {
  constexpr double nanoseconds_a_second = 1e9;
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / nanoseconds_a_second;
}

void Meter::print(std::string_view name, Clock::duration time, double cpu,
                  std::uint64_t operations) const {
  std::printf("part %.*s %.9f %.9f %" PRIu64 " %.9f\n", static_cast<int>(name.size()), name.data(),
              seconds(time), cpu, operations, seconds(longest_));
}

std::uint64_t peak_memory_kib() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/status", "r"),
                                                             &std::fclose);
  char line[256];
  std::uint64_t kib = 0;
  while (file && std::fgets(line, sizeof line, file.get()) != nullptr) {
    if (std::sscanf(line, "VmHWM: %" SCNu64, &kib) == 1) {
      break;
    }
  }
  return kib;
}

}  // namespace tarn::bench::objects
