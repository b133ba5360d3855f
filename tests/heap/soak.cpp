// Random operations on every heap that can be chosen, for as long as one likes: scripts/soak.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include <tarn/heap.h>

#include "support/combinations.h"
#include "support/heap_model.h"
#include "support/random_operations.h"
#include "support/seed.h"

namespace tarn::test {
namespace {

constexpr std::size_t most_live = 20000;
constexpr std::size_t verify_each = 100000;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// False: a contradiction, which is printed with the way to repeat it.
bool soak(const Combination& combination, std::uint64_t operations, std::uint64_t seed) {
  const Clock::time_point start = Clock::now();
  const HeapOptions options = combination.options();
  Heap heap(options);
  std::uint64_t done = 0;
  std::uint64_t verified = 0;
  try {
    HeapModel model(heap, options);
    Random random(seed);
    RandomOperations next(model, random, most_live);
    for (; done < operations; ++done) {
      next.step();
      if (done % verify_each == 0) {
        model.verify();
        ++verified;
      }
    }
    model.free_all();
    model.verify();
    model.release_empty_arenas();
  } catch (const ModelError& error) {
    std::printf("%-28s FAILED at operation %llu of seed %llu: %s\n", combination.name().c_str(),
                static_cast<unsigned long long>(done), static_cast<unsigned long long>(seed),
                error.what());
    return false;
  }
  const HeapStatistics statistics = heap.statistics();
  std::printf("%-28s %12llu operations, verified %5llu times, %7zu arenas mapped, %6.1f s\n",
              combination.name().c_str(), static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(verified), statistics.arenas_mapped,
              seconds_since(start));
  std::fflush(stdout);
  return true;
}

bool read_number(const char* text, std::uint64_t& value) {
  const char* const end = text + std::strlen(text);
  const auto [last, error] = std::from_chars(text, end, value);
  return error == std::errc() && last == end && text != end;
}

int run(int count, char** words) {
  std::uint64_t operations = 100'000'000;
  std::uint64_t seed = 1;
  if (count > 3 || (count > 1 && !read_number(words[1], operations)) ||
      (count > 2 && !read_number(words[2], seed))) {
    std::fprintf(stderr, "usage: heap_soak [OPERATIONS [SEED]]\n");
    return 2;
  }
  const auto combinations = all_combinations_and_stress();
  bool all_well = true;
  for (std::size_t i = 0; i < combinations.size(); ++i) {
    // The rest of the division goes to the first, so that the sum is what was asked for.
    const std::uint64_t share =
        operations / combinations.size() + (i == 0 ? operations % combinations.size() : 0);
    all_well = soak(combinations[i], share, seed + i) && all_well;
  }
  return all_well ? 0 : 1;
}

}  // namespace
}  // namespace tarn::test

int main(int count, char** words) {
  try {
    return tarn::test::run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heap_soak: %s\n", error.what());
    return 1;
  }
}
